"""What a sandbox does in place of copying ends the copy, in words."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
