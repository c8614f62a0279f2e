"""Reads the commands and screens out of a page, and compares screens with what really happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

PLAYED = (
    "README.md",
    "docs/start-editing.md",
    "docs/start-agents.md",
    "docs/start-security.md",
    "docs/in-ci.md",
)
"""The pages whose `console` blocks are run in order on a live engine."""

_FENCE = re.compile(
    r"(?:^<!-- not run: (?P<why>.+?) -->\n)?^ *```(?P<kind>\w+)(?: no-run: (?P<inline>[^\n]+))?\n(?P<body>.*?)^ *```$",
    re.M | re.S,
)
_WHOLE_PAGE = re.compile(r"^<!-- not run on this page: (?P<why>.+?) -->$", re.M)


class Block(NamedTuple):
    """A fenced block; `not_run` is the reason in the comment above it, or ''."""

    kind: str
    body: str
    not_run: str


class Screen(NamedTuple):
    """A command line and the output that the page shows for it."""

    command: str
    output: tuple[str, ...]


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page; a reason may stand for the whole page."""
    text = (ROOT / page).read_text()
    whole = _WHOLE_PAGE.search(text)
    why = whole["why"] if whole else ""
    return [
        Block(hit["kind"], hit["body"], hit["why"] or hit["inline"] or why)
        for hit in _FENCE.finditer(text)
    ]


def screens(body: str) -> list[Screen]:
    """The `$ command` lines of a console block, each with its output."""
    results: list[Screen] = []
    for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
        command, *output = part.rstrip("\n").split("\n")
        results.append(Screen(command, tuple(output)))
    return results


def differences(shown: tuple[str, ...], real: str) -> list[str]:
    """Shown lines that do not occur in `real` in this order.

    A line `...` stands for any lines, a number for any number: times, counts and versions are
    those of one machine. Neighbours on the page are neighbours in reality.
    """
    lines = [line.rstrip() for line in real.split("\n")]
    at, free = 0, True
    for text in shown:
        if text == "...":
            free = True
            continue
        last = len(lines) if free else at + 1
        hit = next((n for n in range(at, min(last, len(lines))) if _same(text, lines[n])), -1)
        if hit < 0:
            return [text]
        at, free = hit + 1, False
    return []


def _same(shown: str, real: str) -> bool:
    return re.sub(r"\d+", "0", shown) == re.sub(r"\d+", "0", real)
