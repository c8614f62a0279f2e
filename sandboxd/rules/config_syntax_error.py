"""sandboxd.toml is not valid TOML.

## What it is

Text in `sandboxd.toml` that TOML does not allow: a missing quote or bracket, a key given twice, a
table opened twice.

## Why it is bad

A file that cannot be read says nothing, and a sandbox made from nothing is not the one that you
asked for. So sandboxd makes none, instead of guessing.

    profile = "agent        # the closing quote is missing

## What to do instead

Correct the text at the place shown.

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
    id="config-syntax-error",
    summary="sandboxd.toml is not valid TOML",
    severity=Severity.ERROR,
    since="0.1.0",
    why="nothing is generated or started from a file that cannot be read",
    needs=(Kind("sandboxd_toml"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    return _config.findings(META, subject)
