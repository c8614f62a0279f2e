"""What a gateway's log says counts only where all of it can be read."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sandboxd.backends.kubernetes import attack, surroundings
from sandboxd.backends.kubernetes.surroundings import Gateway
from sandboxd.backends.kubernetes.target import Target

GATEWAY = Gateway("10.96.0.7", "shop-gateway-1", "")
ALL = [
    {"event": "denied", "name": "x", "door": door, "reason": "no-rule"}
    for door in ("dns", "http", "socks")
]


class Logs:
    """The target of a cluster, whose gateway's log says each of `answers` in turn, and the last from then on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[Any] | None) -> None:
        self.answers, self.cluster, self.reads = list(answers), self, 0
        monkeypatch.setattr(surroundings, "gateway_events", self.read)
        monkeypatch.setattr(attack, "_LOG_SECONDS", 0)

    def read(self, *_: object) -> list[Any] | None:
        self.reads += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def logged(self, gateway: Gateway | None = GATEWAY) -> attack.in_pod.Logged:
        return attack._of_log(cast("Target", self), gateway, "x")


def test_a_log_that_is_whole_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = Logs(monkeypatch, [], ALL)
    logged = logs.logged()
    assert logged.recorded == attack.DENIED_DOORS.keys() and not logged.problem
    assert logs.reads == 2


def test_a_log_that_was_cut_is_read_again_and_at_last_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not Logs(monkeypatch, [*ALL, None], ALL).logged().problem
    assert Logs(monkeypatch, [*ALL, None]).logged().problem.endswith("cannot be read")


def test_a_log_that_cannot_be_read_says_so_with_what_was_read_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logged = Logs(monkeypatch, ALL[:1], None).logged()
    assert logged.recorded == {"dns-denied-name"}
    assert logged.problem == "the gateway's log cannot be read"
    assert not Logs(monkeypatch, ALL).logged(None).recorded
