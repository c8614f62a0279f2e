"""A verification, by the daemon that runs or in this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.cli import progress, through_daemon
from sandboxd.ipc import messages
from sandboxd.operations import wire

if TYPE_CHECKING:
    from sandboxd.operations.verify import Verified


def verify_sandbox(
    directory: str,
    *,
    container: str | None = None,
    is_fresh: bool = False,
    with_controls: bool = False,
) -> Verified:
    """Attack a sandbox, with its progress on stderr; see `operations.verify`."""
    options = {"container": container, "is_fresh": is_fresh, "with_controls": with_controls}
    answer = through_daemon.operate(messages.VERIFY, directory, options, progress.say)
    if answer is not None:
        return wire.verified(answer)
    from sandboxd.cli.cancelling import cancelled_by_signals
    from sandboxd.engine.client import connect_from
    from sandboxd.operations.verify import verify

    with cancelled_by_signals() as cancel:
        return verify(
            connect_from(os.environ),
            directory,
            os.environ,
            container=container,
            is_fresh=is_fresh,
            with_controls=with_controls,
            progress=progress.show,
            cancel=cancel,
        )
