"""An option in runArgs is not written as docker reads it.

## What it is

An option and its value in one string with a blank (`"--cap-drop ALL"`), or quotes of a shell
inside a string (`"--label='x'"`). No shell reads `runArgs`.

## Why it is bad

Docker takes the whole string for the name of the option and refuses, or keeps the quotes as a
part of the value: a path that does not exist, a capability that is unknown.

## What to do instead

Two strings, `"--cap-drop", "ALL"`, or one with an equals sign, `"--cap-drop=ALL"`.

## Under gVisor

No difference.

## References

- https://containers.dev/implementors/json_reference/#formatting-string-vs-array-properties
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_node, value_of
from sandboxd.rules._needs import Property
from sandboxd.rules._run_args import arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="runargs-malformed",
    summary="an option in runArgs is not written as docker reads it",
    severity=Severity.ERROR,
    since="0.1.0",
    why="docker refuses to create the container, or takes quotes for a part of the value",
    needs=(Property("devcontainer", "runArgs"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    parsed = arguments(subject)
    nodes = () if parsed is None else [node for flag in parsed.flags for node in flag.nodes[:1]]
    for node in dict.fromkeys(nodes):
        text = node.text() or ""
        if not text.endswith(("'", '"')) and " " not in text:
            continue
        blank = re.match(r"(-{1,2}[a-z][a-z-]*)\s+(\S.*)\Z", text)
        if blank is not None:
            message = (
                f"`{blank[1]}` and its value are one string: docker takes all of it for a name"
            )
            new = f"{blank[1]}={blank[2]}" if text.startswith("--") else f"{blank[1]}{blank[2]}"
        elif (quoted := _start_of_quoted(text)) is not None:
            message = "the quotes are a part of the value: no shell reads this"
            new = text[:quoted] + text[quoted + 1 : -1]
        else:
            continue
        value = value_of(subject, node, "runArgs")
        yield at_node(
            META,
            subject,
            node,
            message,
            text,
            remedies=(
                Remedy(
                    f"write `{new}`",
                    safe=False,
                    changes=(Replace(value, new),),
                    caution="the option takes effect",
                ),
            ),
        )


def _start_of_quoted(text: str) -> int | None:
    """The offset of the first quote of a quoted value at the end of the last line; None if there is none."""
    quote = text[-1:]
    if quote not in ("'", '"'):
        return None
    before = text.find("=" + quote, text.rfind("\n") + 1, -1)
    return before + 1 if before >= 0 else None
