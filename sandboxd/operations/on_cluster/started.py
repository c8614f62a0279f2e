"""The result of a start on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.operations.on_cluster._send import Sent
    from sandboxd.operations.on_cluster.refresh import Newer, Refreshed
    from sandboxd.plan.reasons import Downgrade


class Started(NamedTuple):
    """`how` is ``started``, ``already running`` or ``refreshed``; `sent` is None if no copy was sent; `refreshed` None
    if nothing was refreshed.
    """

    how: str
    pod: str
    uid: str
    """The UID of the Pod."""
    node: str
    profile: str
    runtime_class: str
    not_in_force: tuple[Downgrade, ...]
    changed: tuple[str, ...] = ()
    """What the cluster changed in the objects when they were applied."""
    sent: Sent | None = None
    problem: str = ""
    """The reason why the start is not in the audit record; '' if it is."""
    newer: Newer | None = None
    """Files that are newer on the host than the copy of a sandbox that ran already; None if that was not compared."""
    refreshed: Refreshed | None = None
    failure: str = ""
    """A message about the lifecycle hook that failed, '' for none; the sandbox runs all the same."""
    hint: str = ""
