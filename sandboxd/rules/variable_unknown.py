"""A variable that the dev container tools do not know.

## What it is

`${...}` with another name than `localEnv`, `containerEnv`, `localWorkspaceFolder`,
`containerWorkspaceFolder`, their `Basename`s, and `devcontainerId`, in a property that is no
command.

## Why it is bad

It is left as it stands: a mount of the folder `${workspaceFolder}`, an option with a `$` in it.
What it was to protect or to find is not there.

## What to do instead

Use the name of the specification: `${localWorkspaceFolder}` on the host,
`${containerWorkspaceFolder}` inside, `${localEnv:HOME}`. Shell variables work in hooks only.

## Under gVisor

No difference.

## References

- https://containers.dev/implementors/json_reference/#variables-in-devcontainerjson
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._document import strings, variables
from sandboxd.rules._finding import at_node
from sandboxd.rules._needs import Spells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="variable-unknown",
    summary="a variable that the dev container tools do not know",
    severity=Severity.WARNING,
    since="0.1.0",
    why="it stays as it stands, and what it was to name is not found",
    needs=(Spells("devcontainer", "${"),),
)


_KNOWN = {
    "localEnv",
    "env",
    "containerEnv",
    "localWorkspaceFolder",
    "localWorkspaceFolderBasename",
    "containerWorkspaceFolder",
    "containerWorkspaceFolderBasename",
    "devcontainerId",
    "templateOption",
}
# Settings that a shell runs, or in which other programs have variables of their own.
_SHELL = (
    "initializeCommand",
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
    "customizations",
    "settings",
    "features",
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    for key, node in strings(subject, without=_SHELL):
        for name, *_ in variables(node):
            if name in _KNOWN:
                continue
            near = _nearest(name)
            hint = f": did you mean `{near}`" if near else ""
            yield at_node(
                META,
                subject,
                node,
                f"`${{{name}}}` in `{key}` stays as it stands: no tool replaces it{hint}",
                f"{key}:{name}",
            )


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    if name == "workspaceFolder":
        return "localWorkspaceFolder"
    near = get_close_matches(name[:60], sorted(_KNOWN), n=1, cutoff=0.75)
    return near[0] if near else ""
