"""Checks that the audit record is complete: each line has the hash of the one before, and marks have that of the
last.

It detects lines that were cut, changed or lost. Whoever may write as this user can replace the whole record, which
only a copy elsewhere shows (`sandboxd audit --journald`, `--otlp`). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sandboxd.audit.entry import FIRST, Entry, digest, gaps, read
from sandboxd.audit.marks import Head, Marks


class File(NamedTuple):
    """One file of the record; `first` is the number of its first entry, by the file's name."""

    first: int
    content: bytes


class Fault(NamedTuple):
    """A place where the record was changed or lost something."""

    number: int
    """The number of the entry at or after which it is; 0 for an empty record."""
    what: str
    """A description for a person."""


class Reading(NamedTuple):
    """The entries that could be read, and the faults of the chain."""

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    rotated: int
    """The number of the oldest entries that were removed to keep the record small."""


def check(files: Sequence[File], marks: Marks) -> Reading:
    """Read the record and check its chain.

    :param files: the oldest first
    """
    entries: list[Entry] = []
    faults: list[Fault] = []
    digests: dict[int, str] = {}
    last: Head | None = None
    for file in files:
        if last is not None and file.first != last.number + 1:
            faults.append(Fault(last.number, f"the file that begins with {file.first} follows"))
        # The first line of the oldest file names a line that was removed with its file.
        is_begin = last is None
        for text in file.content.split(b"\n"):
            if not text:
                continue
            entry = read(text)
            if entry is None:
                number = last.number if last is not None else file.first - 1
                faults.append(Fault(number, "a line after it is no entry"))
                continue
            faults += _breaks(entry, last, file.first if is_begin else None)
            if entry.kind == "rotated" and (count := gaps(entry)):
                faults.append(Fault(entry.number, f"gaps in the entries that it removed: {count}"))
            entries.append(entry)
            last, is_begin = Head(entry.number, digest(text)), False
            digests[last.number] = last.digest
    faults += _removed(files, entries)
    faults += _end(last, marks, digests)
    rotated = files[0].first - 1 if files else 0
    return Reading(tuple(entries), tuple(faults), rotated)


def _breaks(entry: Entry, last: Head | None, first: int | None) -> list[Fault]:
    """The faults between an entry and the one before it; [] for none.

    :param first: the number that the entry must have if it is the first of the record
    """
    if entry.kind == "gap":
        return [Fault(entry.number, f"before it, {entry.facts.get('what')}")]
    if last is None:
        if first is not None and entry.number != first:
            return [Fault(entry.number, f"the entries from {first} to it are missing")]
        if entry.number == 1 and entry.before != FIRST:
            return [Fault(1, "it names an entry before it, and there is none")]
        return []
    if entry.number != last.number + 1:
        return [Fault(entry.number, f"it follows entry {last.number}")]
    if entry.before != last.digest:
        return [Fault(last.number, "it is not as it was when the next one was written")]
    return []


def _removed(files: Sequence[File], entries: Sequence[Entry]) -> list[Fault]:
    """The faults before the oldest file, which no rotation explains; [] for none."""
    first = files[0].first if files else 1
    rotations = {
        e.facts.get("last"): e.facts.get("last_hash") for e in entries if e.kind == "rotated"
    }
    if first == 1:
        return []
    if not entries or rotations.get(first - 1) != entries[0].before:
        return [Fault(first, "the entries before it are missing, and no rotation removed them")]
    return []


def _end(last: Head | None, marks: Marks, digests: dict[int, str]) -> list[Fault]:
    """The faults at the end of the record; [] for none.

    A mark may be behind: of a process that was killed before it wrote it, or on a full disk.
    """
    newest = marks.newest()
    if last is None:
        return [Fault(0, f"all entries up to {newest.number} are missing")] if newest else []
    faults: list[Fault] = []
    if marks.head is None:
        faults.append(Fault(last.number, "the file that names the last entry is missing"))
    for mark in dict.fromkeys(filter(None, marks)):
        if mark.number > last.number:
            what = f"the entries after it up to {mark.number} are missing"
            faults.append(Fault(last.number, what))
        elif digests.get(mark.number, mark.digest) != mark.digest:
            what = "the last entry is not the one that was written last"
            if mark.number < last.number:
                what = "it is not as it was when it was written"
            faults.append(Fault(mark.number, what))
    return faults
