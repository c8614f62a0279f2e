"""sandboxd.toml has a key that sandboxd does not know.

## What it is

A key in `sandboxd.toml` that is none of `profile`, `runtime`, `image`, `user`, `capabilities`,
`network`, `environment`, `allow` and `rules`, or a key of one of these tables that it does not have.

## Why it is bad

A misspelt restriction would otherwise silently be none:

    [netwrok]
    mode = "none"           # the sandbox would have a network

So a file with an unknown key is refused as a whole.

## What to do instead

Correct the key; the message names the nearest one. To keep a note, write it as a comment.

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
    id="config-unknown-key",
    summary="sandboxd.toml has a key that sandboxd does not know",
    severity=Severity.ERROR,
    since="0.1.0",
    why="a misspelt restriction would silently be none, so the file is refused",
    needs=(Kind("sandboxd_toml"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    return _config.findings(META, subject)
