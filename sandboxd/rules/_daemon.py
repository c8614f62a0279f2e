"""Shared by rules about Docker's `daemon.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Finding, Remedy, Remove
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import RuleMeta, Severity
    from sandboxd.model.daemon_config import DaemonConfig

_ON = ("true", "1", "t", "T", "TRUE", "True")
OFF = ("false", "0", "f", "F", "FALSE", "False")
"""Spellings that Go reads as false."""


def runsc_flag(
    meta: RuleMeta,
    config: DaemonConfig,
    flag: str,
    effect: str,
    caution: str,
    values: tuple[str, ...] = _ON,
    severities: dict[str, Severity] | None = None,
) -> Iterator[Finding]:
    """A finding for each gVisor runtime that sets `flag` to one of `values`."""
    for runtime in config.gvisors():
        setting = runtime.flag(flag)
        if setting is None or setting[1] not in values:
            continue
        arg, value = setting
        yield at_value(
            meta,
            arg,
            f"`{arg.written}` of the runtime `{runtime.name.value}` {effect}",
            f"{runtime.name.value} {flag}={value}",
            (severities or {}).get(value),
            remedies=(
                Remedy(
                    f"remove `{arg.written}`", safe=False, changes=(Remove(arg),), caution=caution
                ),
            )
            if "=" in arg.written or value == "true"
            else (),
        )


def missing(
    meta: RuleMeta, config: DaemonConfig, key: str, json_text: str, message: str, caution: str
) -> Finding:
    """A finding about a key that is not set and should be."""
    return Finding(
        meta.id,
        meta.severity,
        message,
        config.place,
        key,
        remedies=(
            Remedy(
                f"add `{key}`",
                safe=False,
                changes=(Add("", f'"{key}": {json_text}'),),
                caution=caution,
            ),
        ),
        why=meta.why,
    )
