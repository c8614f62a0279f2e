"""`./dev test-pythons`: which interpreters count, and that a missing one is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import pythons

OWN = ".".join(map(str, sys.version_info[:2]))


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_uv(tmp_path: Path) -> str:
    """A uv that can download nothing."""
    return str(program(tmp_path / "uv", "exit 2"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_a_name_without_a_python_behind_it_is_passed_over(machine: Path, no_uv: str) -> None:
    program(machine / "bin" / "python3.99", "echo 'pyenv: not found' >&2; exit 127")
    assert pythons.find("3.99", no_uv) == ""
    real = program(machine / "pyenv" / "versions" / "3.99.1" / "bin" / "python3.99", "echo 3.99")
    assert pythons.find("3.99", no_uv) == str(real)


def test_a_python_of_another_version_is_none(machine: Path, no_uv: str) -> None:
    program(machine / "bin" / "python3.99", "echo 3.9")
    assert pythons.find("3.99", no_uv) == ""


def test_one_that_cannot_be_had_is_said(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(machine / "bin" / "uv", "exit 2")
    monkeypatch.setattr(pythons, "VERSIONS", (OWN, "3.99"))
    assert pythons.main([]) == 0
    assert "Python 3.99: NOT CHECKED" in capsys.readouterr().out


def test_a_failure_is_the_exit_code(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(machine / "bin" / "uv", "exit 0")
    program(machine / "bin" / "python3.99", "echo 3.99; exit 0")
    tested = program(machine / "env" / "python", "exit 1")
    monkeypatch.setattr(pythons, "VERSIONS", (OWN, "3.99"))
    monkeypatch.setattr(pythons, "environment", lambda version, python, uv: tested)
    assert pythons.main([]) == 1
    assert "Python 3.99: FAILED" in capsys.readouterr().out
