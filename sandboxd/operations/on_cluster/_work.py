"""The changes of a sandbox on a cluster, got out of its Pod into a file of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.cluster import records, running
from sandboxd.errors import SandboxdError, UsageError
from sandboxd.operations.on_cluster._deliver import PART
from sandboxd.operations.on_cluster.target import running_pod
from sandboxd.review import collect, stop_notes
from sandboxd.review.host_times import Times

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.operations.on_cluster.target import Target
    from sandboxd.review.changes import Changes
    from sandboxd.review.collect import Inside

_GO_ON = f'rm -f "$1/{PART}"; kill -CONT -1'


def collected(target: Target, *, stop_others: bool) -> Changes:
    """The changes of the running sandbox, kept in a new file; the caller removes it.

    :param stop_others: stop what runs in it first, since it is about to end
    :raises PodGone: it does not run
    :raises UsageError: this machine did not copy the workspace there
    :raises EnvironmentFailure: they cannot be had, or cannot be believed
    """
    pod = running_pod(target)
    record = records.recall(target.environ, target.cluster.context, target.pod)
    if record is None or record.uid != pod["metadata"]["uid"]:
        raise UsageError(
            "what was copied to this sandbox is noted on the machine that started it, and not on this one",
            f"run it there; or take files out: `sandboxd cp{target.option} :FILE .`",
        )

    times = None
    if record.times is not None:
        times = {path: Times(*pair) for path, pair in record.times.items()}
    copy = collect.Copy(record.folder, record.started, listed=dict(record.listed), times=times)
    if stop_others:
        stop_notes.note(target.environ, record.uid)
    return collect.collect_by(
        inside(target), copy, target.sandbox, target.pod, stop_others=stop_others
    )


def let_go_on(target: Target, uid: str) -> bool:
    """Continue the processes that were stopped in the Pod `uid`, which does not end after all.

    What a part of a file left that was being sent is removed. False where the Pod did not take the command;
    then the note of it stays.
    """
    try:
        running.quietly(target.cluster, target.pod, ["sh", "-c", _GO_ON, "sh", target.folder])
    except SandboxdError:
        return False
    stop_notes.forget(target.environ, uid)
    return True


def inside(target: Target) -> Inside:
    """The way in which programs of ours run in the Pod of `target`."""

    def run(
        command: list[str], data: bytes, seconds: float, write: Callable[[int, bytes], None]
    ) -> int:
        return running.run(target.cluster, target.pod, command, data, seconds, write)

    return run
