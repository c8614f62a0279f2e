"""`sandboxd audit` as a person uses it: trust, refuse, look, verify, hand on."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.readme import blocks
from tests.forked import run_forked
from tests.patience import PATIENCE


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "sandboxd.toml").write_text('profile = "trusted"\nimage = "alpine"\n')
    return tmp_path / "app"


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run_forked(words, cwd=project, env=os.environ, timeout=2 * PATIENCE)


def test_a_grant_is_found_in_the_record(project: Path) -> None:
    assert run(project, "trust", "add", "--yes").returncode == 0
    assert run(project, "trust", "revoke").returncode == 0
    shown = run(project, "audit")
    assert shown.returncode == 0
    first, second = shown.stdout.splitlines()
    assert "trust " in first and "app  what: trusted, sha256" in first, (
        "cut at 80 columns behind it"
    )
    assert "trust-revoked" in second
    (entry, _) = [json.loads(line) for line in run(project, "audit", "--json").stdout.splitlines()]
    assert (entry["number"], entry["kind"], entry["project"]) == (1, "trust", str(project))
    logs = json.loads(run(project, "audit", "--otlp", "--kind", "trust").stdout)
    assert len(logs["resourceLogs"][0]["scopeLogs"][0]["logRecords"]) == 1


def test_only_what_is_asked_for_is_shown(project: Path) -> None:
    run(project, "trust", "add", "--yes")
    assert run(project, "audit", "--project", str(project)).stdout.count("\n") == 1
    assert run(project, "audit", "--project", str(project.parent)).stdout == ""
    assert run(project, "audit", "--since", "1h").stdout.count("\n") == 1
    assert run(project, "audit", "--since", "2999-01-01").stdout == ""
    assert run(project, "audit", "--kind", "start").stdout == ""
    wrong_words = (("--kind", "party"), ("--since", "yesterday"), ("--send",))
    for words in (*wrong_words, ("--send", "--kind", "start")):
        wrong = run(project, "audit", *words)
        assert wrong.returncode == 2 and "hint: " in wrong.stderr


def test_a_record_that_was_changed_is_found_out(project: Path) -> None:
    run(project, "trust", "add", "--yes")
    run(project, "trust", "revoke")
    whole = run(project, "audit", "--verify")
    assert (whole.returncode, whole.stdout) == (0, "the record is whole: 2 entries, from 1 to 2\n")
    folder = Path(os.environ["XDG_STATE_HOME"]) / "sandboxd" / "audit"
    (file,) = folder.glob("record-*.jsonl")
    file.write_text(file.read_text().replace('"what":"trusted"', '"what":"review"'))
    broken = run(project, "audit", "--verify")
    assert broken.returncode == 6
    assert "broken at entry 1: it is not as it was when the next one was written" in broken.stdout
    assert "--verify" in run(project, "audit").stderr


def test_nothing_is_trusted_where_nothing_can_be_recorded(project: Path) -> None:
    folder = Path(os.environ["XDG_STATE_HOME"]) / "sandboxd"
    folder.mkdir(parents=True)
    (folder / "audit").write_text("in the way")
    refused = run(project, "trust", "add", "--yes")
    assert refused.returncode == 4
    assert "hint: " in refused.stderr
    assert run(project, "trust", "list").stdout.count("app") == 0


def test_what_is_taken_back_without_its_entry_is_done_and_ends_with_that(project: Path) -> None:
    assert run(project, "trust", "add", "--yes").returncode == 0
    folder = Path(os.environ["XDG_STATE_HOME"]) / "sandboxd" / "audit"
    shutil.rmtree(folder)
    folder.write_text("in the way")
    revoked = run(project, "trust", "revoke")
    assert revoked.returncode == 4
    assert "error: it is done, and not recorded: " in revoked.stderr
    assert run(project, "trust", "list").stdout.count("app") == 0
    (project / "sandboxd.toml").write_text('profile = "dev"\nimage = "alpine"\n')
    denied = run(project, "egress", "deny", "example.org")
    assert denied.returncode == 4
    assert "denied: `example.org`" in denied.stderr
    assert "error: it is done, and not recorded: " in denied.stderr
    assert "example.org" in run(project, "egress", "list").stdout


def test_a_secret_that_cannot_be_recorded_is_not_kept(project: Path) -> None:
    folder = Path(os.environ["XDG_STATE_HOME"]) / "sandboxd"
    folder.mkdir(parents=True)
    (folder / "audit").write_text("in the way")
    words = ["credentials", "add", "github", "--file"]
    done = run_forked(
        words, cwd=project, env=os.environ, timeout=2 * PATIENCE, input="ghp_" + "a" * 36 + "\n"
    )
    assert done.returncode == 4, done.stderr
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd"
    kept = [path for path in config.rglob("*") if path.is_file() and "ghp_" in path.read_text()]
    assert kept == []


def test_each_command_of_its_page_works(project: Path) -> None:
    run(project, "trust", "add", "--yes")
    (block,) = [block for block in blocks("docs/audit.md") if block.kind == "sh"]
    lines = [shlex.split(line, comments=True) for line in block.body.splitlines()]
    assert len(lines) > 4
    for program, *words in lines:
        assert program == "sandboxd"
        done = run(project, *words)
        assert (done.returncode, done.stderr) == (0, "") or words[-1] == "start", words


def test_a_grant_is_taken_back_in_the_folder_in_which_it_was_given(project: Path) -> None:
    below = project / "src"
    below.mkdir()
    assert run(below, "trust", "add", "--yes").returncode == 0
    assert str(project) in run(below, "trust", "list").stdout
    revoked = run(below, "trust", "revoke")
    assert revoked.returncode == 0 and f"nothing of `{project}` is trusted" in revoked.stderr
    assert str(project) not in run(below, "trust", "list").stdout
