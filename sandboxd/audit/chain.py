"""Whether the audit record is whole: each line names the one before it, the head names the last. Pure.

It shows what was cut, changed or lost. Whoever may write as this user can write the whole record anew; only a
copy elsewhere shows that (`sandboxd audit --journald`, `--otlp`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sandboxd.audit.entry import FIRST, Entry, digest, read


class Head(NamedTuple):
    """The last entry that was written."""

    number: int
    digest: str


class File(NamedTuple):
    """One file of the record. `first` is the number of its first entry, taken from the file's name."""

    first: int
    content: bytes


class Fault(NamedTuple):
    """A place where the record was changed or lost something."""

    number: int
    """The entry at or after which it is."""
    what: str


class Reading(NamedTuple):
    """The entries that could be read, and the faults of the chain."""

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    rotated: int
    """The number of entries at the beginning that were removed to keep the record small."""


def check(files: Sequence[File], head: Head | None) -> Reading:
    """Read the record and check its chain.

    :param files: the oldest first
    :param head: None where its file is missing
    """
    entries: list[Entry] = []
    faults: list[Fault] = []
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
            entries.append(entry)
            last, is_begin = Head(entry.number, digest(text)), False
    rotated = files[0].first - 1 if files else 0
    faults += _end(last, head, {entry.number: entry for entry in entries})
    return Reading(tuple(entries), tuple(faults), rotated)


def _breaks(entry: Entry, last: Head | None, first: int | None) -> list[Fault]:
    """The faults between an entry and the one before it; [] for none.

    :param first: the number that the entry must have if it is the first of the record
    """
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


def _end(last: Head | None, head: Head | None, entries: dict[int, Entry]) -> list[Fault]:
    """The faults at the end of the record; [] for none.

    A process that was killed between writing an entry and its head leaves a head that is one behind.
    """
    if head is None:
        return [Fault(last.number, "the file that names the last entry is missing")] if last else []
    if last is None:
        return [Fault(0, f"all entries up to {head.number} are missing")]
    if last == head:
        return []
    if last.number == head.number + 1 and entries[last.number].before == head.digest:
        return []
    if last.number < head.number:
        return [Fault(last.number, f"the entries after it up to {head.number} are missing")]
    return [Fault(last.number, "the last entry is not the one that was written last")]
