"""A socket of the host counts when it answers, not when its file is there."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sandboxd.inside.escapes import host_socket


def test_a_socket_that_answers_is_reported_and_one_that_does_not_is_none(
    monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    open_, closed = str(own_home / "open.sock"), str(own_home / "closed.sock")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as silent:
        listener.bind(open_)
        listener.listen()
        silent.bind(closed)
        monkeypatch.setattr(host_socket._sockets, "candidates", lambda: [closed, open_])
        assert host_socket.attempt({})["reached"] == [open_]
        monkeypatch.setattr(host_socket._sockets, "candidates", lambda: [closed])
        with pytest.raises(ConnectionRefusedError):
            host_socket.attempt({})
        monkeypatch.setattr(host_socket._sockets, "candidates", list)
        with pytest.raises(OSError, match="no socket file"):
            host_socket.attempt({})
