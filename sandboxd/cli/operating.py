"""An operation on a sandbox, done by the daemon that runs, or in this process."""

from __future__ import annotations

import os

from sandboxd.cli import progress, through_daemon
from sandboxd.ipc import messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from sandboxd.cli.daemon_start import NotRunning
    from sandboxd.engine.interruption import Step
    from sandboxd.operations.option import Options


def operate(
    name: str,
    directory: str,
    chosen: Options | Mapping[str, object],
    say: Callable[[str, bool], None] = progress.say,
    *,
    gives_environ: bool = False,
    starts_daemon: bool | None = None,
    on: str = "",
) -> Any:
    """The result of the operation `name` of `sandboxd.operations`, as JSON.

    :param chosen: what the operation's `serve` reads: its options, or their JSON
    :param gives_environ: send this process's variables with them, of which configs name some
    :param say: called with each step (text, whether the next one replaces it)
    :param starts_daemon: as `through_daemon.operate`
    :param on: the context of the cluster that is meant, which no daemon asks; '' for this machine
    :raises SandboxdError: it failed
    :raises Interrupted: it was cancelled by a signal
    """
    options = dict(chosen)
    if gives_environ:
        options["environ"] = dict(os.environ)
    reasons: list[NotRunning] = []
    answer = None
    if not on:
        answer = through_daemon.operate(
            messages.OPERATION + name,
            directory,
            options,
            say,
            starts_daemon=starts_daemon,
            tell_open=reasons.append,
        )
    if answer is None:
        answer = _here(name, directory, options, say, on)
    if reasons:
        from sandboxd.cli import daemon_start

        # Not before: of a sandbox that was not started nothing is open.
        progress.clear()
        daemon_start.say_open(reasons[0])
    return answer


def _here(
    name: str,
    directory: str,
    options: Mapping[str, object],
    say: Callable[[str, bool], None],
    on: str,
) -> Any:
    """Run the operation in this process, without a daemon."""
    from contextlib import nullcontext

    from sandboxd import operations
    from sandboxd.cli.cancelling import cancelled_by_signals
    from sandboxd.engine.client import connect_from
    from sandboxd.engine.interruption import Cancel
    from sandboxd.operations.request import Request
    from sandboxd.operations.wire import encode

    operation = operations.load(name)
    assert operation is not None, f"`{name}` is no operation"

    def tell(step: Step) -> None:
        say(step.text, step.is_passing)

    # What is done on a cluster has no steps to end at: the signal itself ends it.
    with nullcontext(Cancel()) if on else cancelled_by_signals() as cancel:
        request = Request(
            directory,
            os.environ,
            options,
            lambda: connect_from(os.environ),
            progress=tell,
            cancel=cancel,
            on=on,
        )
        return encode(operation.serve(request))
