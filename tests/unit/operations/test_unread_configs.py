"""What is taken back counts where a config cannot be read, or waits for the next start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.errors import UsageError
from sandboxd.operations.egress.actions import act
from sandboxd.policy import trust
from sandboxd.policy.in_force import in_force
from sandboxd.project import rights as project_rights
from sandboxd.state import chosen_groups, given_rights
from tests.unit.operations.played_gateway import PlayedGateway
from tests.unit.operations.running_project import LISTED, Running, play

USE = '[credentials]\nuse = ["github"]\n'
BROKEN = "profile = "


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    return play(tmp_path, monkeypatch)


def test_a_file_whose_network_is_to_be_open_takes_its_credentials_away(running: Running) -> None:
    records.put(running.environ, Record(Name("github"), "file"))
    running.write(USE + LISTED, trusted=True)
    running.start()
    running.follow()
    assert running.pushed[-1].credentials
    running.write('[network]\nmode = "open"\n', trusted=True)
    running.follow()
    assert running.pushed[-1].credentials == () and running.lets_through("a.example.org")


def test_a_grant_that_is_revoked_ends_logins_while_the_config_cannot_be_read(
    running: Running,
) -> None:
    key = ("SHA256:abc", "github.com:22")
    records.put(running.environ, Record(Name("ssh"), records.SSH_AGENT, key))
    running.write('[credentials]\nuse = ["ssh"]\n' + LISTED, trusted=True)
    running.start()
    running.follow()
    sandbox = os.path.realpath(running.path)

    def logins() -> tuple[str, ...]:
        record = given_rights.recall(running.environ, sandbox)
        assert record is not None
        return record.logins

    assert set(logins()) == set(key)
    (running.path / "sandboxd.toml").write_text(BROKEN)
    running.follow()
    assert set(logins()) == set(key), "half a file ends nothing"
    trust.revoke(running.environ, sandbox)
    running.follow()
    assert logins() == ()


def test_a_grant_is_looked_up_by_the_record_of_what_was_given(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session's own record may not be readable any more."""
    running.write(LISTED, trusted=True)
    running.start()
    sandbox = os.path.realpath(running.path)
    given = given_rights.recall(running.environ, sandbox)
    assert given is not None

    def refuse(*_: object) -> None:
        raise UsageError("the session cannot be read", "")

    monkeypatch.setattr(project_rights, "recall", refuse)
    demands = in_force(running.environ)
    assert project_rights.is_granted_still(given, sandbox, running.environ, demands)
    trust.revoke(running.environ, sandbox)
    assert not project_rights.is_granted_still(given, sandbox, running.environ, demands)


@pytest.mark.parametrize("text", [BROKEN, 'profile = "dev"\n[network]\nmode = "open"\n'])
def test_a_name_is_denied_to_a_gateway_that_runs_whatever_the_file_says(
    running: Running, text: str
) -> None:
    running.write(LISTED, trusted=True)
    running.start()
    running.follow()
    (running.path / "sandboxd.toml").write_text(text)
    if text != BROKEN:
        running.write('[network]\nmode = "open"\n', trusted=True)
    workspace = os.path.realpath(running.path)
    gateway = PlayedGateway(workspace, running.environ)
    gateway.follow = running.follow  # type: ignore[assignment,method-assign]
    arguments = {"text": "a.example.org"}
    with pytest.raises(UsageError):
        act("deny", str(running.path), running.environ, arguments)
    assert running.lets_through("a.example.org"), "nothing runs there: nothing was kept"
    act("deny", str(running.path), running.environ, arguments, gateway.find)
    assert not running.lets_through("a.example.org")


def test_groups_that_may_not_be_looked_at_are_not_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"HOME": str(tmp_path)}
    assert chosen_groups.recall(environ, "/w") is None

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "lstat", refuse)
    assert chosen_groups.recall(environ, "/w") == ()
