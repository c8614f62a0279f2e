"""A relay that cannot be started in the sandbox is an error in words."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.forward import trunk


@pytest.mark.parametrize("hanging", ["python3", "sh"])
def test_a_command_inside_that_does_not_end_is_said(hanging: str, tmp_path: object) -> None:
    """Whoever is inside decides what `python3` and `tar` do."""

    def inside(
        command: list[str], _data: bytes, _seconds: float, _write: Callable[[int, bytes], None]
    ) -> int:
        if command[0] == hanging:
            raise TimeoutError
        return 1

    with pytest.raises(EnvironmentFailure, match="does not end"):
        trunk.prepare(inside, str(tmp_path))


def test_a_command_that_writes_to_stderr_without_an_end_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, there = socket.socketpair()
    with here, there:
        stream, reads = trunk.Trunk(here, b""), itertools.count()

        def read() -> bytes:
            assert next(reads) < 1000
            return b"\2\0\0\0\0\0\0\1x"

        monkeypatch.setattr(stream, "_read", read)
        assert stream.receive() is None
        assert stream.has_more
        monkeypatch.setattr(stream, "_read", lambda: None)
        assert stream.receive() is None
        assert not stream.has_more
