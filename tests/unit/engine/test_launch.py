"""An engine that could start no program is told from a program that failed."""

from __future__ import annotations

import pytest

from sandboxd.engine import execute
from sandboxd.engine.failures import CannotLaunch

WORDS = b"OCI runtime exec failed: write /tmp/runc-process1: no space left on device: unknown\r\n"


def test_a_full_disk_of_the_engine_is_named_with_the_next_step() -> None:
    with pytest.raises(CannotLaunch, match="the engine starts no program in the sandbox") as caught:
        execute.require_started(126, WORDS)
    assert "`docker system df`" in caught.value.hint


@pytest.mark.parametrize(
    ("code", "output"),
    [
        (0, WORDS),
        (126, b'OCI runtime exec failed: exec: "x": executable file not found in $PATH'),
        (1, b"tar: write error: no space left on device"),
        (126, b"OCI runtime exec failed: permission denied"),
        (1, b""),
    ],
)
def test_what_a_program_says_is_its_own(code: int, output: bytes) -> None:
    execute.require_started(code, output)
