"""How work grows with a text: counted in lines of Python that run, so that no clock matters."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_run(work: Callable[[], object]) -> int:
    """Lines of Python that run during `work`."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def growth(
    parse: Callable[[str], object], text: str | Callable[[int], str], pieces: int = 300
) -> float:
    """How many times the work of one text its double takes: 2 where it is in proportion.

    :param text: what is repeated, or the text of so many pieces
    """
    once = lines_run(lambda: parse(repeated(text, pieces)))
    twice = lines_run(lambda: parse(repeated(text, 2 * pieces)))
    return twice / once


def repeated(text: str | Callable[[int], str], pieces: int) -> str:
    """The text of so many pieces."""
    return text * pieces if isinstance(text, str) else text(pieces)
