"""Which machine a command without `--on` is about: no file of a repository decides it alone."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxd.cli import where
from sandboxd.ipc.named_cluster import names_one
from sandboxd.plan.granting import Wanted, wanted
from sandboxd.policy import floor, trust
from sandboxd.project import Project

TEAM = 'profile = "dev"\n[where]\nkubernetes = "team"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "sandboxd.toml").write_text(TEAM)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(folder)
    return folder


def grant(folder: Path) -> None:
    opened = Project.open(str(folder), os.environ)
    for each in asked(folder).grants:
        trust.add(os.environ, each)
    assert opened.is_trusted(None, opened.hosts())


def asked(folder: Path) -> Wanted:
    opened = Project.open(str(folder), os.environ)
    demands = floor.load(os.environ)
    return wanted(opened.grantee, opened.config, opened.profile, None, demands, opened.hosts())


def cluster(command: str = "up", **more: object) -> str:
    return where.cluster(command, argparse.Namespace(**{"here": False, "project": "."} | more))


def test_a_file_that_nobody_granted_is_named_and_not_followed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cluster() == ""
    said = " ".join(capsys.readouterr().err.split())
    assert "asks for the cluster `team`, which you did not grant" in said
    assert "sandboxd trust add" in said


def test_a_granted_file_is_followed_until_it_changes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = asked(project).lines
    assert line.startswith(
        "where: this machine -> commands go to the cluster of your context `team`"
    )
    grant(project)
    assert cluster() == "team"
    assert "on `team`, as sandboxd.toml says; `--here`" in " ".join(capsys.readouterr().err.split())
    below = project / "src"
    below.mkdir()
    assert cluster("exec", project=str(below)) == "team"
    assert cluster(here=True) == cluster("doctor") == cluster("list") == ""
    assert cluster("status", short=True) == ""
    assert cluster("verify", container=None, fresh=False, diff=None) == "team"
    for option in ({"container": "x"}, {"fresh": True}, {"diff": ["a", "b"]}):
        assert cluster("verify", **option) == ""
    assert cluster("up", fresh=True) == "team"
    capsys.readouterr()
    (project / "sandboxd.toml").write_text(TEAM.replace("team", "theirs"))
    assert cluster() == ""
    assert "`theirs`, which you did not grant" in " ".join(capsys.readouterr().err.split())


def test_options_of_agent_may_stand_behind_its_name(project: Path) -> None:
    grant(project)
    assert cluster("agent", words=["claude", "--print", "x", "--", "--here"]) == "team"
    for words in ([], ["claude", "--here"], ["claude", "--on", "b"], ["claude", "--on=b"]):
        assert cluster("agent", words=words) == ""


def test_a_policy_that_forbids_grants_forbids_this_one(project: Path) -> None:
    grant(project)
    (Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml").write_text("trust = false\n")
    assert cluster() == ""


def test_a_broken_file_keeps_nobody_from_this_machine(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "sandboxd.toml").write_text("[where]\nkubernetes = 1\n")
    assert cluster("down") == ""
    assert "this is about this machine" in " ".join(capsys.readouterr().err.split())


def test_hostile_names_are_printed_on_one_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "sandboxd.toml").write_text('[where]\nkubernetes = "a\\u001b[2J\\nb"\n')
    assert cluster() == ""
    assert "\x1b" not in capsys.readouterr().err


def test_most_files_are_not_read_further(tmp_path: Path) -> None:
    assert not names_one(str(tmp_path))
    file = tmp_path / "sandboxd.toml"
    file.write_text('profile = "dev"\n')
    assert not names_one(str(tmp_path))
    file.unlink()
    os.mkfifo(file)
    assert not names_one(str(tmp_path))
    file.unlink()
    (tmp_path / "real.toml").write_text(TEAM)
    file.symlink_to("real.toml")
    assert not names_one(str(tmp_path)), "what a link leads to is not this project's"


def test_a_project_without_it_loads_nothing_of_clusters(tmp_path: Path) -> None:
    (tmp_path / "sandboxd.toml").write_text('profile = "dev"\n')
    code = (
        "import sys, argparse; from sandboxd.cli import where; "
        "where.cluster('up', argparse.Namespace(here=False, project='.')); "
        "print([m for m in sys.modules if 'cluster' in m or m in ('sandboxd.project', 'lightkube', 'yaml')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == "['sandboxd.ipc.named_cluster']", done.stderr
