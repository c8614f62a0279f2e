"""Mirrors that this user's settings name: proposed where the project uses their package manager, never with a login."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.project_hosts import NO_HOSTS, Mention, Mirror, ProjectHosts
from sandboxd.project.mirrors import mirrors
from sandboxd.render.screens.plan import lines
from tests.unit.plan.examples import plan as plan_of
from tests.unit.plan.examples import workspace

SECRET = "tok3n-of-the-mirror"
FILES = {
    ".config/pip/pip.conf": f"[global]\nindex-url = https://me:{SECRET}@pypi.corp.example/{SECRET}/simple\n"
    "extra-index-url = https://more.corp.example/simple\n# index-url = https://old.corp.example/simple\n",
    ".config/uv/uv.toml": '[[index]]\nurl = "https://uv.corp.example:8443/simple"\n',
    ".npmrc": f"; registry=https://old.corp.example\n@corp:registry=https://scope.corp.example\nregistry=https://npm.corp.example/x/\n//npm.corp.example/x/:_authToken={SECRET}\nproxy=http://proxy.corp.example\n",
    ".yarnrc.yml": 'npmRegistryServer: "https://yarn.corp.example"\n',
    ".cargo/config.toml": '[source.corp]\nregistry = "sparse+https://crates.corp.example/index/"\n',
    ".m2/settings.xml": '<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><mirror><url>https://maven.corp.example/r</url>\n'
    f"<password>{SECRET}</password></mirror></settings>\n",
    ".config/go/env": "GOPROXY=https://go.corp.example,direct\nGONOSUMDB=https://other.example\n",
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return {"HOME": str(tmp_path)}


def of_home(environ: dict[str, str]) -> tuple[Mirror, ...]:
    """Without what this machine's own /etc names."""
    return tuple(each for each in mirrors(environ) if each.mention.file.startswith("~"))


def test_hosts_alone_are_taken_over(environ: dict[str, str]) -> None:
    found = of_home(environ)
    assert [
        (each.group, each.mention.host, each.mention.port, each.variable) for each in found
    ] == [
        ("pypi", "pypi.corp.example", 443, "PIP_INDEX_URL"),
        ("pypi", "more.corp.example", 443, ""),
        ("pypi", "uv.corp.example", 8443, ""),
        ("npm", "scope.corp.example", 443, ""),
        ("npm", "npm.corp.example", 443, "NPM_CONFIG_REGISTRY"),
        ("npm", "yarn.corp.example", 443, "YARN_NPM_REGISTRY_SERVER"),
        ("crates", "crates.corp.example", 443, ""),
        ("maven", "maven.corp.example", 443, ""),
        ("go", "go.corp.example", 443, "GOPROXY"),
    ]
    assert SECRET not in repr(found)
    assert found[0].mention.file == "~/.config/pip/pip.conf"


def test_settings_elsewhere_and_none_at_all(environ: dict[str, str], tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "pip").mkdir(parents=True)
    (other / "pip/pip.conf").write_text("[global]\nindex-url=https://other.corp.example/simple\n")
    hosts = {each.mention.host for each in of_home({**environ, "XDG_CONFIG_HOME": str(other)})}
    assert "other.corp.example" in hosts and "pypi.corp.example" not in hosts
    assert of_home({"HOME": str(tmp_path / "nobody")}) == of_home({}) == ()


def test_what_is_no_file_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".npmrc")
    (tmp_path / ".cargo/config.toml").mkdir(parents=True)
    assert of_home({"HOME": str(tmp_path)}) == ()


def plan(hosts: ProjectHosts, text: str = "") -> Plan:
    own = (
        Mirror("pypi", Mention("pypi.corp.example", 443, "~/.pip/pip.conf"), "PIP_INDEX_URL"),
        Mirror("npm", Mention("npm.corp.example", 443, "~/.npmrc"), "NPM_CONFIG_REGISTRY"),
    )
    facts = workspace(hosts=hosts._replace(mirrors=own))
    return plan_of(text, workspace=facts, grants=Grants(trusted=True))


def test_those_of_the_project_s_package_managers_are_proposed() -> None:
    made = plan(ProjectHosts(("pyproject.toml",)))
    (only,) = made.proposals
    assert (only.host, only.file, only.variable) == (
        "pypi.corp.example", "~/.pip/pip.conf", "PIP_INDEX_URL",
    )  # fmt: skip
    assert '"pypi.corp.example"' in only.line
    assert made.egress is not None
    assert not any("corp" in str(rule.pattern) for rule in made.egress.rules)
    assert plan(NO_HOSTS).proposals == ()


def test_a_list_of_the_project_counts_as_well() -> None:
    (only,) = plan(NO_HOSTS, '[network]\nallow = ["npm"]\n').proposals
    assert (only.host, only.line) == ("npm.corp.example", 'allow = ["npm", "npm.corp.example"]')
    assert plan(NO_HOSTS, f"[network]\n{only.line}\n").proposals == ()


def test_where_the_project_names_it_no_variable_is_needed() -> None:
    named = Mention("pypi.corp.example", 443, "pip.conf")
    (only,) = plan(ProjectHosts(("pyproject.toml",), settings=(named,))).proposals
    assert (only.file, only.variable) == ("pip.conf", "")


def test_the_screen_says_how_to_allow_and_to_use_it() -> None:
    shown = "\n".join(lines(plan(ProjectHosts(("pyproject.toml",))), 100))
    assert "named by the project or your settings, and not allowed:" in shown
    assert "`PIP_INDEX_URL` below `[environment]`" in shown
