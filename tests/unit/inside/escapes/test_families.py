"""Attempts on families of sockets, each with the answers of a kernel that lets them and of one that does not."""

from __future__ import annotations

import errno
import os
import socket
import types

import pytest

from sandboxd.inside.escapes import _families, _kernel, af_alg, af_vsock
from tests.unit.inside.escapes.test_success import refuse


def test_a_crypto_socket_that_opens_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []

    def opened(*arguments: int) -> socket.socket:
        asked.append(arguments)
        return real(socket.AF_UNIX, socket.SOCK_STREAM, 0)

    real = socket.socket
    played = types.SimpleNamespace(socket=opened, close=os.close)
    monkeypatch.setattr(_families, "socket", played)
    monkeypatch.setattr(_families, "call", refuse(errno.EPERM))
    assert af_alg.attempt({})["detail"] == "an AF_ALG socket opens"
    assert asked == [(38, socket.SOCK_SEQPACKET, 0)]
    played.socket = refuse(errno.EAFNOSUPPORT)
    with pytest.raises(_kernel.NotApplicable):
        af_alg.attempt({})
    played.socket = refuse(errno.EPERM)
    with pytest.raises(PermissionError):
        af_alg.attempt({})


def test_a_family_that_the_filter_does_not_see_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def opened(*arguments: object) -> int:
        asked.append(arguments)
        return os.open(os.devnull, os.O_RDONLY)

    played = types.SimpleNamespace(socket=refuse(errno.EPERM), close=os.close)
    monkeypatch.setattr(_families, "socket", played)
    monkeypatch.setattr(_families, "call", opened)
    assert "does not see" in af_vsock.attempt({})["detail"]
    assert asked == [("socket", 40 | 1 << 32, socket.SOCK_STREAM, 0)]
    monkeypatch.setattr(_families, "call", refuse(errno.EAFNOSUPPORT))
    with pytest.raises(_kernel.NotApplicable):
        af_vsock.attempt({})
