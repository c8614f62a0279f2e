"""`sandboxd self-test`: a whole installation passes, and each kind of fault has its exit code."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

import pytest

from sandboxd import data, findings
from sandboxd.cli import self_tests
from sandboxd.cli.commands import self_test
from sandboxd.data import data_path
from sandboxd.lint import analysis


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the data, where a wheel has it."""
    for name in ("profiles", "devcontainer-templates"):
        shutil.copytree(data_path(name), tmp_path / "_data" / name)
    monkeypatch.setattr(data, "_PACKAGE", str(tmp_path))
    return tmp_path / "_data"


def run() -> tuple[int, dict[str, tuple[str, str]]]:
    results = list(self_tests.run(os.environ))
    return self_test.run(argparse.Namespace(json=True)), {
        result.name: (result.outcome, result.detail) for result in results
    }


def test_a_whole_installation(capsys: pytest.CaptureFixture[str], own_home: Path) -> None:
    before = sorted(own_home.rglob("*"))
    code, looks = run()
    shown = json.loads(capsys.readouterr().out)
    assert (code, shown["ok"]) == (0, True)
    assert [row["name"] for row in shown["looks"]] == list(looks)
    assert {name: outcome for name, (outcome, _) in looks.items()} == {
        "data": "ok",
        "rules": "ok",
        "check": "ok",
        "language server": "ok",
        "daemon": "ok",
        "engine": "absent",
    }
    assert sorted(own_home.rglob("*")) == before


def test_the_self_test_names_each_part_and_the_next_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert self_test.run(argparse.Namespace(json=False)) == 0
    shown = capsys.readouterr().out
    assert "\n  ok      check            `privileged-container` is found" in shown
    assert "\n  absent  engine " in shown
    assert shown.endswith("\nnext: `sandboxd doctor` says what sandboxes it can run here\n")


def test_missing_data(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run()[0] == 0
    (shipped / "profiles" / "seccomp" / "dev-runc.json").unlink()
    code, looks = run()
    assert code == 3
    assert looks["data"] == ("failed", "profile `dev` names `dev-runc.json`, which is missing")
    assert self_test.run(argparse.Namespace(json=False)) == 3
    assert "not whole: data\nhint: install sandboxd again\n" in capsys.readouterr().out


def test_data_that_does_not_parse(shipped: Path) -> None:
    (shipped / "profiles" / "hardening" / "agent.toml").write_text("purpose =")
    assert (run()[0], run()[1]["data"][0]) == (3, "failed")
    shutil.rmtree(shipped / "devcontainer-templates")
    shutil.copytree(shipped / "profiles", shipped / "devcontainer-templates")
    (shipped / "profiles" / "hardening" / "agent.toml").unlink()
    (shipped / "devcontainer-templates" / "hardening" / "agent.toml").unlink()
    (shipped / "devcontainer-templates" / "half.json").write_text('{"a": ')
    code, looks = run()
    assert code == 3
    assert looks["data"] == (
        "failed",
        f"`{shipped / 'devcontainer-templates' / 'half.json'}` is no JSON",
    )


def test_a_checker_that_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = findings.Report((), (), 1, {})
    monkeypatch.setattr(analysis, "check_source", lambda source: nothing)
    code, looks = run()
    assert (code, looks["check"][0]) == (3, "failed")


def test_a_socket_folder_that_others_can_enter(own_home: Path) -> None:
    folder = own_home / "run" / f"sandboxd-{os.getuid()}-2"
    folder.mkdir(mode=0o755)
    code, looks = run()
    assert (code, looks["daemon"][0]) == (4, "failed")
    assert "open to other users" in looks["daemon"][1]
    assert folder.exists()
