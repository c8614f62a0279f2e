"""What `sandboxd egress check` and `list` say of a host that the gateway reaches with a credential."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.credentials import records
from sandboxd.policy import trust
from sandboxd.project import Project as Opened
from tests.unit.operations.test_egress import Project

HOST = "api.anthropic.com"
CONFIG = 'profile = "dev"\n\n[network]\nmode = "allow"\n\n[credentials]\nuse = ["anthropic"]\n'
REQUESTS = "GET, HEAD, POST; /v1/messages, /v1/models, /v1/complete"


def trusted(folder: Path, config: str = CONFIG) -> Project:
    project = Project(folder)
    project.config.write_text(config)
    opened = Opened.open(str(project.path), project.environ)
    trust.add(project.environ, trust.Grant(opened.workspace, opened.config.digest, "dev"))
    for name in opened.config.credentials.names():
        records.put(project.environ, records.Record(name, "file"))
    return project


def test_without_a_record_of_it_nothing_is_reached_with_it(tmp_path: Path) -> None:
    project = trusted(tmp_path)
    (name,) = Opened.open(str(project.path), project.environ).config.credentials.names()
    records.remove(project.environ, name)
    assert project.act("list")["credentials"] == []
    assert not project.act("check", text=HOST)["credential"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return trusted(tmp_path)


def row(project: Project) -> Any:
    (found,) = project.act("list")["credentials"]
    return found


@pytest.mark.parametrize("text", [HOST, "API.Anthropic.com:443"])
def test_it_is_reached_with_the_credential_and_nothing_else(project: Project, text: str) -> None:
    checked = project.act("check", text=text)
    assert (checked["allowed"], checked["reason"]) == (False, "no-rule")
    assert (checked["credential"], checked["command"]) == ("anthropic", "")
    assert checked["words"] == (
        "no rule names it; the gateway reaches it with the credential `anthropic` "
        f"({REQUESTS}), and nothing else does"
    )
    assert row(project) == {
        "name": HOST,
        "port": 443,
        "credential": "anthropic",
        "requests": REQUESTS,
        "reason": "no-rule",
    }


@pytest.mark.parametrize("text", [f"{HOST}:80", "www.anthropic.com", "192.0.2.1"])
def test_another_port_or_host_is_as_without_it(project: Project, text: str) -> None:
    checked = project.act("check", text=text)
    assert (checked["allowed"], checked["credential"]) == (False, "")
    assert "credential" not in checked["words"]


def test_a_host_that_a_rule_allows_is_reached_without_it_too(project: Project) -> None:
    project.act("allow", text=HOST)
    checked = project.act("check", text=HOST)
    assert (checked["allowed"], checked["credential"]) == (True, "")
    assert row(project)["reason"] == "allowed"


def test_a_denial_is_of_the_credential_too(project: Project) -> None:
    project.act("deny", text=HOST)
    checked = project.act("check", text=HOST)
    assert (checked["reason"], checked["credential"], checked["command"]) == ("denied", "", "")
    assert row(project)["reason"] == "denied"


def test_a_credential_that_nobody_trusted_reaches_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.config.write_text(CONFIG)
    assert project.act("list")["credentials"] == []
    checked = project.act("check", text=HOST)
    assert (checked["credential"], checked["command"]) == ("", f"sandboxd egress allow {HOST}")


def test_the_account_is_named(tmp_path: Path) -> None:
    project = trusted(tmp_path, CONFIG.replace("anthropic", "github:work"))
    assert project.act("check", text="api.github.com")["credential"] == "github:work"
    names = [each["name"] for each in project.act("list")["credentials"]]
    assert names == ["github.com", "api.github.com"]
