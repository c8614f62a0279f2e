"""Ports of this machine that no other test takes, in this run or in one beside it."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Iterator

_LOWEST, _FIRST, _LAST = 10_000, 28_000, 32_000
"""Below those that the kernel gives to whoever names none."""


@contextlib.contextmanager
def free_port() -> Iterator[int]:
    """A port that nobody listens on, and that is left free for as long as the block runs.

    Whoever uses this function has the port of the same number for UDP, too, and so tells the others.
    """
    for number in range(_FIRST, _LAST):
        with socket.socket(type=socket.SOCK_DGRAM) as claim, socket.socket() as trial:
            try:
                claim.bind(("127.0.0.1", number))
                trial.bind(("127.0.0.1", number))
            except OSError:
                continue
            trial.close()
            yield number
            return
    raise AssertionError(f"no port between {_FIRST} and {_LAST} is free")


def pick_port() -> int:
    """A port that nobody listens on, and that neither the kernel nor `free_port` gives to anybody.

    For what is told the port by a file that outlives each block.
    """
    while True:
        number = _LOWEST + secrets.randbelow(_FIRST - _LOWEST)
        with contextlib.suppress(OSError), socket.socket() as trial:
            trial.bind(("", number))
            return number


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port at which nobody listens, and nobody can begin to: it is taken at both loopback addresses."""
    with contextlib.ExitStack() as taken:
        first = taken.enter_context(socket.socket())
        first.bind(("127.0.0.1", 0))
        number = int(first.getsockname()[1])
        with contextlib.suppress(OSError):  # there is no such address, or another one has it
            second = taken.enter_context(socket.socket(socket.AF_INET6))
            second.bind(("::1", number))
        yield number
