"""The result of a start on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.operations.on_cluster._send import Sent
    from sandboxd.operations.on_cluster.refresh import Newer, Refreshed
    from sandboxd.plan.plan import Downgrade


class Started(NamedTuple):
    """`how` is ``started``, ``already running`` or ``refreshed``; `sent` is None where nothing had to be."""

    how: str
    pod: str
    uid: str
    """Of the Pod."""
    node: str
    profile: str
    runtime_class: str
    not_in_force: tuple[Downgrade, ...]
    changed: tuple[str, ...] = ()
    """Changes of our objects by the cluster."""
    sent: Sent | None = None
    problem: str = ""
    """The reason why the start is not recorded, '' where it is."""
    newer: Newer | None = None
    """The files that the host has newer than the copy of a sandbox that runs already."""
    refreshed: Refreshed | None = None
    failure: str = ""
    """The lifecycle hook that failed, '' for none; the sandbox runs."""
    hint: str = ""
