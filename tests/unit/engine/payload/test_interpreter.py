"""The interpreter that is sent along works without anything of the machine's Python."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from sandboxd.engine.payload import interpreter
from sandboxd.verify import attempts


def unpacked(tmp_path: Path, program: bytes) -> Path:
    data = interpreter.archive(program, attempts.imports(), str(tmp_path / "cache"))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(tmp_path / "home", filter="data")
    return tmp_path / "home"


def test_it_runs_a_program_with_every_module_that_attempts_need(tmp_path: Path) -> None:
    program = f"import {', '.join(attempts.imports())}, sys\nprint(sorted(sys.path))\n"
    home = unpacked(tmp_path, program.encode())
    done = subprocess.run(
        [
            f"{home}/loader",
            "--library-path",
            f"{home}/libraries",
            f"{home}/python",
            "-S",
            "-s",
            "-B",
            f"{home}/program.py",
        ],
        env={"PYTHONHOME": str(home), "PYTHONPATH": f"{home}/modules"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert f"{home}/modules" in done.stdout


def test_the_archive_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = str(tmp_path)
    first = interpreter.archive(b"1", attempts.imports(), cache)

    def rebuilt(_: str) -> bytes:
        raise AssertionError("built again")

    monkeypatch.setattr(interpreter, "_build", rebuilt)
    assert interpreter.archive(b"1", attempts.imports(), cache) == first
    other = interpreter.archive(b"2", attempts.imports(), cache)
    assert len(other) == len(first)
    assert other != first
    with pytest.raises(AssertionError):
        interpreter.archive(b"1", ("json",), cache)


def test_the_script_says_what_is_missing(tmp_path: Path) -> None:
    script = interpreter.SCRIPT.replace(interpreter._FOLDERS, f'"{tmp_path}/none"')
    done = subprocess.run(["sh", "-c", script, "sh", "x"], check=False, stdin=subprocess.DEVNULL)
    assert interpreter.REASONS[done.returncode].startswith("no folder inside")
    script = interpreter.SCRIPT.replace(interpreter._FOLDERS, f'"{tmp_path}"')
    done = subprocess.run(
        ["sh", "-c", script, "sh", "x"], check=False, input=b"no tar", capture_output=True
    )
    assert "tar" in interpreter.REASONS[done.returncode]
    assert list(tmp_path.iterdir()) == []


def test_without_a_cache_it_is_made_each_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    packed = interpreter.archive(b"1", ("json",), None)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert tar.getmember("program.py").size == 1
    assert interpreter.archive(b"1", ("json",), str(blocked)) == packed
