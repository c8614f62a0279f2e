"""Starts that may need an image first, for which a person at the terminal is asked."""

from __future__ import annotations

import sys

from sandboxd import terminal
from sandboxd.cli import progress
from sandboxd.cli.operating import operate
from sandboxd.errors import SandboxdError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sandboxd.operations.start_options import AgentOptions, StartOptions


def start_with_images(
    name: str, directory: str, options: StartOptions | AgentOptions, *, starts_daemon: bool
) -> Any:
    """The result of the operation `name`, as JSON; its steps are shown.

    Where the engine lacks the image, a person at the terminal is asked once whether to get it, as with `--pull`.

    :param starts_daemon: as `through_daemon.operate`
    :raises SandboxdError: it failed
    """
    try:
        return _start(name, directory, options, starts_daemon)
    except SandboxdError as error:
        if error.option != "--pull" or options.pull or not _agrees(error):
            raise
    return _start(name, directory, options.changed(pull=True), starts_daemon)


def _start(
    name: str, directory: str, options: StartOptions | AgentOptions, starts_daemon: bool
) -> Any:
    try:
        say = progress.OneLine().say
        return operate(
            name, directory, options, say, gives_environ=True, starts_daemon=starts_daemon
        )
    finally:
        progress.clear()


def _agrees(error: SandboxdError) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    terminal.status(error.message)
    return terminal.answers("get it from its registry? [y/N] ", "y", "yes")
