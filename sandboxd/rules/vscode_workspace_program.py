"""The editor is told to run a program of the repository.

## What it is

A setting that names the program for git, a linter or the terminal, with a path inside of the folder
(relative, or below `${workspaceFolder}`). Interpreters of languages and `typescript.tsdk` are left
alone: they are usual, and VS Code asks.

## Why it is bad

The editor starts these by itself: git as soon as the folder is open, a linter with the first file.

    "git.path": "${workspaceFolder}/tools/git"

## What to do instead

Remove it, and install the program in the container.

## Under gVisor

No difference: it is about the editor on the host. In a folder that is open in the container, what it
starts runs inside.

## References

- https://code.visualstudio.com/docs/editing/workspaces/workspace-trust
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.model.editor import dotted
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.editor import EditorSettings

META = RuleMeta(
    id="vscode-workspace-program",
    summary="the editor is told to run a program of the repository",
    severity=Severity.WARNING,
    since="0.1.0",
    why="opening a file, or a terminal, then runs what the repository brought along",
)

_PROGRAMS = (
    "git.path",
    "eslint.runtime",
    "php.validate.executablePath",
    "shellcheck.executablePath",
    "terminal.integrated.automationProfile.",
    "terminal.integrated.profiles.",
    "terminal.integrated.shell.",
)
_INSIDE = ("./", "../", "${workspaceFolder}", "${workspaceRoot}")


def check(subject: EditorSettings, host: HostFacts) -> Iterator[Finding]:
    for value in subject.scalars:
        key = dotted(value)
        is_profile = key.startswith("terminal.integrated.") and not key.startswith(
            "terminal.integrated.shell."
        )
        if not key.startswith(_PROGRAMS) or (is_profile and not key.endswith(".path")):
            continue
        if not str(value.value).startswith(_INSIDE):
            continue
        yield at_value(
            META,
            value,
            f"`{'.'.join(key.split('.')[:4])}` runs `{value.written}`, which the repository brings along",
            value.origin.key,
            remedies=(
                Remedy(
                    "remove the setting",
                    safe=False,
                    changes=(Remove(value),),
                    caution="the program of the system is used",
                ),
            ),
        )
