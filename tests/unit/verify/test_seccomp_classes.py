"""Each class of calls is shown by an attempt that there is, and by what came of it."""

from __future__ import annotations

import pytest

from sandboxd.verify import attempts
from sandboxd.verify.seccomp_classes import CLASSES, classes
from sandboxd.verify.verdict import Result, Verdict


def test_each_class_has_an_attempt_of_its_own() -> None:
    known = {attempt.id for attempt in attempts.load()}
    assert set(CLASSES.values()) <= known
    assert len(set(CLASSES.values())) == len(CLASSES)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("held", "in force"),
        ("escaped", "not in force"),
        ("residual", "open"),
        ("not-applicable", "not seen"),
        ("inconclusive", "not seen"),
    ],
)
def test_the_state_is_the_attempt_s_outcome(outcome: str, state: str) -> None:
    result = Result("ptrace", "x", outcome, "", "why")  # type: ignore[arg-type]
    (control,) = classes(Verdict("c", "runc", "host", "dev", (result,)))
    assert control == ("system calls: tracing", state, "ptrace: why")
