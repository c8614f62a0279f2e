"""A repository of small files that act on the host, each mark of them with the rule that finds it there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).parent / "data" / "configs-that-act.txt"
_MARK = re.compile(r"«([a-z-]+):(.*?)»", re.DOTALL)


class Mark(NamedTuple):
    """A place that a rule marks; line and columns are counted from 0, in code points."""

    path: str
    rule: str
    line: int
    start: int
    end: int


def read(canary: str) -> tuple[dict[str, str], list[Mark]]:
    """The files by their paths, and all marks; what acts makes a file at `canary`."""
    parts = re.split(r"^== (.*)\n", _FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    files: dict[str, str] = {}
    marks: list[Mark] = []
    for path, marked in zip(parts[::2], parts[1::2], strict=True):
        text, position = "", 0
        marked = marked.replace("CANARY", canary)
        for match in _MARK.finditer(marked):
            text += marked[position : match.start()]
            line, column = text.count("\n"), len(text) - text.rfind("\n") - 1
            text += match[2]
            marks.append(Mark(path, match[1], line, column, column + len(match[2])))
            position = match.end()
        files[path] = text + marked[position:]
    return files, marks


def write(root: Path, canary: str) -> list[Mark]:
    """Put the repository into `root`, and return all marks."""
    files, marks = read(canary)
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return marks
