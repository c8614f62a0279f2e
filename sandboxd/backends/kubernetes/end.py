"""Removes a sandbox from its cluster, after saving its changes on this machine."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes import api, objects, records, running, sandboxes, waiting, work
from sandboxd.backends.kubernetes.target import is_cut_off, lost_words
from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.review import rescue, stop_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from sandboxd.backends.kubernetes.target import Target


def end(target: Target, *, discard: bool, say: Callable[[str], None]) -> tuple[str, ...]:
    """Remove the sandbox of `target`; return the name of its Pod, () if there was none. A refresh that is under way is
    waited for.

    :param discard: throw away its changes; otherwise they are saved first
    :param say: called with where the changes are saved, or that they are lost
    :raises EnvironmentFailure: the changes cannot be saved; then the sandbox keeps running
    :raises UsageError: another user or machine started it
    """
    with _no_refresh(target, say):
        return _end(target, discard=discard, say=say)


@contextlib.contextmanager
def _no_refresh(target: Target, say: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other process sends newer files to the Pod, and let none begin while the block runs."""

    def before_wait() -> None:
        say(
            "another process of yours sends newer files to the sandbox: waiting until it has done so"
        )

    place = (target.environ, target.cluster.context, target.pod)
    with contextlib.ExitStack() as stack:
        # Where there is no place for a lock, there is none for a refresh either.
        with contextlib.suppress(EnvironmentFailure):
            stack.enter_context(records.locked(*place, records.REFRESH, before_wait))
        yield


def _end(target: Target, *, discard: bool, say: Callable[[str], None]) -> tuple[str, ...]:
    pod = target.cluster.get(api.POD, target.pod)
    if pod is not None and target.cluster.is_anothers(pod):
        kubectl = target.cluster.context.kubectl
        raise UsageError(
            f"the Pod `{target.pod}` was started by somebody else, or from another machine",
            f"run it there; if that machine or its state folder is gone: `{kubectl} delete pod {target.pod}`",
        )
    ended = waiting.end_of(pod) if pod is not None else _end_without_pod(target)
    keeping: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if ended:
        say(f"what was changed in the sandbox since the last `review` is lost: {ended}")
    elif lost := lost_words(target):
        say(lost)
    elif pod is not None and not discard and not is_cut_off(target, pod):
        keeping = _rescued(target, pod, say)
    with keeping:
        was_there = objects.take_away(target.cluster, target.pod)
    records.forget(target.environ, target.cluster.context, target.pod)
    return (target.pod,) if was_there else ()


def _end_without_pod(target: Target) -> str:
    """The reason why a Sandbox of agent-sandbox has no Pod any more; '' where there is none."""
    sandbox = sandboxes.find(target.cluster, target.pod)
    return sandboxes.end_of(sandbox) if sandbox is not None else ""


@contextlib.contextmanager
def _rescued(target: Target, pod: dict[str, Any], say: Callable[[str], None]) -> Iterator[None]:
    """Keep the changes, and have the block end the Pod; where it does not, its processes continue."""
    uid = pod["metadata"]["uid"]
    try:
        _keep(target, say)
        yield
    except BaseException:
        work.let_go_on(target, uid)
        raise
    stop_notes.forget(target.environ, uid)


def _keep(target: Target, say: Callable[[str], None]) -> None:
    record = records.recall(target.environ, target.cluster.context, target.pod)
    pod = target.cluster.get(api.POD, target.pod) or {}
    starts = (pod.get("status") or {}).get("phase") == "Pending"
    if starts or (record is None and _is_empty(target)):
        # A start that was killed: nothing of the project came so far.
        return
    try:
        rescued = rescue.hold(work.collected(target, stop_others=True))
    except SandboxdError as error:
        raise EnvironmentFailure(
            f"the work in the sandbox cannot be kept, so it goes on running: {error.message}",
            f"{error.hint}; or throw the work away: `sandboxd down{target.option} --discard`",
        ) from None
    rescue.report(rescued, target.option, say)


def _is_empty(target: Target) -> bool:
    words = ["sh", "-c", '[ -z "$(ls -A "$1")" ]', "sh", target.folder]
    try:
        return running.quietly(target.cluster, target.pod, words)[0] == 0
    except SandboxdError:
        return False
