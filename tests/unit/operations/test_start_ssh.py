"""A start gives SSH keys to its own container, and takes back those of a start before where it gives none."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.operations import start
from sandboxd.operations.keeping import Keeping
from sandboxd.operations.start_options import StartOptions

GIVEN = list[tuple[str, str, object]]


def resolve(
    folder: Path, monkeypatch: pytest.MonkeyPatch, outcome: SandboxdError | object
) -> GIVEN:
    """What a start tells the daemon about keys before anything runs; `outcome` is what it may have, or its refusal."""
    given: GIVEN = []

    def keep(sandbox: str, container: str, choice: object) -> bool:
        given.append((sandbox, container, choice))
        return True

    def planned(*_: object) -> tuple[Any, Any, Any]:
        if isinstance(outcome, SandboxdError):
            raise outcome
        return SimpleNamespace(sandbox="its identity"), None, None

    monkeypatch.setattr(start, "_planned", planned)
    monkeypatch.setattr(start._credentials, "resolve", lambda *_: outcome)
    keeping = Keeping(keep_ssh=keep)
    try:
        start._resolved(str(folder), {}, StartOptions(), None, keeping)
    except SandboxdError as error:
        assert error is outcome
    return given


def test_a_start_that_a_policy_refuses_takes_keys_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = UsageError("the policy does not allow it")
    sandbox = os.path.realpath(tmp_path)
    assert resolve(tmp_path, monkeypatch, refused) == [(sandbox, "", None)]


def test_an_engine_that_does_not_answer_takes_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolve(tmp_path, monkeypatch, EnvironmentFailure("no engine")) == []


@pytest.mark.parametrize("resolved", [None, SimpleNamespace(ssh=None)])
def test_a_start_without_keys_takes_those_of_before_back_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resolved: object
) -> None:
    assert resolve(tmp_path, monkeypatch, resolved) == [("its identity", "", None)]


def test_keys_are_given_only_once_the_container_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolve(tmp_path, monkeypatch, SimpleNamespace(ssh=object())) == []
