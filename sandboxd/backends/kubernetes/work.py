"""Collects the changes of a sandbox on a cluster from its Pod into a file on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes import records, running
from sandboxd.backends.kubernetes.target import blaming_pod, running_pod
from sandboxd.errors import SandboxdError, UsageError
from sandboxd.review import collect, stop_notes
from sandboxd.review.arrival import PART
from sandboxd.review.host_times import Times

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.review.changes import Changes
    from sandboxd.review.collect import Inside

_GO_ON = f'rm -f "$1/{PART}"; kill -CONT -1'


def collected(target: Target, *, stop_others: bool) -> Changes:
    """Collect the changes of the running sandbox into a new file, which the caller removes.

    :param stop_others: first stop all other processes in it, for a sandbox that is about to end
    :raises PodGone: it does not run
    :raises UsageError: another machine copied the workspace there
    :raises EnvironmentFailure: they cannot be read, or are not plausible
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
    with blaming_pod(target, record.uid):
        return collect.collect_by(
            inside(target), copy, target.sandbox, target.pod, stop_others=stop_others
        )


def let_go_on(target: Target, uid: str) -> bool:
    """Continue the processes that `collected` stopped in the Pod `uid`, and remove a partly sent file.

    :returns: False if the Pod did not run the command; then it remains recorded that its processes are stopped
    """
    try:
        running.quietly(target.cluster, target.pod, ["sh", "-c", _GO_ON, "sh", target.folder])
    except SandboxdError:
        return False
    stop_notes.forget(target.environ, uid)
    return True


def inside(target: Target) -> Inside:
    """A function that runs a command in the Pod of `target`, for code that does the same in a container."""

    def run(
        command: list[str], data: bytes, seconds: float, write: Callable[[int, bytes], None]
    ) -> int:
        return running.run(target.cluster, target.pod, command, data, seconds, write)

    return run
