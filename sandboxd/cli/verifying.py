"""A verification, by the daemon that runs or in this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.cli import through_daemon
from sandboxd.cli.commands import _sandbox
from sandboxd.ipc import messages
from sandboxd.operations import wire

if TYPE_CHECKING:
    from sandboxd.operations.verify import Verified


def verified(
    directory: str,
    *,
    container: str | None = None,
    is_fresh: bool = False,
    with_controls: bool = False,
) -> Verified:
    """Attack a sandbox, with its progress on stderr; see `operations.verify`."""
    options = {"container": container, "is_fresh": is_fresh, "with_controls": with_controls}
    answer = through_daemon.operate(messages.VERIFY, directory, options, _sandbox.say)
    if answer is not None:
        return wire.verified(answer)
    from sandboxd.cli.cancelling import cancelled_by_signals
    from sandboxd.operations.verify import verify

    with cancelled_by_signals() as cancel:
        return verify(
            _sandbox.connect(),
            directory,
            os.environ,
            container=container,
            is_fresh=is_fresh,
            with_controls=with_controls,
            progress=_sandbox.show,
            cancel=cancel,
        )
