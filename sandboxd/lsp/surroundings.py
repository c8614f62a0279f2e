"""Services of the process in which a session runs; the daemon has more than a process for one editor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


def _nothing(_: object) -> None:
    return None


class Surroundings(NamedTuple):
    """Callbacks; the defaults, for a session without a daemon, do nothing.

    `opened` is called with every workspace with a sandboxd.toml that an editor opens. `status` returns the
    `ProjectStatus` of a workspace, or None. `watch` sets the folders whose changes are passed to
    `Session.files_changed`. `gateway` returns the running gateway of a workspace, or None.
    """

    opened: Callable[[str], None] = _nothing
    status: Callable[[str], Any] = _nothing
    watch: Callable[[frozenset[str]], None] = _nothing
    gateway: Callable[[str], Any] = _nothing


ALONE = Surroundings()
