"""Attempts on a process of the host: what they report, and that they report nothing else."""

from __future__ import annotations

import os
from typing import Any

import pytest

from sandboxd.inside.escapes import host_process_environ, host_process_signal


def test_only_the_variable_that_was_laid_out_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {
        "/proc/7/environ": "HOME=/root\0BAIT_OLD=stale\0",
        "/proc/8/environ": "X=BAIT=no\0BAIT=secret\0",
    }
    monkeypatch.setattr(host_process_environ, "other_processes", lambda: [7, 8])
    monkeypatch.setattr(host_process_environ, "read_text", shown.__getitem__)
    assert host_process_environ.attempt({"environ": "BAIT"}) == {
        "token": "secret",
        "detail": "pid 8",
    }
    with pytest.raises(ProcessLookupError):
        host_process_environ.attempt({"environ": "OTHER"})


def test_a_process_that_is_seen_and_takes_no_signal_is_no_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []

    def refuse(pid: int, number: int) -> None:
        asked.append((pid, number))
        raise PermissionError

    def find(_facts: Any) -> tuple[int, str]:
        return 7, "secret"

    monkeypatch.setattr(host_process_signal._marker, "find", find)
    monkeypatch.setattr(os, "kill", refuse)
    with pytest.raises(PermissionError):
        host_process_signal.attempt({})
    assert asked == [(7, 0)]
