"""The audit record as a person reads it: a row an entry, or each with all of its facts. Pure."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from sandboxd import screen, terminal
from sandboxd.audit import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxd.audit.entry import Entry

_LONGEST_USER, _LONGEST_SANDBOX = 12, 20
"""Columns of names: what follows has to have room beside them."""

_NOTHING = {"network": "nothing was reached or denied", "stop": "ended and removed"}
"""By kind: the words for an entry whose facts all say that there was nothing."""


def rows(entries: Sequence[Entry], columns: int) -> Iterator[str]:
    """A line an entry: the time, what was done, who did it, in which sandbox, and as many facts as have room."""
    heads = [
        (entry.kind, _cell(entry.by, _LONGEST_USER), _cell(_sandbox(entry), _LONGEST_SANDBOX))
        for entry in entries
    ]
    widths = [max(map(screen.columns_of, cells)) for cells in zip(*heads, strict=True)]
    for entry, head in zip(entries, heads, strict=True):
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.time))
        kind, by, sandbox = map(_padded, head, widths)
        start = f"{at}  {kind}  {by}  {sandbox}  "
        facts = terminal.one_line(
            words.sentence(entry, in_short=True) or _NOTHING.get(kind.strip(), "")
        )
        room = max(columns - screen.columns_of(start), 0)
        shown = screen.cut(facts, room) if room > 1 else ""
        yield f"{at}  {terminal.paint(kind, terminal.BOLD)}  {by}  {sandbox}  {shown}".rstrip()


def whole(entries: Sequence[Entry], columns: int) -> Iterator[str]:
    """Yield the lines of each entry with all of its facts below it, wrapped at `columns`."""
    for entry in entries:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.time))
        head = terminal.one_line(f"{_sandbox(entry)}  by {entry.by}")
        yield f"{at}  {terminal.paint(entry.kind, terminal.BOLD)}  {head}"
        facts = terminal.one_line(words.sentence(entry))
        yield from screen.row("", facts, columns, 4) if facts else ()


def _sandbox(entry: Entry) -> str:
    """The project's name, with that of the sandbox where it has one."""
    project = os.path.basename(entry.project) or "-"
    name = entry.facts.get("sandbox")
    return f"{project}/{name}" if isinstance(name, str) and name else project


def _cell(text: str, columns: int) -> str:
    return screen.cut(terminal.one_line(text), columns)


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - screen.columns_of(text))
