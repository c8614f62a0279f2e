"""A command is split into words as `shlex.split` does it, also one that is made to take long."""

from __future__ import annotations

import contextlib
import shlex
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandboxd.syntax import shell_words

PIECES = st.sampled_from([*" \t\r\n'\"\\#;|&$`\v\xa0", "a", "é", "''", '""', '\\"', "\\\\", "\\\n"])
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@given(TEXTS)
@example("")
@example("''")
@example('sh -c \'echo "a b"\' "it\'s\\" $HOME\\x" a\\ b')
def test_words_are_those_of_shlex(text: str) -> None:
    try:
        expected = shlex.split(text)
    except ValueError:
        with pytest.raises(ValueError):
            shell_words.split(text)
    else:
        assert shell_words.split(text) == expected


def seconds(text: str) -> float:
    began = time.process_time()
    with contextlib.suppress(ValueError):
        shell_words.split(text)
    return time.process_time() - began


@pytest.mark.parametrize("unit", ["a", "\\a", "'", '"', "'a'", '"\\a"', "a ", '"a', "'a b"])
def test_the_time_grows_with_the_length_alone(unit: str) -> None:
    """Of a text that is 16 times as long; a quadratic one takes 256 times as long."""
    short, long = (unit * (size // len(unit)) for size in (1 << 16, 1 << 20))
    assert seconds(long) < 80 * max(seconds(short), 0.001)
