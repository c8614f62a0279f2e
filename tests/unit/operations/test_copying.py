"""What a sandbox does in place of copying ends the copy, in words."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record, RecordFailure
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations import copying


def test_a_sandbox_that_never_answers_is_named() -> None:
    def hang(*_: Any) -> int:
        raise TimeoutError

    output = copying._Output(1)
    with pytest.raises(EnvironmentFailure, match="did not copy it within 600 s"):
        copying._run(hang, ["tar"], b"", output)


def test_a_sandbox_that_sends_without_end_is_cut_off() -> None:
    output = copying._Output(10)
    output.write(1, b"x" * 10)
    with pytest.raises(EnvironmentFailure, match="more than can be copied"):
        output.write(1, b"x")


@pytest.mark.parametrize(
    ("complaint", "reason"),
    [(b"tar: /x: no such\n file\n", "tar: /x: no such file"), (b" \n", "exit code 3")],
)
def test_a_copy_that_fails_says_what_the_command_complained_about(
    complaint: bytes, reason: str
) -> None:
    output = copying._Output(10)
    output.write(2, complaint)
    assert output.reason(3) == reason


def run_here(
    command: list[str], data: bytes, _seconds: float, write: Callable[[int, bytes], None]
) -> int:
    """This machine in place of a sandbox."""
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    write(1, done.stdout)
    write(2, done.stderr)
    return done.returncode


def test_a_file_that_is_not_there_inside_is_said_so(tmp_path: Path) -> None:
    """And not what `tar` says about it, which differs from image to image."""
    gone = str(tmp_path / "gone")
    with pytest.raises(UsageError, match=f"^`{gone}` is not there inside, or may not be seen$"):
        copying.fetch(run_here, str(tmp_path), gone, str(tmp_path), ())


def control_file(tmp_path: Path) -> tuple[Path, Path]:
    """A sandbox's folder with a file that tools on the host act upon, and a folder of the host."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / ".vscode").mkdir(parents=True)
    (inside / ".vscode/tasks.json").write_text("{}")
    outside.mkdir()
    return inside, outside


def test_a_file_that_is_included_is_recorded_before_it_is_written(
    tmp_path: Path, own_home: Path
) -> None:
    inside, outside = control_file(tmp_path)
    wanted = "inside/.vscode/tasks.json"
    copied = copying.fetch(run_here, str(outside), str(inside), str(outside), ())
    assert copied.files == 0 and copied.left[0][0] == wanted
    record = Record(notes.folder(os.environ))
    assert record.files() == ()
    copied = copying.fetch(run_here, str(outside), str(inside), str(outside), (wanted,))
    assert copied.files == 1
    (entry,) = chain.check(record.files(), record.marks()).entries
    assert (entry.kind, entry.project) == ("review", str(outside))
    digest = hashlib.sha256(b"{}").hexdigest()
    assert entry.facts == {"files": {wanted: digest}, "by_way_of": "cp"}


def test_a_file_that_cannot_be_recorded_is_not_written(tmp_path: Path, own_home: Path) -> None:
    inside, outside = control_file(tmp_path)
    folder = Path(notes.folder(os.environ))
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    with pytest.raises(RecordFailure):
        copying.fetch(
            run_here, str(outside), str(inside), str(outside), ("inside/.vscode/tasks.json",)
        )
    assert not (outside / "inside/.vscode/tasks.json").exists()
