"""Converts entries of the audit record to OpenTelemetry logs, in the JSON encoding of OTLP. Pure.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: one `ExportLogsServiceRequest`, as a
collector's file receiver reads it, or as it is posted to `/v1/logs`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandboxd.audit import words
from sandboxd.audit.entry import Entry

_INFO, _WARN = (9, "INFO"), (13, "WARN")
_WARNINGS = frozenset({"refused", "tripwire", "attempts-lost", "drift", "halt"})


def request(entries: Iterable[Entry], version: str) -> dict[str, Any]:
    """The `ExportLogsServiceRequest` of `entries`, as JSON data.

    :param version: the version of sandboxd
    """
    scope = {"name": "sandboxd.audit", "version": version}
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": [_attribute("service.name", "sandboxd")]},
                "scopeLogs": [{"scope": scope, "logRecords": [_record(e) for e in entries]}],
            }
        ]
    }


def _record(entry: Entry) -> dict[str, Any]:
    number, text = _WARN if entry.kind in _WARNINGS else _INFO
    return {
        "timeUnixNano": str(int(entry.time * 1e9)),
        "severityNumber": number,
        "severityText": text,
        "body": {"stringValue": f"{entry.kind}: {words.sentence(entry)}"},
        "attributes": [
            _attribute("sandboxd.number", entry.number),
            _attribute("sandboxd.kind", entry.kind),
            _attribute("sandboxd.project", entry.project),
            _attribute("enduser.id", entry.by),
            _attribute("sandboxd.before", entry.before),
            *(_attribute(f"sandboxd.{name}", value) for name, value in entry.facts.items()),
        ],
    }


def _attribute(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": _any_value(value)}


def _any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any_value(each) for each in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [_attribute(str(k), v) for k, v in value.items()]}}
    return {"stringValue": "" if value is None else str(value)}
