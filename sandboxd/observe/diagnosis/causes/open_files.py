"""The limit of open files, which the engine sets for every container."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

_WORDS = re.compile(r"Too many open files|\bEMFILE\b")


def find(failure: Failure, _sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where a process has as many files open as it may."""
    if find_line(failure, _WORDS) is not None:
        because = "the engine limits how many files a process has open: `ulimit -n` inside says it"
        yield Answer("", because, "the engine", is_certain=True)
