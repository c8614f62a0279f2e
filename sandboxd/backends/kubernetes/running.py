"""Runs commands in a Pod whose whole input is given at the start."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes.channels import CONTAINER, Channels, PodGone
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sandboxd.backends.kubernetes.api import Cluster

_COUNTED = ("sh", "-c", 'size=$1; shift; head -c "$size" | "$@"', "sh")
"""A command whose input ends after so many bytes: an old server cannot tell it that it ended."""
_MOST = 1 << 20
_SHORT = 30.0


def run(
    cluster: Cluster,
    pod: str,
    command: Sequence[str],
    data: bytes | Iterable[bytes],
    seconds: float,
    write: Callable[[int, bytes], None],
    size: int | None = None,
    container: str = CONTAINER,
) -> int:
    """Run `command` with `data` as its whole input, and pass its output to `write`; returns its exit code.

    :param write: called with each piece of output and its stream (1 stdout, 2 stderr)
    :param size: the size of `data` in bytes, needed where it comes in pieces
    :raises TimeoutError: it did not end within `seconds`; it may still run
    :raises PodGone: the Pod ended with or before it
    """
    pieces = [data] if isinstance(data, bytes) else data
    count = len(data) if isinstance(data, bytes) else size
    assert count is not None, "pieces without a size"
    words = [*_COUNTED, str(count), *command] if count else list(command)
    deadline = time.monotonic() + seconds
    with Channels(cluster, pod, words, stdin=bool(count), container=container) as channels:
        if count:
            threading.Thread(target=_feed, args=(channels, pieces), daemon=True).start()
        for stream, piece in channels.pieces(seconds):
            write(stream, piece)
            if time.monotonic() > deadline:
                raise TimeoutError
        return channels.code


def quietly(
    cluster: Cluster,
    pod: str,
    command: Sequence[str],
    seconds: float = _SHORT,
    container: str = CONTAINER,
) -> tuple[int, str]:
    """Run a short command without input; returns its exit code and its output, with stdout and stderr.

    :raises EnvironmentFailure: it does not end within `seconds`, or writes too much
    """
    written = bytearray()
    with Channels(cluster, pod, command, container=container) as channels:
        try:
            for _, piece in channels.pieces(seconds):
                written += piece
                if len(written) > _MOST:
                    raise EnvironmentFailure(f"`{command[0]}` in the Pod writes without end", "")
        except TimeoutError:
            raise EnvironmentFailure(
                f"the Pod `{pod}` does not answer within {seconds:g} s",
                f"`sandboxd status{cluster.context.option}` shows its state",
            ) from None
        return channels.code, written.decode("utf-8", "replace")


def _feed(channels: Channels, pieces: Iterable[bytes]) -> None:
    try:
        for piece in pieces:
            channels.send(piece)
    except PodGone:
        # The end of its output says why.
        return
