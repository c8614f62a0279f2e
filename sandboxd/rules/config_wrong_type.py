"""A value in sandboxd.toml has the wrong type.

## What it is

A value of `sandboxd.toml` that is, say, a string where a list belongs.

## Why it is bad

Tools that convert such values quietly each do it in their own way. What the sandbox would be
is then a matter of luck, so the file is refused as a whole.

    [capabilities]
    add = "NET_BIND_SERVICE"    # must be a list: ["NET_BIND_SERVICE"]

## What to do instead

Write the value in the type that the message names.

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
    id="config-wrong-type",
    summary="a value in sandboxd.toml has the wrong type",
    severity=Severity.ERROR,
    since="0.1.0",
    why="what such a value means would be a guess, so the file is refused",
    needs=(Kind("sandboxd_toml"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    return _config.findings(META, subject)
