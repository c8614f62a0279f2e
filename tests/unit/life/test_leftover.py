"""What is believed of the answer about a run that was left behind; silence and lies are a failure."""

from __future__ import annotations

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.life import leftover


def test_an_answer_is_the_line_with_our_nonce() -> None:
    assert leftover._answer(b'noise\nn {"count": 2, "left": 0}\n', "n", 0) == (2, 0)


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [
        (b"", 97, "no folder inside can be written"),
        (b"sh: tar: not found\n", 96, "its `tar` cannot unpack"),
        (b"killed\n", 137, "killed"),
        (b"", 5, "exit code 5"),
        (b'other {"count": 1, "left": 0}\n', 1, "other"),
        (b"n [" + b"[" * 100_000, 0, "may go on inside"),
        (b'n {"count": 1}\n', 0, "may go on inside"),
    ],
)
def test_no_answer_is_no_end(output: bytes, code: int, words: str) -> None:
    with pytest.raises(EnvironmentFailure, match=words) as caught:
        leftover._answer(output, "n", code)
    assert "`sandboxd restart`" in caught.value.hint
