"""Post new entries of the audit record to an OpenTelemetry collector, each once.

The collector's address comes from the environment variables that every OpenTelemetry program reads:
https://opentelemetry.io/docs/specs/otel/protocol/exporter/."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from sandboxd.audit import otlp
from sandboxd.audit.entry import Entry, digest, line
from sandboxd.errors import EnvironmentFailure, UnreadableError, UsageError
from sandboxd.files import read_bytes, write_atomic

MOST_AT_ONCE = 200
"""The most entries in one request; an entry is at most 128 KB, and nearly all are below 1 KB."""

SECONDS = 15.0

_LOGS, _ALL = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
_HEADERS = ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
_CURSOR = "sent.json"


class Collector(NamedTuple):
    """An OpenTelemetry collector: its URL, and (name, value) of header fields for requests to it, which may be
    secret.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Collector({self.url!r})"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect: the entries are meant for one host."""


def collector(environ: Mapping[str, str]) -> Collector:
    """The collector that the environment variables name.

    :raises UsageError: they name none, or not by an HTTP URL
    """
    url = environ.get(_LOGS) or ""
    if not url and environ.get(_ALL):
        url = environ[_ALL].rstrip("/") + "/v1/logs"
    hint = f"`export {_ALL}=http://127.0.0.1:4318`"
    if not url:
        raise UsageError(f"`{_ALL}` is not set, so no collector is known", hint)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"`{url}` is no URL of HTTP", hint)
    text = next((environ[name] for name in _HEADERS if environ.get(name)), "")
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    headers = ((name.strip(), unquote(value.strip())) for name, _, value in pairs)
    return Collector(url, tuple(headers))


def send_new(entries: Sequence[Entry], folder: str, to: Collector, version: str) -> int:
    """Post the entries that `to` has not received yet; returns their number.

    :param entries: the whole record, oldest first
    :param folder: the record's folder, where the number of the last posted entry is stored
    :param version: the version of sandboxd
    :raises EnvironmentFailure: the collector does not accept them; those that it accepted before are not sent again
    """
    path = os.path.join(folder, _CURSOR)
    last = _last(path, to.url, entries)
    new = [entry for entry in entries if entry.number > last]
    for first in range(0, len(new), MOST_AT_ONCE):
        some = new[first : first + MOST_AT_ONCE]
        _post(otlp.request(some, version), to, first)
        cursor = {"url": to.url, "number": some[-1].number, "digest": _digest(some[-1])}
        text = json.dumps(cursor)
        write_atomic(path, text.encode(), 0o600)
    return len(new)


def _post(document: dict[str, Any], to: Collector, sent: int) -> None:
    # `collector` lets no other scheme in.
    request = urllib.request.Request(  # noqa: S310
        to.url, json.dumps(document).encode(), method="POST"
    )
    request.add_header("Content-Type", "application/json")
    for name, value in to.headers:
        request.add_header(name, value)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=SECONDS) as response:
            answer = _document(response.read(1 << 16))
        rejected = int(answer.get("rejectedLogRecords") or 0)
        why = f"rejects {rejected} of them" if rejected else ""
    except urllib.error.HTTPError as error:
        why = f"answers {error.code}"
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        why = (getattr(cause, "strerror", None) or type(cause).__name__).lower()
    if why:
        raise EnvironmentFailure(
            f"the collector at `{to.url}` does not take the record after {sent} entries: {why}",
            "run it again once it does: what was taken is not sent twice",
        )


def _document(data: bytes) -> dict[str, Any]:
    """The `partialSuccess` of the collector's answer, which says what it rejected; {} without one."""
    with contextlib.suppress(ValueError):
        document = json.loads(data)
        partial = document.get("partialSuccess") if isinstance(document, dict) else None
        return partial if isinstance(partial, dict) else {}
    return {}


def _last(path: str, url: str, entries: Sequence[Entry]) -> int:
    """The number of the last entry posted to `url`; 0 if none was.

    Also 0 where the record has another entry of this number, or ends before it: it was written anew, and an
    entry that got an old number must not pass for one that was posted.
    """
    try:
        cursor = json.loads(read_bytes(path, 1 << 12))
        if cursor["url"] != url:
            return 0
        number, posted = int(cursor["number"]), cursor["digest"]
    except (UnreadableError, ValueError, KeyError, TypeError, RecursionError):
        return 0
    if not entries or number > entries[-1].number:
        return 0
    same = next((entry for entry in entries if entry.number == number), None)
    return 0 if same is not None and _digest(same) != posted else number


def _digest(entry: Entry) -> str:
    return digest(line(entry))
