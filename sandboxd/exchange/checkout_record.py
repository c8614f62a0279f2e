"""The record of a checkout of the host that began: branch, HEAD and index move one after another.

Who is killed between leaves a host whose index is older than its commit, which looks as if somebody had staged the
opposite. By this file of ours, which no sandbox sees, the next exchange ends what began.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.exchange.difference import Checkout, Move
from sandboxd.exchange.state import Head
from sandboxd.files import read_bytes, write_private

if TYPE_CHECKING:
    from typing import Any

_LARGEST = 4 << 20


class Begun(NamedTuple):
    """The checkout, the refs that move with it, and whether the index lock holds a new index."""

    checkout: Checkout
    moves: tuple[Move, ...]
    has_index: bool


def read(path: str) -> Begun | None:
    """The record at `path`, None where nothing began, or none that we wrote is there."""
    try:
        document: Any = json.loads(read_bytes(path, _LARGEST))
        old, new, old_commit, new_commit = document["checkout"]
        checkout = Checkout(Head(*old), Head(*new), old_commit, new_commit)
        moves = tuple(Move(*move) for move in document["moves"])
        return Begun(checkout, moves, bool(document["index"]))
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write(path: str, checkout: Checkout, moves: Sequence[Move], has_index: bool) -> None:
    """Record that a checkout begins.

    :raises EnvironmentFailure: it cannot be written
    """
    document = {"checkout": checkout, "moves": list(moves), "index": has_index}
    write_private(path, json.dumps(document).encode())


def remove(path: str) -> None:
    """Note that it ended.

    :raises OSError: it cannot be noted
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
