"""Commands in a sandbox on a cluster."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Any

from sandboxd import terminal
from sandboxd.backends import selection
from sandboxd.backends.backend import CommandRequest
from sandboxd.operations import exec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxd.backends.command import Attended


@contextlib.contextmanager
def beginning(
    on: str, directory: str, words: list[str], *, tty: bool, stdin: bool, name: str, **more: Any
) -> Iterator[tuple[Callable[[], Attended], bool]]:
    """A function that begins a command on the cluster of the context `on`, and whether the command gets our input.

    Leaving the block closes the connection, however the command ended: its threads would keep this process.

    :param stdin: whether it is to get our input if there is any
    :param more: for `CommandRequest`
    """
    ends = stdin and not tty and _ends()
    # A terminal whose output goes elsewhere, and /dev/null, have nothing for the command.
    stdin = stdin and (tty or ends)
    request = CommandRequest(words, directory, tty, stdin, ends, **more)
    backend = selection.connect(on, os.environ)

    def begin() -> Attended:
        command = exec.begin(backend, request, name, terminal.status)
        stack.callback(command.close)
        return command

    with contextlib.ExitStack() as stack:
        yield begin, stdin


def _ends() -> bool:
    """Whether our input is a file, a pipe or a socket, which ends."""
    try:
        return not stat.S_ISCHR(os.fstat(0).st_mode)
    except OSError:
        return False
