"""sandboxd.toml names a profile that does not exist.

## What it is

The value of `profile` is none of the profiles that come with sandboxd.

## Why it is bad

The profile decides every control of the sandbox. Taking another one instead would give the work
rights that nobody chose.

    profile = "agnet"

## What to do instead

Name one of the profiles that the message lists. `dev` is for daily work, `agent` for anything
that works unattended.

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
    id="config-unknown-profile",
    summary="sandboxd.toml names a profile that does not exist",
    severity=Severity.ERROR,
    since="0.1.0",
    why="another profile would give rights that nobody chose, so the file is refused",
    needs=(Kind("sandboxd_toml"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    return _config.findings(META, subject)
