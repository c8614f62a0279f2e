"""Connections within the sandbox: a test that talks to its own server."""

from __future__ import annotations

import socket

TITLE = "connections to itself"
UNIT = "20 connections with one answer each"


def prepare(folder: str) -> None:
    """Nothing to prepare."""


def once(folder: str) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        for _ in range(20):
            with socket.create_connection(server.getsockname()) as client:
                inner, _address = server.accept()
                with inner:
                    inner.sendall(b"x" * 1024)
                client.recv(1024)
