"""A value in sandboxd.toml is none of those that exist.

## What it is

A value of the right type that cannot be: a runtime, network mode, capability, rule or severity
level that does not exist, an empty image, an entry of `[[allow]]` without its reason.

In `[network]`: a group that does not exist, a wildcard below which anybody may have a name (`*.com`,
`*.co.uk`, `*.github.io`), an address where a name belongs, letters beyond ASCII, which can look like
others, a port that cannot be, and a list of names beside a mode that it would not restrict.

## Why it is bad

As with an unknown key: what was meant is not what would happen, so the file is refused.

    [capabilities]
    add = ["NET_BIND_SERVICES"]

## What to do instead

Take one of the values that the message lists. Each `[[allow]]` needs `rule` and `reason`.

## Under gVisor

No difference: it is about what is asked for, not about what runs.

## References

- https://toml.io/en/v1.0.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules import _config
from sandboxd.rules._needs import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="config-invalid-value",
    summary="a value in sandboxd.toml is none of those that exist",
    severity=Severity.ERROR,
    since="0.1.0",
    why="what was meant would not happen, so the file is refused",
    needs=(Kind("sandboxd_toml"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    return _config.findings(META, subject)
