"""A command that takes something back ends when no running sandbox has it any more, also without a daemon."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.agents import session
from sandboxd.audit import notes
from sandboxd.cli import main
from sandboxd.cli.commands import trust as trust_command
from sandboxd.cli.commands.credentials import remove
from sandboxd.cli.commands.egress import deny
from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.egress.approvals import Approval
from sandboxd.egress.policy import Policy
from sandboxd.engine import client
from sandboxd.engine.failures import EngineFailure
from sandboxd.errors import EXIT_NOT_HELD, EXIT_OK, EnvironmentFailure, UsageError
from sandboxd.folders import workspace_file
from sandboxd.life import find, lock
from sandboxd.life import gateway as gateways
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.operations import following, gateway
from sandboxd.operations.egress import serve
from sandboxd.operations.egress._target import name
from sandboxd.operations.request import Request
from sandboxd.policy import approvals, trust
from sandboxd.policy.gateway_rights import GatewayRights
from sandboxd.state import given_rights
from tests.patience import PATIENCE
from tests.unit.operations.running_project import LISTED, Running, play

OTHER = "unix:///other/docker.sock"
WITH_CREDENTIAL = '[credentials]\nuse = ["github"]\n' + LISTED


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    running = play(tmp_path, monkeypatch)
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in running.environ.items():
        monkeypatch.setenv(variable, value)
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


def test_a_credential_whose_removal_was_cut_short(running: Running) -> None:
    records.remove(running.environ, Name("github"))
    assert running.pushed[-1].credentials
    with pytest.raises(UsageError, match="there is no credential `github`"):
        remove.run(argparse.Namespace(name="github"))
    assert not running.pushed[-1].credentials


def test_what_is_revoked_for_a_project_is_revoked_for_the_sessions_of_its_agents(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = os.path.realpath(running.path)
    own = session.session(running.environ, workspace, "claude", "claude")
    session.write(running.environ, own, b'profile = "agent"\n')
    trust.add(running.environ, trust.Grant(own.folder, "0" * 64, "agent"))
    assert revoke(running) == EXIT_OK
    assert trust.grants(running.environ) == ()
    assert "nor what its agents' sessions ask for (`claude`)" in capsys.readouterr().err


def test_without_a_config_what_is_revoked_in_a_subfolder_is_revoked_for_the_session_above(
    running: Running,
) -> None:
    workspace = os.path.realpath(running.path)
    own = session.session(running.environ, workspace, "claude", "claude")
    session.write(running.environ, own, b'profile = "agent"\n')
    trust.revoke(running.environ, workspace)
    trust.add(running.environ, trust.Grant(own.folder, "0" * 64, "agent"))
    given = given_rights.GivenRights("c9", "", Policy())
    given_rights.keep(running.environ, sandbox_id(workspace, "claude"), given)
    given_rights.forget(running.environ, workspace)
    (running.path / "sandboxd.toml").unlink()
    running.path = running.path / "src"
    running.path.mkdir()
    revoke(running)
    assert trust.grants(running.environ) == ()


def test_a_gateway_that_does_not_take_it_is_said_with_what_to_do(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hangs(*_: object, **__: object) -> None:
        raise EnvironmentFailure("the gateway does not answer", "`sandboxd down`")

    monkeypatch.setattr(gateways, "push", hangs)
    assert revoke(running) == EXIT_NOT_HELD
    said = capsys.readouterr().err
    assert "may have more than it may have now: the gateway does not answer" in said
    assert "hint: `sandboxd down`" in said


@pytest.mark.parametrize("what", ["grant", "credential", "name"])
def test_that_a_sandbox_may_still_have_it_weighs_more_than_that_it_is_in_no_record(
    running: Running, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hangs(*_: object, **__: object) -> None:
        raise EnvironmentFailure("the gateway does not answer", "`sandboxd down`")

    monkeypatch.setattr(notes, "note", lambda *_, **__: "the disk is full")
    take_back = {
        "grant": lambda: revoke(running),
        "credential": lambda: remove.run(argparse.Namespace(name="github")),
        "name": lambda: deny_here(running, monkeypatch),
    }[what]
    with monkeypatch.context() as patch:
        patch.setattr(gateways, "push", hangs)
        assert take_back() == EXIT_NOT_HELD
    assert "the gateway does not answer" in capsys.readouterr().err


def deny_here(running: Running, monkeypatch: pytest.MonkeyPatch) -> int:
    denied = name("a.example.org")

    def refuse(*_: object, **__: object) -> None:
        # As the operation in which the gateway of this engine does not take what was kept.
        answer = Approval(denied, (), False, 0.0, "shell")
        approvals.add(running.environ, os.path.realpath(running.path), answer)
        raise EnvironmentFailure("it does not take it", "`sandboxd down`")

    monkeypatch.setattr("sandboxd.cli.commands.egress._asking.ask", refuse)
    project = str(running.path)
    words = {"host": "a.example.org", "undo": False, "on": None, "name": "", "project": project}
    return deny.run(argparse.Namespace(**words))


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
    engine: Any = SimpleNamespace(containers=lambda *_: [])
    call = threading.Thread(target=following.follow_all, args=(running.environ, lambda _: engine))
    call.start()
    assert is_followed.wait(PATIENCE)
    may_end.set()
    call.join()


def in_another_shell(running: Running, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Go on in a shell that uses an engine on which nothing runs; the engines that are asked for the sandbox."""
    asked: list[object] = []
    monkeypatch.setenv("DOCKER_HOST", OTHER)
    monkeypatch.setattr(client, "connect_from", lambda environ: environ.get("DOCKER_HOST"))

    def sandbox(engine: object, _sandbox: str) -> Any:
        asked.append(engine)
        return None if engine == OTHER else running.container_of()

    monkeypatch.setattr(gateway, "running_sandbox", sandbox)
    monkeypatch.setattr(find, "sandboxes_of", lambda engine, each: [])
    # What is played there is no engine that could be asked.
    monkeypatch.setattr(following, "forget_ended", lambda *_: False)
    return asked


def test_what_is_revoked_reaches_a_sandbox_on_another_engine(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = in_another_shell(running, monkeypatch)
    assert revoke(running) == EXIT_OK
    assert not running.pushed[-1].credentials and not running.lets_through("a.example.org")
    assert asked == ["unix:///var/run/docker.sock"]
    assert "on `unix:///var/run/docker.sock`: the sandbox that runs has" in normal(capsys)


def test_an_engine_that_hangs_keeps_no_other_from_it(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same sandbox: it runs on both."""
    in_another_shell(running, monkeypatch)
    sandbox = os.path.realpath(running.path)
    given = given_rights.recall(running.environ, sandbox)
    assert given is not None
    there = {**running.environ, "DOCKER_HOST": OTHER}
    given_rights.keep(there, sandbox, given._replace(container="c2"))
    hangs, is_pushed = threading.Event(), threading.Event()

    def look(engine: object, _sandbox: str) -> Any:
        if engine == OTHER:
            hangs.set()
            assert is_pushed.wait(PATIENCE), "the one that answers waits for the one that hangs"
            return None
        assert hangs.wait(PATIENCE)
        return running.container_of()

    def push(_engine: object, _workspace: str, rights: GatewayRights, **_options: Any) -> None:
        running.pushed.append(rights.policy)
        is_pushed.set()

    monkeypatch.setattr(gateway, "running_sandbox", look)
    monkeypatch.setattr(gateways, "push", push)
    monkeypatch.setattr(following, "_LONGEST_SECONDS", PATIENCE)
    monkeypatch.setattr(lock, "_RIGHTS_SECONDS", PATIENCE)
    assert revoke(running) == EXIT_OK
    assert is_pushed.is_set() and not running.lets_through("a.example.org")


def test_another_engine_that_does_not_answer_is_said_with_what_is_still_there(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_another_shell(running, monkeypatch)

    def refuses(*_: object) -> None:
        raise EnvironmentFailure("no engine answers", "start it")

    monkeypatch.setattr(gateway, "running_sandbox", refuses)
    assert revoke(running) == EXIT_NOT_HELD
    said = normal(capsys)
    workspace = os.path.realpath(running.path)
    assert f"{workspace} on `unix:///var/run/docker.sock`: the sandbox may have more" in said
    assert "it was last given `github" in said, said
    assert "hint: start it; then `DOCKER_HOST=unix:///var/run/docker.sock sandboxd status`" in said
    assert "if that engine is gone for good, `sandboxd prune --engine-gone unix:///" in said


def test_an_engine_that_is_gone_for_good_is_said_once_and_not_waited_for_since(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_another_shell(running, monkeypatch)
    is_there = [False]

    def connect(_environ: object) -> Any:
        if not is_there[0]:
            raise EngineFailure("no engine answers", "start it")
        return SimpleNamespace(containers=lambda *_: [])

    monkeypatch.setattr(client, "connect_from", connect)
    assert revoke(running) == EXIT_NOT_HELD
    (command,) = re.findall(r"gone for good, `sandboxd (.+?)`", capsys.readouterr().err)
    assert main.run(shlex.split(command)) == EXIT_OK
    assert "what it was given there is not waited for any more" in capsys.readouterr().err
    running.write(WITH_CREDENTIAL, trusted=True)
    assert revoke(running) == EXIT_OK
    # It was not gone: who uses it again takes back what it still has.
    is_there[0] = True
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setattr(gateway, "running_sandbox", lambda *_: running.container_of())
    workspace = os.path.realpath(running.path)
    assert following.follow_one(workspace, os.environ, lambda: connect(None)).is_followed
    assert not running.lets_through("a.example.org")
    (record,) = given_rights.entries(running.environ)
    assert not record.is_gone, "and it is waited for again"


def test_a_record_of_a_container_that_is_gone_is_forgotten(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gateway, "running_sandbox", lambda *_: None)
    engine = SimpleNamespace(containers=lambda *_: [running.container_of()])
    monkeypatch.setattr(client, "connect_from", lambda _: engine)
    assert revoke(running) == EXIT_OK
    assert given_rights.entries(running.environ), "it is stopped, and may be started again"
    engine.containers = lambda *_: []
    running.write(WITH_CREDENTIAL, trusted=True)
    assert revoke(running) == EXIT_OK
    assert "its container `c1` is there no more" in capsys.readouterr().err
    assert given_rights.entries(running.environ) == ()


def normal(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on stderr, where any socket's address is the one of its links."""
    default = f"unix://{os.path.realpath('/var/run/docker.sock')}"
    return capsys.readouterr().err.replace(default, "unix:///var/run/docker.sock")


@pytest.mark.parametrize("is_there", [True, False])
def test_an_old_record_does_not_say_on_which_engine(
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_there: bool,
) -> None:
    (record,) = given_rights.entries(running.environ)
    content = json.loads(Path(record.path).read_text())
    del content["engine"]
    old = workspace_file(os.path.dirname(record.path), record.sandbox, ".json")
    os.unlink(record.path)
    Path(old).write_text(json.dumps(content))
    in_another_shell(running, monkeypatch)
    if is_there:
        # It ended there: a stopped container has nothing.
        monkeypatch.setattr(find, "sandboxes_of", lambda *_: [running.container_of()])
    assert revoke(running) == (EXIT_OK if is_there else EXIT_NOT_HELD)
    said = capsys.readouterr().err
    assert ("its container `c1` is not on this engine" in said) != is_there


def test_a_denial_reaches_a_sandbox_on_another_engine(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_another_shell(running, monkeypatch)
    approval = Approval(name("a.example.org"), (), False, 1.0, "shell")
    approvals.add(running.environ, os.path.realpath(running.path), approval)
    answer = {
        "name": "a.example.org",
        "taken_back": 0,
        "is_live": False,
        "unasked": "",
        "problem": "",
    }
    answer["workspace"] = os.path.realpath(running.path)
    monkeypatch.setattr("sandboxd.cli.commands.egress._asking.ask", lambda *_, **__: answer)
    arguments = argparse.Namespace(host="a.example.org", undo=False, on=None, name="", project=".")
    assert deny.run(arguments) == EXIT_OK
    assert not running.lets_through("a.example.org")


def test_where_nothing_was_given_no_engine_is_asked(tmp_path: Path) -> None:
    def connect(*_: object) -> Any:
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
