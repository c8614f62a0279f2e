"""A limit that this host cannot have, and that `up` named, is open on purpose; one that is missing by itself is not."""

from __future__ import annotations

import pytest

from sandboxd.backends.docker.in_replica import with_losses
from sandboxd.verify import attempts
from sandboxd.verify.judge import Host, Judgement, judge

HOST = Host(frozenset(), "b", {})


def judged(attempt_id: str, losses: dict[str, str]) -> Judgement:
    (attempt,) = [each for each in attempts.load() if each.id == attempt_id]
    record = {"state": "done", "detail": "nothing bounds it"}
    return judge(with_losses(attempt, losses, "dev"), record, {"boot_id": "b"}, HOST, "dev", ())


@pytest.mark.parametrize("attempt", ["memory-limit", "process-limit"])
def test_a_limit_that_up_named_as_lost_is_residual(attempt: str) -> None:
    why = "a rootless engine on cgroup version 1 enforces none"
    assert judged(attempt, {}).outcome == "escaped"
    assert judged(attempt, {"cpu limit": why}).outcome == "escaped"
    for lost in (attempt.replace("-", " "), "limits"):
        result = judged(attempt, {lost: why})
        assert result.outcome == "residual"
        assert f"{why}, as `up` names it" in result.evidence


def test_no_other_attempt_is_excused_by_a_loss() -> None:
    about = {each.id for each in attempts.load() if each.controls}
    assert about == {"memory-limit", "process-limit"}
