"""`check` with a baseline, a listing of files, strict coverage and forms for machines."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.forked import run_forked
from tests.patience import PATIENCE

WEAK = '{\n  "image": "debian:12",\n  "privileged": true\n}\n'


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_forked(["check", *arguments], cwd=folder, env=os.environ, timeout=2 * PATIENCE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".devcontainer").mkdir()
    (tmp_path / ".devcontainer" / "devcontainer.json").write_text(WEAK)
    return tmp_path


def config(project: Path) -> Path:
    return project / ".devcontainer" / "devcontainer.json"


def test_a_baseline_accepts_what_is_there_and_fails_on_what_is_new(project: Path) -> None:
    written = check(project, "--write-baseline", "accepted.json", "--reason", "old, see #12")
    assert (written.returncode, written.stdout) == (0, "")
    assert "accepted 1 finding in `accepted.json`" in written.stderr
    assert check(project, "--baseline", "accepted.json").returncode == 0
    config(project).write_text("// moved\n\n" + WEAK)
    moved = check(project, "--baseline", "accepted.json", "--format", "json")
    assert moved.returncode == 0
    [finding] = json.loads(moved.stdout)["findings"]
    assert finding["suppressed"] == {"reason": "old, see #12", "by": "accepted.json"}
    config(project).write_text(WEAK.replace("true", 'true, "capAdd": ["ALL"]'))
    more = check(project, "--baseline", "accepted.json")
    assert more.returncode == 1
    assert "cap-add-all" in more.stdout and "privileged-container" not in more.stdout


def test_a_baseline_ends(project: Path) -> None:
    arguments = ("--reason", "until then", "--expires")
    check(project, "--write-baseline", "new.json", *arguments, "2999-01-01")
    assert check(project, "--baseline", "new.json").returncode == 0
    over = (project / "new.json").read_text().replace("2999-01-01", "2020-01-01")
    (project / "old.json").write_text(over)
    done = check(project, "--baseline", "old.json")
    assert done.returncode == 1
    assert "1 entry has ended, `privileged-container` in `" in done.stderr
    assert "` on 2020-01-01 for one\n" in done.stderr
    anew = "`sandboxd check --write-baseline old.json --reason TEXT`"
    assert f"hint: mend it, or accept it anew: {anew}\n" in done.stderr


def test_what_is_gone_from_a_baseline_is_said(project: Path) -> None:
    check(project, "--write-baseline", "accepted.json", "--reason", "old")
    config(project).write_text('{"image": "debian:12"}')
    done = check(project, "--baseline", "accepted.json")
    assert "1 entry is about nothing any more, `privileged-container`" in done.stderr


def test_writing_again_keeps_the_reasons(project: Path) -> None:
    check(project, "--write-baseline", "accepted.json", "--reason", "first")
    config(project).write_text(WEAK.replace("true", 'true, "capAdd": ["ALL"]'))
    check(project, "--write-baseline", "accepted.json", "--reason", "second")
    rows = json.loads((project / "accepted.json").read_text())["findings"]
    assert {row["rule"]: row["reason"] for row in rows} == {
        "cap-add-all": "second",
        "privileged-container": "first",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--baseline", "gone.json"), "the baseline `gone.json` does not exist"),
        (("--baseline", ".devcontainer/devcontainer.json"), "is no baseline of version 1"),
        (("--write-baseline", "x.json"), "needs to know why"),
        (("--write-baseline", "x.json", "--reason", "r", "--expires", "soon"), "`soon` is no date"),
        (
            ("--write-baseline", "x", "--reason", "r", "--expires", "2020-01-31"),
            "`2020-01-31` is over",
        ),
    ],
)
def test_mistakes_are_said(project: Path, arguments: tuple[str, ...], message: str) -> None:
    done = check(project, *arguments)
    assert done.returncode == 2
    assert message in done.stderr and "hint:" in done.stderr


def test_files_are_listed_with_their_kinds(project: Path) -> None:
    (project / "seccomp.json").write_text("{}")
    done = check(project, "--list-files")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "seccomp.json\tseccomp",
        ".devcontainer/devcontainer.json\tdevcontainer",
    ]


def test_strict_coverage_fails_where_something_was_not_judged(project: Path) -> None:
    config(project).write_text('{"image": "a", "features": {"ghcr.io/x/unknown:1": {}}}')
    assert check(project).returncode == 0
    done = check(project, "--strict-coverage")
    assert done.returncode == 2
    assert "not checked:" in done.stdout


@pytest.mark.parametrize("form", ["sarif", "github", "json", "text"])
def test_every_form_names_what_cannot_be_read(project: Path, form: str) -> None:
    (project / "seccomp.json").write_bytes(b"\xff\xfe\x00")
    done = check(project, "--format", form)
    assert done.returncode == 1
    assert "not UTF-8" in (done.stderr if form == "text" else done.stdout)
    assert "privileged-container" in done.stdout
