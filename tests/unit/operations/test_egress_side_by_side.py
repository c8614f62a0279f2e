"""An answer about a name is of all sandboxes of a project, and each of them keeps the names of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from sandboxd.agents import session
from sandboxd.egress.policy import decide
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.operations.egress import gateways
from sandboxd.operations.egress.actions import act
from sandboxd.plan.granting import wanted
from sandboxd.policy import floor, trust
from sandboxd.project import Project
from tests.unit.operations.test_egress import PlayedGateway

OWN = 'profile = "agent"\n[network]\nallow = ["models.example.org"]\n'


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    folders = {"HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state"}
    return {name: str(tmp_path / folder) for name, folder in folders.items()}


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
    played = {name: PlayedGateway(workspace) for name in ("", "claude")}

    class Request:
        engine: Any = None
        name = ""

        def __init__(self) -> None:
            self.environ = environ

        def find_gateway(self, sandbox: str) -> PlayedGateway | None:
            found = {sandbox_id(workspace, name): gateway for name, gateway in played.items()}
            return found.get(sandbox)

    from sandboxd.life import find

    monkeypatch.setattr(find, "names_beside", lambda *_: ["claude"])
    request: Any = Request()
    arguments = {"text": "files.example.org"}
    act("allow", workspace, environ, arguments, lambda where: gateways.gateways_of(request, where))
    for name, may in (("", False), ("claude", True)):
        policy = played[name].pushed[-1]
        assert decide(policy, "files.example.org", 443, time.time()).allowed
        assert decide(policy, "models.example.org", 443, time.time()).allowed is may
    # What `check` and `log` say of a sandbox is by the names of its own.
    for name, may in (("", False), ("claude", True)):
        asked = {"text": "models.example.org"}
        checked = act("check", workspace, environ, asked, lambda _: None, name)
        assert checked["allowed"] is may
        played[name].tell(name="models.example.org")
        (row,) = act("log", workspace, environ, {}, lambda _, of=name: played[of], name)["rows"]
        assert bool(row["command"]) is not may
