"""The Dockerfile has something that no builder understands.

## What it is

A line that begins with no instruction, or a heredoc without its end. Build steps before it are
read as usual.

## Why it is bad

The tools refuse the file, or one of them reads it in another way than the reviewer and this check
did. What stands in the broken part has not been judged.

    RUN echo a
        && echo b             # the `\\` is missing above: `&&` is no instruction

## What to do instead

Correct the text at the place shown. Everything outside of the broken part has been checked.

## Under gVisor

No difference: it is about what is asked for, not about what runs.

## References

- https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity, Skipped
from sandboxd.rules._needs import Unsound
from sandboxd.rules._syntax import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding, Skipped
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="dockerfile-syntax-error",
    summary="the Dockerfile has something that no builder understands",
    severity=Severity.ERROR,
    since="0.1.0",
    why="tools refuse it or read it in their own way: what runs may not be what is checked",
    needs=(Unsound(),),
)


# Marks of the languages that files are made from: PHP, ERB and EJS, Jinja, Handlebars and Go.
TEMPLATE_MARKS = ("<?php", "<%", "{%", "{{")


def check(subject: Document, host: HostFacts) -> Iterator[Finding | Skipped]:
    if subject.language != "dockerfile":
        return
    findings = list(errors(META, subject))
    mark = next((mark for mark in TEMPLATE_MARKS if mark in subject.source.text), "")
    if findings and mark:
        reason = f"is a template (`{mark}`), and no Dockerfile yet"
        hint = "check the file that is made from it"
        yield Skipped(subject.source.path, reason, hint, is_file=True)
        return
    yield from findings
