"""The lifecycle hooks of a sandbox that was just started, and the secrets and dotfiles that the user brings inside."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from sandboxd.engine.interruption import Step, lines, passing
from sandboxd.errors import UsageError
from sandboxd.state import failed_command
from sandboxd.state.failed_command import FailedCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.life.hooks import Failure
    from sandboxd.life.starting import Running
    from sandboxd.operations.start_options import StartOptions
    from sandboxd.plan.plan import Plan

_LAST_LINES = 100
"""Of the output of the hooks, for the reason why one failed."""


def require_allowed(options: StartOptions, environ: Mapping[str, str]) -> None:
    """Refuse secrets and dotfiles that the user wants inside, if a policy forbids it or the dotfiles are not valid.

    :raises UsageError: the policy lets the user grant nothing, or the dotfiles are not a repository
    """
    from sandboxd.life.dotfiles import with_dotfiles
    from sandboxd.model.remote import NO_REMOTE
    from sandboxd.policy import floor

    if not options.secrets and not options.dotfiles:
        return
    if (demands := floor.load(environ)).no_trust:
        option = "--env-file" if options.secrets else "--dotfiles"
        raise UsageError(
            f"`{demands.path_of('trust')}` forbids to grant anything, and `{option}` brings something of "
            "yours inside",
            "leave it out; `sandboxd credentials list` shows what tools inside can use without having it",
        )
    if options.dotfiles:
        with_dotfiles(NO_REMOTE, options.dotfiles)


def run(
    engine: Engine,
    running: Running,
    plan: Plan,
    environ: Mapping[str, str],
    options: StartOptions,
    progress: Progress,
    cancel: Cancel,
) -> Failure | None:
    """Run the lifecycle hooks that this start has to run; return the failure of the first that failed, None if none did.

    :raises EnvironmentFailure: the engine failed
    """
    from sandboxd.life import hooks
    from sandboxd.life.dotfiles import with_dotfiles
    from sandboxd.life.hooks_in_container import InContainer

    began, output = time.time(), deque[str](maxlen=_LAST_LINES)
    tell = _noting(output, lines(progress, cancel))
    remote = hooks.settle(running.inspected, plan, environ, options.secrets)
    if options.dotfiles:
        remote = with_dotfiles(remote, options.dotfiles)
    for line in (*hooks.said_of_secrets(remote), *remote.refused):
        tell(line)
    failure = None
    if running.sick and remote.hooks:
        tell("not run: the lifecycle hooks, which may need its services")
    elif options.hooks:
        # The output of hooks stays on the screen, unlike the steps of the start.
        progress(Step("", is_passing=True))
        for refused in plan.hooks_refused:
            tell(f"not run: {refused.item}: {refused.why}")
        place, until_ready = InContainer(engine, running.inspected, plan), options.until_ready
        failure = hooks.run(
            place,
            plan,
            remote,
            environ,
            tell,
            cancel.check,
            until_ready=until_ready,
            tell_again=_noting(output, passing(progress, cancel))
            if options.hooks_in_short
            else None,
        )
    elif options.dotfiles:
        tell("not run: the installation of your dotfiles, because of `--no-hooks`")
    if remote.is_written:
        # A hook that runs again may change it again.
        is_final = failure is None and not running.sick
        hooks.keep_environment(engine, running.inspected, plan, remote, environ, tell, is_final)
    if failure is not None:
        # For `sandboxd why`.
        words, text = (failure.stage,), "\n".join(output)
        code, now = failure.code, time.time()
        failed_command.keep(
            environ,
            FailedCommand(plan.sandbox, plan.workspace, words, code, text, began, now),
        )
    return failure


def _noting(output: deque[str], tell: Callable[[str], None]) -> Callable[[str], None]:
    """`tell`, which also adds each text to `output`."""

    def note(text: str) -> None:
        output.append(text)
        tell(text)

    return note
