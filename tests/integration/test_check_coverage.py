"""What `check` says of files that a search meets and cannot read, and the page of its output for programs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.cli._checking import Checked
from sandboxd.cli.commands.check import _exit_code
from sandboxd.errors import EXIT_BUG, EXIT_OK
from sandboxd.findings import Report, Severity, Skipped
from sandboxd.render import Options, text
from tests.forked import run_forked
from tests.patience import PATIENCE

WEAK = '{\n  "image": "debian:12",\n  "privileged": true\n}\n'
FINE = '{"image": "debian:12"}'


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_forked(["check", *arguments], cwd=folder, env=os.environ, timeout=2 * PATIENCE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".devcontainer").mkdir()
    return tmp_path


@pytest.fixture
def config(project: Path) -> Path:
    return project / ".devcontainer" / "devcontainer.json"


def test_what_a_search_cannot_read_is_named_and_the_rest_counts(
    project: Path, config: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config.write_text(FINE)
    outside = tmp_path_factory.mktemp("outside") / "devcontainer.json"
    outside.write_text(WEAK)
    (project / ".devcontainer.json").symlink_to(outside)
    (project / "devcontainer.json").write_text(" " * (1 << 20) + FINE)
    done = check(project)
    assert done.returncode == 0
    assert "not checked: `.devcontainer.json` is a symbolic link that leads out" in done.stderr
    assert "not checked: `devcontainer.json` is larger than 1 MiB" in done.stderr
    reasons = {
        row["path"]: row["reason"] for row in json.loads(check(project, "--json").stdout)["skipped"]
    }
    assert "leads out of the project" in reasons[".devcontainer.json"]
    assert check(project, "--fail-on", "skipped").returncode == 1
    assert check(project, "--strict-coverage").returncode == 2
    # Beside a severity it adds to that one.
    config.write_text('{ "image": "x", "initializeCommand": "ls" }')
    assert check(project, "--fail-on", "error").returncode == 0
    assert check(project, "--fail-on", "error", "--fail-on", "skipped").returncode == 1
    config.unlink()
    alone = check(project)
    assert alone.returncode == 2 and "error: `devcontainer.json` is larger" in alone.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".devcontainer/devcontainer.json", '{% if gpu %}\n{"image": "debian:12"\n'),
        ("compose.yaml", "services:\n{% if gpu %}\n  a: [\n"),
        ("Dockerfile", "FROM debian:12\n{{ steps }}\n"),
    ],
)
def test_a_template_counts_as_skipped(project: Path, name: str, text: str) -> None:
    (project / name).write_text(text)
    done = check(project)
    assert done.returncode == 0, done
    skipped = check(project, "--fail-on", "skipped")
    assert skipped.returncode == 1 and skipped.stdout == done.stdout, skipped


def test_a_part_that_could_not_be_judged_does_not_count_as_skipped(
    project: Path, config: Path
) -> None:
    config.write_text('{"dockerFile": "missing/Dockerfile"}')
    assert json.loads(check(project, "--json").stdout)["skipped"]
    assert check(project, "--fail-on", "skipped").returncode == 0


def test_the_page_of_the_json_output_shows_what_is_printed(project: Path, config: Path) -> None:
    config.write_text('{\n  "image": "debian:12",\n  "privileged": true\n}\n')
    page = (Path(__file__).resolve().parents[2] / "docs" / "check-json.md").read_text()
    example = page.partition("```json\n")[2].partition("```")[0]
    assert check(project, "--json").stdout == example


def test_a_failure_on_the_only_file_is_no_clean_result() -> None:
    failed = Skipped("/p/Dockerfile", "sandboxd failed on this file", is_file=True, is_bug=True)
    report = Report((), (failed,), 0, {})
    shown = text.document(report, Options("/p", "1", lambda rule: None, False, 80))  # type: ignore[arg-type]
    assert "not checked: Dockerfile: sandboxd failed on this file" in shown
    checked = Checked(report, ())
    assert _exit_code(checked, Severity.ERROR, fails_on_skipped=False) == EXIT_BUG
    beside = Checked(report._replace(files=1), ())
    assert _exit_code(beside, Severity.ERROR, fails_on_skipped=False) == EXIT_OK


def test_findings_in_files_of_others_are_counted_in_one_line(project: Path, config: Path) -> None:
    config.write_text(FINE)
    (project / "vendor" / "lib").mkdir(parents=True)
    (project / "vendor" / "lib" / "devcontainer.json").write_text(WEAK)
    done = check(project)
    assert (done.returncode, done.stdout.count("privileged-container")) == (0, 0)
    assert "(1 in files of others: `--no-allow` shows it)" in " ".join(done.stdout.split())
    row = json.loads(check(project, "--json").stdout)["findings"][0]["suppressed"]
    assert row == {"reason": "the file is somebody else's", "by": "others"}
    assert check(project, "--no-allow").returncode == 1
    assert check(project, "vendor").returncode == 1
    assert check(project, "vendor/lib/devcontainer.json").returncode == 1
    assert check(project, "--fix", "--unsafe").returncode == 0
    assert (project / "vendor" / "lib" / "devcontainer.json").read_text() == WEAK
