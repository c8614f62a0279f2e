"""One check for many small cases in one test: a test of its own for each would cost more than the check."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def check_each(cases: Iterable[T], check: Callable[[T], None], name: Callable[[T], str]) -> None:
    """Call `check` with every case, also after one that fails.

    :raises ExceptionGroup: with the failure of each case that failed, and the case's name as a note
    """
    failures: list[Exception] = []
    for case in cases:
        try:
            check(case)
        except Exception as error:
            error.add_note(f"in the case: {name(case)}")
            failures.append(error)
    if failures:
        raise ExceptionGroup(f"{len(failures)} cases failed", failures)
