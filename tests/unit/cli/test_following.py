"""A command that takes something back ends when no running sandbox has it any more, also without a daemon."""

from __future__ import annotations

import argparse
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from sandboxd.cli.commands import trust as trust_command
from sandboxd.cli.commands.credentials import remove
from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.engine import client
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK, EnvironmentFailure
from sandboxd.host import given_rights
from sandboxd.life import gateway as gateways
from sandboxd.operations import following, gateway
from sandboxd.operations.egress import serve
from sandboxd.operations.request import Request
from tests.patience import PATIENCE
from tests.unit.operations.running_project import LISTED, Running, play

WITH_CREDENTIAL = '[credentials]\nuse = ["github"]\n' + LISTED


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    running = play(tmp_path, monkeypatch)
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in running.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(client, "connect_from", lambda _environ: None)
    records.put(running.environ, Record(Name("github"), "environment", ("TOKEN",)))
    running.write(WITH_CREDENTIAL, trusted=True)
    running.start()
    assert running.pushed[-1].credentials and running.lets_through("a.example.org")
    return running


def revoke(running: Running) -> int:
    words = {"action": "revoke", "path": str(running.path), "json": False, "expect": None}
    return trust_command.run(argparse.Namespace(**words, yes=False))


def test_a_grant_that_is_revoked(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    assert revoke(running) == EXIT_OK
    assert not running.pushed[-1].credentials and not running.lets_through("a.example.org")
    workspace = os.path.realpath(running.path)
    assert f"{workspace}: the sandbox that runs has what it may have now" in capsys.readouterr().err


def test_a_credential_that_is_removed(running: Running) -> None:
    assert remove.run(argparse.Namespace(name="github")) == EXIT_OK
    assert not running.pushed[-1].credentials and running.lets_through("a.example.org")


def test_a_gateway_that_does_not_take_it_is_said_with_what_to_do(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hangs(*_: object, **__: object) -> None:
        raise EnvironmentFailure("the gateway does not answer", "`sandboxd down`")

    monkeypatch.setattr(gateways, "push", hangs)
    assert revoke(running) == EXIT_ENVIRONMENT
    said = capsys.readouterr().err
    assert "may have more than it may have now: the gateway does not answer" in said
    assert "hint: `sandboxd down`" in said


def test_a_sandbox_that_hangs_keeps_no_other_from_it(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, other = "/a/project/that/hangs", os.path.realpath(running.path)
    given = given_rights.recall(running.environ, other)
    assert given is not None
    given_rights.keep(running.environ, hangs, given)
    is_followed, may_end = threading.Event(), threading.Event()

    def follow(_engine: object, sandbox: str, _environ: object) -> None:
        if sandbox == other:
            is_followed.set()
        else:
            may_end.wait(PATIENCE)

    monkeypatch.setattr(gateway, "follow", follow)
    engine: Any = None
    call = threading.Thread(target=lambda: following.follow_all(running.environ, lambda: engine))
    call.start()
    assert is_followed.wait(PATIENCE)
    may_end.set()
    call.join()


def test_where_nothing_was_given_no_engine_is_asked(tmp_path: Path) -> None:
    def connect() -> Any:
        raise AssertionError("it was asked")

    assert following.follow_all({"HOME": str(tmp_path)}, connect) == ()
    assert not following.follow_one("/w", {"HOME": str(tmp_path)}, connect).is_followed


def test_who_looks_at_names_sees_an_edit_of_the_policy_in_force(running: Running) -> None:
    folder = Path(running.environ["XDG_CONFIG_HOME"]) / "sandboxd"
    (folder / "policy.toml").write_text('network_deny = ["a.example.org"]\n')
    request = Request(
        str(running.path),
        running.environ,
        {"action": "list", "arguments": {}},
        lambda: None,  # type: ignore[arg-type,return-value]
    )
    serve(request)
    assert not running.lets_through("a.example.org")
