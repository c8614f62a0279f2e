"""Which machine a command without `--on` is about: no file of a repository decides it alone."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxd.cli import main, where
from sandboxd.ipc.named_cluster import names_one
from sandboxd.plan.granting import Wanted, wanted
from sandboxd.policy import floor, trust
from sandboxd.project import Project

TEAM = 'profile = "dev"\n[where]\nkubernetes = "team"\n'
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    "contexts": [{"name": "team", "context": {"cluster": "c", "user": "u"}}],
    "users": [{"name": "u", "user": {}}],
}
RESTARTED = {
    "runtime": "", "how": "started", "profile": "dev", "name": "x", "problem": "", "hint": "",
}  # fmt: skip


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
    assert cluster("status", watch=True) == cluster("status", all=True) == ""
    assert cluster("down", all=True) == "", "the emergency stop of this machine"
    assert cluster("up", fresh=True) == "team"
    capsys.readouterr()
    (project / "sandboxd.toml").write_text(TEAM.replace("team", "theirs"))
    assert cluster() == ""
    said = " ".join(capsys.readouterr().err.split())
    assert "changed since you granted it, and asks for the cluster `theirs`: this is about" in said
    assert (
        "`sandboxd trust add` grants it again" in said and "same command with `--on theirs`" in said
    )


def test_options_of_agent_may_stand_behind_its_name(project: Path) -> None:
    grant(project)
    assert cluster("agent", words=["claude", "--print", "x", "--", "--here"]) == "team"
    for words in ([], ["claude", "--here"], ["claude", "--on", "b"], ["claude", "--on=b"]):
        assert cluster("agent", words=words) == ""
    assert cluster("agent", words=["claude", "--her"]) == "", "argparse takes it for `--here`"


def test_a_policy_that_forbids_grants_forbids_this_one(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grant(project)
    (Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml").write_text("trust = false\n")
    assert cluster() == ""
    said = " ".join(capsys.readouterr().err.split())
    assert "the policy forbids grants" in said and "did not grant" not in said
    assert "`sandboxd policy` shows which file does" in said


def test_grants_that_cannot_be_read_follow_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grant(project)
    (Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd/trust.toml").write_text("grants = 1\n")
    assert cluster("down") == ""
    assert "whether you granted the cluster `team` cannot be read" in capsys.readouterr().err


def test_a_broken_file_keeps_nobody_from_this_machine(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "sandboxd.toml").write_text("[where]\nkubernetes = 1\n")
    assert cluster("down") == ""
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "sandboxd.toml cannot be read, so no cluster is followed: this is about this machine"
        in said
    )
    assert "sandboxd.toml:2:14" in said
    assert cluster("up") == cluster("agent", words=["claude"]) == cluster("egress") == ""
    assert capsys.readouterr().err == "", "they end with that error"


@pytest.mark.parametrize("empty", ["", " "])
@pytest.mark.parametrize(
    "words",
    [
        ("down", "--discard"), ("down",), ("up",), ("list",), ("doctor",), ("status",), ("verify",),
        ("egress", "log"), ("agent", "claude"), ("agent",),
    ],
)  # fmt: skip
def test_an_empty_context_is_neither_this_machine_nor_the_files_cluster(
    project: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], empty: str
) -> None:
    grant(project)
    for option in (("--on", empty), (f"--on={empty}",)):
        assert main.run([*words, *option]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert said.startswith("error: `--on` is empty hint: name a context: `kubectl config")


@pytest.mark.parametrize(
    "words",
    [
        ("down", "--on", "x", "--here"), ("egress", "log", "--here", "--on", "x"),
        ("agent", "--on", "x", "--here", "claude"), ("agent", "--on", "x", "claude", "--here"),
        ("agent", "--here", "claude", "--on", "x"), ("agent", "claude", "--here", "--on", "x"),
    ],
)  # fmt: skip
def test_here_and_a_context_contradict_each_other(
    project: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert main.run(list(words)) == 2
    assert "`--here` does not go with `--on`" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "doctor", "restart"])
def test_a_command_that_no_file_sends_away_has_no_here(
    project: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main.run([command, "--here"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "no option `--here`" in said and "it is about this machine" in said


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("up", "--timing"), "--timing"),
        (("up", "--verify"), "--verify"),
        (("egress", "allow", "a.example", "--once"), "--once"),
    ],
)
def test_an_option_that_nobody_typed_is_not_named(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    option: str,
) -> None:
    grant(project)
    config = project.parent / "kubeconfig"
    config.write_text(json.dumps(KUBECONFIG))
    monkeypatch.setenv("KUBECONFIG", str(config))
    assert main.run(list(words)) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"`{option}` does not go with the cluster `team` that sandboxd.toml names" in said
    assert said.endswith("; `--here` is about this machine") and "`--on`" not in said
    assert main.run([*words, "--on", "team"]) == 2
    assert f"`{option}` does not go with `--on`" in " ".join(capsys.readouterr().err.split())


def test_a_command_of_this_machine_says_so_where_others_go_to_a_cluster(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where.say_here("restart", str(project))
    assert capsys.readouterr().err == "", "nothing is followed"
    grant(project)
    where.say_here("restart", str(project))
    said = " ".join(capsys.readouterr().err.split())
    assert said == "`restart` is about this machine, not about the cluster `team` of sandboxd.toml"
    (project / "sandboxd.toml").write_text("[where\n")
    where.say_here("down --all", str(project))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("words", [("restart",), ("down", "--all")])
def test_both_commands_of_this_machine_say_so(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    grant(project)
    monkeypatch.setattr("sandboxd.cli.commands.restart.operate", lambda *_, **__: RESTARTED)
    monkeypatch.setattr("sandboxd.cli.commands.down._end_all", lambda *_, **__: 0)
    assert main.run(list(words)) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert f"`{' '.join(words)}` is about this machine, not about the cluster `team`" in said


@pytest.mark.parametrize(
    "words", [("--long",), ("--raw",), ("--try",), ("--facts", "x"), ("--json", "--try")]
)
def test_doctor_of_a_cluster_refuses_what_is_about_a_machine(
    project: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert main.run(["doctor", "--on", "team", *words]) == 2
    option = next(word for word in words if word not in ("x", "--json"))
    assert f"`{option}` does not go with `--on`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("--sandbox", "name the cluster: `--on CONTEXT`"),
        ("--refresh", "name the cluster: `--on CONTEXT`"),
        ("--image=x", "the lines of sandboxd.toml choose the image"),
    ],
)
def test_an_option_of_a_cluster_says_what_is_missing(
    project: Path, capsys: pytest.CaptureFixture[str], option: str, hint: str
) -> None:
    assert main.run(["up", "--here", option]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "goes with `--on CONTEXT`" in said and hint in said


def test_each_command_that_takes_a_context_is_named_to_who_looks_for_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["egress", "promote", "a.example", "--on", "x"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    for command in (where.COMMANDS | {"list", "doctor"}) - {"egress"}:
        assert f"`{command}`" in said, command
    assert "`egress log`, `check`, `allow`, `deny`" in said and "`egress`" not in said


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
