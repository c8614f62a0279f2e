"""`sandboxd daemon install`: have the system start the daemon, or take that back."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys

from sandboxd import terminal
from sandboxd.errors import EXIT_OK, EnvironmentFailure, UnreadableError, UsageError
from sandboxd.files import read_source, write_atomic

_LONGEST = 30.0


def install(undo: bool, only_show: bool) -> int:
    """Write the unit files and enable them, each step shown; with `undo` the reverse."""
    from sandboxd.daemon import units
    from sandboxd.ipc import address

    if sys.platform == "darwin":
        plan = units.launchd(os.environ, sys.executable, os.getuid())
    elif sys.platform == "linux":
        where = address.folder(os.environ, os.getuid())
        plan = units.systemd(os.environ, sys.executable, address.socket_path(where))
    else:
        raise UsageError("there is no daemon on this system", "use sandboxd inside WSL2")
    for unit in plan.units:
        _check_ours(unit.path, units.MARK)
    if undo:
        return _undo(plan.disable, [unit.path for unit in plan.units], only_show)
    for unit in plan.units:
        print(f"--- {terminal.printable(unit.path)}\n{unit.text}", end="")
        if not only_show:
            os.makedirs(os.path.dirname(unit.path), exist_ok=True)
            write_atomic(unit.path, unit.text.encode())
    sys.stdout.flush()
    if _run(plan.enable, only_show) and not only_show:
        terminal.status("the system starts the daemon; `sandboxd daemon install --undo` ends that")
    return EXIT_OK


def _undo(commands: tuple[tuple[str, ...], ...], paths: list[str], only_show: bool) -> int:
    _run(commands, only_show)
    for path in paths:
        terminal.status(f"{'would remove' if only_show else 'removing'} `{path}`")
        if not only_show:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
    return EXIT_OK


def _run(commands: tuple[tuple[str, ...], ...], only_show: bool) -> bool:
    """Run the commands; False, with a hint, at the first that fails. The files stay in place."""
    for command in commands:
        terminal.status(f"{'would run' if only_show else 'running'} `{shlex.join(command)}`")
        if only_show:
            continue
        try:
            result = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LONGEST
            )
            message = result.stderr.decode("utf-8", "replace").strip()
            problem = message if result.returncode else ""
        except (OSError, subprocess.TimeoutExpired) as error:
            problem = str(error)
        if problem:
            terminal.status(f"it failed: {terminal.printable(problem)}")
            terminal.status(f"hint: run `{shlex.join(command)}` where your session has a bus")
            return False
    return True


def _check_ours(path: str, mark: str) -> None:
    """:raises EnvironmentFailure: somebody else wrote a file of this name"""
    try:
        ours = mark in read_source(path).text
    except UnreadableError:
        ours = not os.path.lexists(path)
    if not ours:
        raise EnvironmentFailure(
            f"`{path}` is there and not ours, so it is left alone", f"look at it, then `rm {path}`"
        )
