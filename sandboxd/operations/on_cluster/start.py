"""Start a project's sandbox on a cluster, or leave it alone when it runs like that already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes import api, end, objects, records, sandboxes
from sandboxd.backends.kubernetes.target import is_cut_off
from sandboxd.errors import SandboxdError, UsageError
from sandboxd.operations import recording
from sandboxd.operations.on_cluster import _hooks, _secrets, _send
from sandboxd.operations.on_cluster._create import create
from sandboxd.operations.on_cluster._reuse import reuse
from sandboxd.operations.on_cluster.planning import planned
from sandboxd.plan.writers import kubernetes
from sandboxd.policy import in_force

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.operations.on_cluster._install import Program
    from sandboxd.operations.on_cluster.options import ClusterOptions
    from sandboxd.operations.on_cluster.planning import Planned
    from sandboxd.operations.on_cluster.started import Started
    from sandboxd.plan.grants import Grants
    from sandboxd.plan.plan import Plan


def start(
    target: Target,
    options: ClusterOptions,
    grants: Grants,
    say: Callable[[str, bool], None],
    program: Program | None = None,
) -> Started:
    """Start the sandbox of `target`, unless it runs as planned already, and run the lifecycle hooks that are due.

    Of a start that fails nothing is left; where the API server is gone by then, the next start or `stop` takes it away.
    The failure of a lifecycle hook is no failure of the start: the sandbox runs on, and the result names the hook.

    :param say: called with each step, and whether the next may replace it on a terminal
    :param program: the agent's program to install in a new Pod before any file of the workspace arrives; None for none
    :raises SandboxdError: it cannot be started
    """
    in_force.require(target.environ)
    target.cluster.patience.say = lambda text: say(text, False)

    def before_wait() -> None:
        say("another process of yours starts this sandbox: waiting until it has done so", False)

    place = (target.environ, target.cluster.context, target.pod)
    with records.locked(*place, records.START, before_wait):
        started, plan = _start(target, options, grants, say, program)
    if not options.hooks:
        return started
    failure, hint = _hooks.run(target, started.uid, plan, say, until_ready=options.until_ready)
    return started._replace(failure=failure, hint=hint)


def _start(
    target: Target,
    options: ClusterOptions,
    grants: Grants,
    say: Callable[[str, bool], None],
    program: Program | None,
) -> tuple[Started, Plan]:
    """The running sandbox, before its hooks, and its plan."""
    wanted = planned(target, options, grants)
    plan = wanted.plan
    if not options.keeps_secrets:
        required = (use.name for use in plan.credentials if use.is_required)
        _secrets.require_none(required, target.environ)
    is_there = _is_there(target, options, say)
    if grants.allow_runc:
        recording.before_weak_start(target.environ, target.sandbox)
    if is_there:
        started = reuse(target, wanted, _passing(say), is_refreshed=options.refresh)
    else:
        started = _make(target, wanted, say, program)
    return started, plan


def _is_there(target: Target, options: ClusterOptions, say: Callable[[str, bool], None]) -> bool:
    """Whether there is a Pod to be left alone; a sandbox that is to be made anew is ended, and its work kept. What a
    start left that did not end is taken away.

    :raises UsageError: there is a Sandbox that has no Pod and gets none, so that nothing can be made of its name
    """
    present = target.cluster.get(api.POD, target.pod)
    if present is not None and is_cut_off(target, present):
        say("an earlier start of this sandbox did not end: taking away what it made", False)
        objects.take_away(target.cluster, target.pod)
        return False
    if options.recreate:
        # A Sandbox without a Pod keeps what others set in it, and its controller would go on with that.
        if present is not None or sandboxes.find(target.cluster, target.pod) is not None:
            removed = end.end(target, discard=False, say=lambda text: say(text, False))
            recording.stopped(
                target.environ, target.sandbox, removed, False, None, target.cluster.context.place
            )
        return False
    if present is not None:
        return True
    sandbox = sandboxes.find(target.cluster, target.pod)
    if sandbox is not None:
        why = sandboxes.end_of(sandbox) or sandboxes.reason_of(sandbox) or "it has no Pod"
        raise UsageError(
            f"the Sandbox `{target.pod}` is there, and does not run: {why}",
            f"`sandboxd down{target.option}` takes it away",
        )
    return False


def _make(
    target: Target,
    wanted: Planned,
    say: Callable[[str, bool], None],
    program: Program | None,
) -> Started:
    """Make the sandbox; of a failure nothing is left."""
    _send.require_room(target, kubernetes.room_of_work(wanted.plan), wanted.plan)
    records.note_start(target.environ, target.cluster.context, target.pod)
    try:
        return create(target, wanted, say, program)
    except BaseException:
        say("taking away what was made", True)
        _take_away(target, say)
        raise


def _passing(say: Callable[[str, bool], None]) -> Callable[[str], None]:
    """`say` for steps of which each makes room for the next."""
    return lambda text: say(text, True)


def _take_away(target: Target, say: Callable[[str, bool], None]) -> None:
    """Remove the objects that a failed start made; what cannot be removed because the cluster is away stays."""
    try:
        objects.take_away(target.cluster, target.pod)
    except SandboxdError as error:
        say(
            f"what was made is still on the cluster: {error.message}; `sandboxd up{target.option}` takes it away and "
            f"starts anew, `sandboxd down{target.option}` only takes it away",
            False,
        )
    else:
        records.forget(target.environ, target.cluster.context, target.pod)
