"""The default of a variable is cut off.

## What it is

`${localEnv:NAME:default}` with a colon in the default. The dev container CLI splits at every
colon and takes the third part alone.

## Why it is bad

`${localEnv:DISPLAY::0}` is empty and not `:0`, `${localEnv:URL:http://x}` is `http`. In a mount
it is another folder than the one that is meant.

## What to do instead

Leave out what follows the colon, or set the variable.

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
    id="local-env-default-colon",
    summary="the default of a variable is cut off",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the value is another one than the file says",
    needs=(
        Spells("devcontainer", "${localEnv"),
        Spells("devcontainer", "${env"),
        Spells("devcontainer", "${containerEnv"),
    ),
)


_WITH_DEFAULT = ("localEnv", "env", "containerEnv")


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    for key, node in strings(subject):
        for name, *rest in variables(node):
            if name not in _WITH_DEFAULT or len(rest) < 3:
                continue
            consequence = f"it is `{rest[1]}`" if rest[1] else "nothing is left of it"
            yield at_node(
                META,
                subject,
                node,
                f"the default of `{rest[0]}` ends at the next colon: {consequence}",
                f"{key}:{rest[0]}",
            )
