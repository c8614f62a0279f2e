"""The file is not valid JSON with comments.

## What it is

Text that a JSON parser cannot read: a missing comma, colon, brace or quote, or a value of the
wrong kind at the top. Comments and trailing commas are fine: they are part of the language.

## Why it is bad

The dev container CLI reads on past such errors and uses what it could make of the rest, and other
tools make something else of it. So what runs may not be what you, or a reviewer, or this check
has read.

    "runArgs": ["--cap-drop=ALL" "--privileged"]    # read as two arguments by one tool, refused by another

## What to do instead

Correct the text at the place shown. Everything outside of the broken part has been checked.

## Under gVisor

No difference: it is about what is asked for, not about what runs.

## References

- https://code.visualstudio.com/docs/languages/json#_json-with-comments
- https://containers.dev/implementors/spec/#devcontainerjson
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._needs import Unsound
from sandboxd.rules._syntax import at, errors
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding, Skipped
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="json-syntax-error",
    summary="the file is not valid JSON with comments",
    severity=Severity.ERROR,
    since="0.1.0",
    why="tools read on past the error, each in its own way: what runs may not be what is checked",
    needs=(Unsound(),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding | Skipped]:
    if subject.language != "jsonc":
        return
    yield from errors(META, subject)
    root = subject.tree.root
    if root is None:
        if not subject.tree.problems:
            yield at(META, subject, Span(0, 0), "the file is empty: expected an object `{...}`")
    elif root.kind != "object":
        start = Span(root.span.start, root.span.start + 1)
        yield at(META, subject, start, f"expected an object `{{...}}`, found this {root.kind}")
