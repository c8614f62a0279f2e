"""Commands in a sandbox on a cluster."""

from __future__ import annotations

import argparse
import contextlib
import os
import stat
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli import attend
from sandboxd.operations.on_cluster import exec, following

if TYPE_CHECKING:
    from sandboxd.backends.command import Attended
    from sandboxd.backends.kubernetes.target import Target


def run_command(
    where: Target, args: argparse.Namespace, words: list[str], *, tty: bool, stdin: bool
) -> int:
    """Run `words`, or a shell where there are none, and attend to it; its exit code."""
    variables = list(getattr(args, "env", []))
    if variables:
        terminal.status(
            "a variable of `-e` is in the request, which the cluster may log: a secret goes in by `sandboxd cp FILE :`"
        )
    ends = stdin and not tty and _ends()
    # A terminal whose output goes elsewhere, and /dev/null, have nothing for the command.
    stdin = stdin and (tty or ends)
    if text := following.follow(where).words:
        terminal.status(text)

    def begin() -> Attended:
        command = exec.begin(
            where,
            words,
            tty=tty,
            stdin=stdin,
            must_end_input=ends,
            env=attend.terminal_variables(tty) + variables,
            working_dir=getattr(args, "workdir", ""),
        )
        stack.callback(command.close)
        return command

    # However it ends: the connection has threads that would keep this process.
    with contextlib.ExitStack() as stack:
        return attend.run_begun(begin, words[0] if words else "", tty=tty, stdin=stdin)


def _ends() -> bool:
    """Whether our input is a file, a pipe or a socket, which ends."""
    try:
        return not stat.S_ISCHR(os.fstat(0).st_mode)
    except OSError:
        return False
