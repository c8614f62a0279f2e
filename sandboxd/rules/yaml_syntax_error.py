"""The file is not valid YAML.

## What it is

Text that a YAML parser cannot read: a bracket or a quote that is not closed, a tab for
indentation, a missing colon, an alias without its anchor. Custom tags such as `!reset` are fine.

## Why it is bad

The tools refuse the file, or one of them reads it in another way than the reviewer and this check
did. What stands in the broken part has not been judged.

    cap_drop: [ALL
    privileged: true          # inside the list, or beside it?

## What to do instead

Correct the text at the place shown. Everything outside of the broken part has been checked.

## Under gVisor

No difference: it is about what is asked for, not about what runs.

## References

- https://yaml.org/spec/1.2.2/
- https://docs.docker.com/reference/compose-file/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._needs import Unsound
from sandboxd.rules._syntax import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding, Skipped
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="yaml-syntax-error",
    summary="the file is not valid YAML",
    severity=Severity.ERROR,
    since="0.1.0",
    why="tools refuse it or read it in their own way: what runs may not be what is checked",
    needs=(Unsound(),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding | Skipped]:
    if subject.language == "yaml":
        yield from errors(META, subject)
