"""A tool on the host runs commands of the repository by itself, at a commit or when its folder is entered.

## What it is

A hook of pre-commit (`repo: local` with `language: system` or `script`), Lefthook, husky, simple-git-hooks or
lint-staged (in a file of its own or in `package.json`), a repository from which Lefthook takes hooks, a line of
an `.envrc`, a hook, a script or a command in a template of a `mise.toml`, or what Cursor runs when it makes a work
tree (`.cursor/worktrees.json`).

## Why it is bad

It runs on the host with all rights of the person, at a moment when nobody thinks of running anything: at a
commit of two lines, at a `cd`. Whoever may write the file decides what runs: a dependency's update, a merged
branch, an agent that works in the folder. Hooks that format and test are usual, so they are hints; an
error is what no such hook has to do: running what it fetches, touching keys, opening a shell.

## What to do instead

Commit inside: `sandboxd exec -- git commit`. Or have the hook do its work there: `sandboxd exec -- COMMAND`.
A sandbox never writes these files: they are read-only inside, or brought out by name only.

## Under gVisor

The same: it does not run in the sandbox at all.

## References

- https://git-scm.com/docs/githooks
- https://pre-commit.com/#repository-local-hooks
- https://direnv.net/man/direnv.1.html
- https://lefthook.dev/configuration/remotes.html
- https://cursor.com/docs/configuration/worktrees
- https://mise.jdx.dev/hooks.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._commands import suspicious
from sandboxd.rules._finding import at_value
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.host_hooks import HostHooks

META = RuleMeta(
    id="host-hook-runs-program",
    summary="a tool on the host runs commands of the repository by itself",
    severity=Severity.ERROR,
    since="0.1.0",
    why="whoever may write the file decides what runs on the host at the next commit",
)


def check(subject: HostHooks, host: HostFacts) -> Iterator[Finding]:
    for command, occasion in subject.commands:
        if command.value.startswith("sandboxd "):
            continue
        effect = suspicious(command.value)
        message = f"`{readable(command.value)}` is run on the host by {subject.tool} {occasion}"
        yield at_value(
            META,
            command,
            f"{message}, and {effect}" if effect else message,
            command.value,
            Severity.ERROR if effect else Severity.HINT,
        )
