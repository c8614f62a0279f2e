"""`sandboxd check --fix` and `check -` as processes."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.integration.checking import HARDENED, WEAK, check


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".devcontainer").mkdir()
    return tmp_path


@pytest.fixture
def config(project: Path) -> Path:
    return project / ".devcontainer" / "devcontainer.json"


def test_fix_changes_only_what_the_finding_is_about(project: Path, config: Path) -> None:
    config.write_text(WEAK)
    config.chmod(0o640)
    held = check(project, "--fix")
    assert config.read_text() == WEAK, "the fix may break something, so it needs --unsafe"
    assert "each fix takes away something that may be in use" in held.stderr
    assert "hint: `--unsafe` makes the fix; then " in held.stderr
    assert held.returncode == 1
    done = check(project, "--fix", "--unsafe")
    assert done.returncode == 0
    assert done.stdout == "no error or warning in 1 file; hints: `sandboxd check --pedantic`\n"
    assert done.stderr == "fixed 1 finding\n"
    assert config.read_text() == HARDENED
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    before = config.stat().st_mtime_ns
    assert check(project, "--fix", "--unsafe").stderr == "fixed 0 findings\n"
    assert config.stat().st_mtime_ns == before


def test_diff_writes_nothing_and_can_be_applied(project: Path, config: Path) -> None:
    config.write_text(WEAK)
    done = check(project, "--fix", "--unsafe", "--diff")
    assert done.returncode == 1
    assert done.stderr == "would fix 1 finding\n"
    assert config.read_text() == WEAK
    if shutil.which("patch") is None:
        pytest.skip("no `patch`; run `CI=true ./dev setup --tests`")
    subprocess.run(["patch", "-p1", "-s"], cwd=project, input=done.stdout, text=True, check=True)
    assert config.read_text() == HARDENED


def test_a_link_is_not_fixed(project: Path, config: Path) -> None:
    real = project / "real.json"
    real.write_text(WEAK)
    config.symlink_to(real)
    done = check(project, "--fix", "--unsafe", str(config))
    assert done.returncode == 2
    assert done.stdout.startswith("error[")
    assert "fixed 0 findings" in done.stderr
    assert "is a symbolic link, so it is not fixed" in done.stderr
    assert config.is_symlink()
    assert real.read_text() == WEAK


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_what_cannot_be_written_is_not_called_fixed(project: Path, config: Path) -> None:
    config.write_text(WEAK)
    config.parent.chmod(0o500)
    try:
        done = check(project, "--fix", "--unsafe")
    finally:
        config.parent.chmod(0o700)
    assert done.returncode == 2
    assert done.stdout.startswith("error[")
    assert "fixed 0 findings" in done.stderr
    assert "devcontainer.json` is not fixed: cannot write `" in done.stderr


def test_unsafe_alone_is_a_usage_error(project: Path) -> None:
    done = check(project, "--unsafe")
    assert done.returncode == 2
    assert "`--unsafe` chooses among fixes" in done.stderr


# Standard input


def test_standard_input(project: Path) -> None:
    done = check(project, "--stdin-filename", "a/.devcontainer.json", stdin=WEAK)
    assert done.returncode == 1
    assert " --> a/.devcontainer.json:4:26" in done.stdout
    dash = check(project, "-", stdin=WEAK)
    assert " --> .devcontainer/devcontainer.json:4:26" in dash.stdout
    fixed = check(project, "-", "--fix", "--unsafe", stdin=WEAK)
    assert (fixed.returncode, fixed.stdout) == (0, HARDENED)


def test_standard_input_of_another_kind_or_together_with_a_path(project: Path) -> None:
    other = check(project, "--stdin-filename", "x.py", stdin="print()")
    assert other.returncode == 2
    assert "`x.py` is no kind of file" in other.stderr
    both = check(project, "--stdin-filename", "devcontainer.json", "a.json")
    assert both.returncode == 2
    assert "hint: drop `a.json`" in both.stderr


def test_the_hint_shows_the_fixes_of_what_was_checked(tmp_path: Path) -> None:
    for name in ("one", "the other"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / ".devcontainer.json").write_text(WEAK)
    shown = check(tmp_path, "--pedantic", "the other").stdout
    assert "`sandboxd check --fix --unsafe --diff --pedantic 'the other'` shows " in shown
    assert "`sandboxd check --fix --unsafe --diff` shows 2 fixes" in check(tmp_path).stdout
    shown = check(tmp_path, "--stdin-filename", ".devcontainer.json", stdin=WEAK).stdout
    assert "--diff --stdin-filename .devcontainer.json` shows" in shown
    shown = check(tmp_path, *["one"] * 40).stdout
    assert "`sandboxd check --fix --unsafe --diff PATH ...` shows 1 fix" in shown
