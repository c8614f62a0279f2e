"""The caller's end of a connection to the daemon."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import socket
from collections.abc import Iterator

import pytest

from sandboxd.ipc.client import Client

HIGH = 1500


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """As a process has them that raised its limit."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] <= HIGH:
        pytest.skip("no descriptor above 1023 may be had here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], HIGH + 100), limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("many_descriptors")
def test_notifications_arrive_on_a_descriptor_of_any_number() -> None:
    ours, daemon = socket.socketpair()
    reading, writing = os.pipe()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, writing)
        also = fcntl.fcntl(reading, fcntl.F_DUPFD, HIGH)
        stack.callback(os.close, also)
        os.close(reading)
        stack.enter_context(daemon)
        high = socket.socket(fileno=fcntl.fcntl(ours, fcntl.F_DUPFD, HIGH))
        ours.close()
        client = stack.enter_context(Client(high))
        assert min(high.fileno(), also) >= HIGH
        assert client.poll(0.05, [also]) is None
        daemon.sendall(json.dumps({"method": "event", "params": {"a": 1}}).encode() + b"\n")
        assert client.poll(5, [also]) == ("event", {"a": 1})
        os.write(writing, b"x")
        assert client.poll(5, [also]) is None
