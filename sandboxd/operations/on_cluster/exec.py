"""Starts a command in a sandbox on a cluster; the caller handles its streams, signals and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes.target import running_pod
from sandboxd.cluster.attended import PodCommand
from sandboxd.operations.shell import SCRIPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.backends.kubernetes.target import Target


def begin(
    target: Target,
    words: Sequence[str],
    *,
    tty: bool,
    stdin: bool,
    must_end_input: bool,
    env: Sequence[str] = (),
    working_dir: str = "",
) -> PodCommand:
    """Start `words` in the running sandbox.

    :param words: the command; [] for a shell
    :param must_end_input: whether stdin is a file or a pipe, whose end the command has to see
    :param working_dir: '' for the workspace
    :raises PodGone: no sandbox runs there
    :raises NoEndOfInput: the cluster is too old to signal the end of stdin
    """
    running_pod(target)
    return PodCommand(
        target.cluster,
        target.pod,
        words or ("sh", "-c", SCRIPT),
        folder=working_dir or target.here,
        env=env,
        tty=tty,
        stdin=stdin,
        must_end_input=must_end_input,
    )
