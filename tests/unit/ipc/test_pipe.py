"""The end of an editor's session: its exit code may come in a piece of its own."""

from __future__ import annotations

import os

import pytest

from sandboxd.ipc import messages, pipe

END = messages.SESSION_END


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([b"text", END + b"0"], 0),
        ([b"text" + END + b"1"], 1),
        ([b"text" + END, b"0"], 0),
        ([b"text" + END, b"1"], 1),
        ([b"text" + END, b""], 1),
        ([b"text", b""], 1),
    ],
)
def test_the_exit_code_is_the_sessions_and_1_where_it_does_not_come(
    pieces: list[bytes], code: int
) -> None:
    reader, writer = os.pipe()
    try:
        assert pipe._copy(lambda _size: pieces.pop(0), writer) == code
        assert os.read(reader, 100) == b"text"
    finally:
        os.close(reader)
        os.close(writer)
