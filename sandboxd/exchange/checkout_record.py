"""A journal for a checkout on the host, in a private file that no sandbox sees: branch, HEAD and index move one by one.

A process that is killed in between would leave an index older than its commit, which looks as if somebody had staged
the opposite of the commit. By this file the next exchange completes the checkout.
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
    """A checkout that began: the refs that move with it, and whether the index lock file holds the new index."""

    checkout: Checkout
    moves: tuple[Move, ...]
    has_index: bool


def read(path: str) -> Begun | None:
    """The record at `path`; None where no checkout is unfinished, or the file is not a valid record."""
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

    :param moves: the refs that move with it
    :param has_index: whether git's lock on the index holds a new index that is to replace it
    :raises EnvironmentFailure: it cannot be written
    """
    document = {"checkout": checkout, "moves": list(moves), "index": has_index}
    write_private(path, json.dumps(document).encode())


def remove(path: str) -> None:
    """Remove the record, once the checkout is complete.

    :raises OSError: it cannot be removed
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
