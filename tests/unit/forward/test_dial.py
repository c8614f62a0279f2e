"""A connection to another container: the kernel says that it has begun, not that it is there."""

from __future__ import annotations

import errno
import socket

import pytest

from sandboxd.forward import inside


@pytest.mark.parametrize("answer", [0, errno.EINPROGRESS, errno.ENETUNREACH])
def test_a_connection_that_has_begun_is_one(monkeypatch: pytest.MonkeyPatch, answer: int) -> None:
    asked: list[tuple[str, int]] = []

    class Socket(socket.socket):
        def connect_ex(self, address: tuple[str, int]) -> int:  # type: ignore[override]
            assert not self.getblocking()
            asked.append(address)
            return answer

    monkeypatch.setattr(inside.socket, "socket", Socket)
    if answer == errno.ENETUNREACH:
        with pytest.raises(OSError, match="cannot be reached"):
            inside._dial_other("192.0.2.7", 80)
    else:
        inside._dial_other("192.0.2.7", 80).close()
    assert asked == [("192.0.2.7", 80)]
