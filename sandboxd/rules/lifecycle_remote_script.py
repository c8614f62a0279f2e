"""A hook runs what it fetches.

## What it is

A hook that runs inside (`onCreateCommand` to `postAttachCommand`) pipes a download into a shell
(`curl ... | sh`), or writes it to a file and runs that (`wget ... && sh install.sh`). A hint for packages that are run at their newest version (`npx -y`).

## Why it is bad

What runs is what the server sends on that day, to your address. Nothing is pinned, nothing is
checked, and it has the tokens that the container has.

    curl -fsSL https://example.com/install.sh | sh

## What to do instead

Install it when the image is built, from a package with a version and a checksum, or by a
Feature:

    RUN curl -fsSLo x.tgz URL && echo "HASH x.tgz" | sha256sum -c - && tar xf x.tgz

## Under gVisor

No difference: it is about what the code does inside.

## References

- https://containers.dev/implementors/json_reference/#lifecycle-scripts
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._commands import remote_script
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Mentions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="lifecycle-remote-script",
    summary="a hook runs what it fetches",
    severity=Severity.WARNING,
    since="0.1.0",
    why="what the server sends today runs with the tokens that the container has",
    needs=(
        Mentions("lifecycle", "curl"),
        Mentions("lifecycle", "wget"),
        Mentions("lifecycle", "npx"),
        Mentions("lifecycle", "irm"),
        Mentions("lifecycle", "iwr"),
        Mentions("lifecycle", "Invoke-"),
    ),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.lifecycle:
        script = remote_script(value.value)
        newest = re.search(r"\bnpx\s+(?:-y|--yes)\s+([\w@/.-]+)", value.value)
        if script:
            yield at_value(
                META,
                value,
                f"`{value.origin.key}` runs what a server sends on that day",
                script,
            )
        elif newest and "@" not in newest[1].lstrip("@"):
            yield at_value(
                META,
                value,
                f"`{newest[1]}` runs at its newest version, whatever that is",
                newest[0],
                Severity.HINT,
            )
