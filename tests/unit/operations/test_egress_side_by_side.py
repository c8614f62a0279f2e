"""An answer about a name is of all sandboxes of a project, and each of them keeps the names of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from sandboxd.agents import session
from sandboxd.egress.ledger import Ledger
from sandboxd.egress.policy import decide
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import find
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.operations.egress import serve
from sandboxd.operations.egress.actions import act
from sandboxd.operations.keeping import NOTHING_KEPT
from sandboxd.plan.granting import wanted
from sandboxd.policy import floor, trust
from sandboxd.project import Project
from tests.unit.operations.played_gateway import PlayedGateway

OWN = 'profile = "agent"\n[network]\nallow = ["models.example.org"]\n'


class Request:
    """What a command brings: the gateways that run, by the name of their sandbox."""

    engine: Any = None
    keeping = NOTHING_KEPT

    def __init__(
        self, workspace: str, environ: dict[str, str], played: dict[str, PlayedGateway], name: str
    ) -> None:
        self.environ = environ
        self.directory = workspace
        self.name = name
        self._found = {sandbox_id(workspace, name): gateway for name, gateway in played.items()}
        self._options: dict[str, Any] = {}

    def asks(self, action: str, **arguments: Any) -> Any:
        self._options = {"action": action, "arguments": arguments}
        return self

    def text(self, name: str) -> str:
        return str(self._options[name])

    def values(self, name: str) -> Any:
        return self._options[name]

    def find_gateway(self, sandbox: str) -> PlayedGateway | None:
        return self._found.get(sandbox)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    folders = {"HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state"}
    return {name: str(tmp_path / folder) for name, folder in folders.items()}


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    """A project without a name that is let through."""
    project = tmp_path / "app"
    project.mkdir()
    (project / "sandboxd.toml").write_text('profile = "dev"\n[network]\nallow = []\n')
    return os.path.realpath(project)


def test_an_agents_session_keeps_its_names(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "app"
    project.mkdir()
    (project / "sandboxd.toml").write_text('profile = "dev"\n[network]\nmode = "allow"\n')
    workspace = os.path.realpath(project)
    own = session.session(environ, workspace, "claude", "claude")
    session.write(environ, own, OWN.encode())
    opened = Project.open(workspace, environ, "claude")
    demands = floor.load(environ)
    for grant in wanted(opened.grantee, opened.config, opened.profile, None, demands).grants:
        trust.add(environ, grant)
    played = {name: PlayedGateway(workspace, environ, name) for name in ("", "claude")}

    monkeypatch.setattr(find, "names_beside", lambda *_: ["claude"])
    serve(Request(workspace, environ, played, "").asks("allow", text="files.example.org"))
    for name, may in (("", False), ("claude", True)):
        policy = played[name].pushed[-1]
        assert decide(policy, "files.example.org", 443, time.time()).allowed
        assert decide(policy, "models.example.org", 443, time.time()).allowed is may
    # What `check` and `log` say of a sandbox is by the names of its own.
    for name, may in (("", False), ("claude", True)):
        asked = {"text": "models.example.org"}
        listed = act("list", workspace, environ, {}, lambda _: None, name)["rows"]
        assert ("models.example.org" in [row["name"] for row in listed]) is may
        checked = act("check", workspace, environ, asked, lambda _: None, name)
        assert checked["allowed"] is may
        played[name].tell(name="models.example.org")
        (row,) = act("log", workspace, environ, {}, lambda _, of=name: played[of], name)["rows"]
        assert bool(row["command"]) is not may


@pytest.mark.parametrize(("runs", "named"), [("claude", ""), ("", "claude"), ("claude", "two")])
def test_an_answer_reaches_a_sandbox_of_another_name(
    workspace: str,
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    runs: str,
    named: str,
) -> None:
    """Whoever denies a name means every sandbox of the project, also where only an agent's session runs."""
    gateway = PlayedGateway(workspace, environ, runs)
    monkeypatch.setattr(find, "names_beside", lambda *_: [runs] if runs else [])
    request = Request(workspace, environ, {runs: gateway}, named)
    assert serve(request.asks("allow", text="files.example.org"))["sandboxes"] == [runs]
    assert gateway.lets_through("files.example.org")
    assert serve(request.asks("deny", text="files.example.org"))["sandboxes"] == [runs]
    assert not gateway.lets_through("files.example.org")
    # Its record is not that of another sandbox.
    assert not serve(request.asks("log"))["is_running"]


@pytest.mark.parametrize(("used_in", "named"), [("claude", ""), ("", "claude"), ("", "")])
def test_once_is_once_for_all_sandboxes_where_no_daemon_listens(
    workspace: str,
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    used_in: str,
    named: str,
) -> None:
    monkeypatch.setattr(find, "names_beside", lambda *_: ["claude"])
    played = {name: PlayedGateway(workspace, environ, name) for name in ("", "claude")}
    request = Request(workspace, environ, played, named)
    serve(request.asks("allow", text="files.example.org", once=True))
    assert all(gateway.lets_through("files.example.org") for gateway in played.values())
    (once,) = {rule.once for rule in played[""].pushed[-1].rules if rule.once}
    played[used_in].tell(event="used", name="files.example.org", once=once)
    serve(request.asks("deny", text="else.example.org"))
    assert not any(gateway.lets_through("files.example.org") for gateway in played.values())


def test_a_denial_reaches_every_gateway_though_one_tells_nothing_and_one_takes_nothing(
    workspace: str, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(PlayedGateway):
        def ledger(self) -> Ledger:
            raise EnvironmentFailure("the gateway does not tell what it did", "`sandboxd down`")

    monkeypatch.setattr(find, "names_beside", lambda *_: ["claude", "two"])
    played = {
        "": PlayedGateway(workspace, environ),
        "claude": Silent(workspace, environ, "claude"),
        "two": PlayedGateway(workspace, environ, "two"),
    }
    request = Request(workspace, environ, played, "")
    assert serve(request.asks("allow", text="files.example.org"))["is_live"]
    played[""].refuses = True
    with pytest.raises(EnvironmentFailure, match="does not take it"):
        serve(request.asks("deny", text="files.example.org"))
    assert not played["claude"].lets_through("files.example.org")
    assert not played["two"].lets_through("files.example.org")
    request = Request(workspace, environ, {"claude": played["claude"]}, "claude")
    monkeypatch.setattr(find, "names_beside", lambda *_: ["claude"])
    monkeypatch.setattr(played["claude"], "pushed", [])
    assert serve(request.asks("deny", text="more.example.org"))["is_live"]
    assert played["claude"].pushed


def test_an_answer_reaches_the_gateway_that_is_meant_though_another_cannot_be_asked(
    workspace: str, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unasked(PlayedGateway):
        def ledger(self) -> Ledger:
            raise EnvironmentFailure("the gateway does not answer", "`sandboxd up`")

    monkeypatch.setattr(find, "names_beside", lambda *_: ["claude"])
    played = {
        "": PlayedGateway(workspace, environ),
        "claude": Unasked(workspace, environ, "claude"),
    }
    request = Request(workspace, environ, played, "")
    given = serve(request.asks("allow", text="files.example.org"))
    assert given["is_live"] and sorted(given["sandboxes"]) == ["", "claude"]
    assert all(gateway.lets_through("files.example.org") for gateway in played.values())


def test_a_log_of_a_sandbox_that_does_not_run_names_those_that_do(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "names_beside", lambda *_: ["claude"])
    played = {"claude": PlayedGateway(str(tmp_path), environ)}
    assert serve(Request(str(tmp_path), environ, played, "").asks("log"))["beside"] == ["claude"]
