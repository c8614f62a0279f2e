"""Services of the process that a session runs in: a daemon can do more than a pipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


def _nothing(_: object) -> None:
    return None


class Surroundings(NamedTuple):
    """Callbacks whose defaults do nothing: those of a session without a daemon.

    `opened` is told of every workspace with a sandboxd.toml that an editor opens; `status` gives
    the `ProjectStatus` of a workspace or None; `watch` sets the folders whose changes are told
    to `Session.files_changed`; `gateway` gives the gateway that runs for a workspace or None.
    """

    opened: Callable[[str], None] = _nothing
    status: Callable[[str], Any] = _nothing
    watch: Callable[[frozenset[str]], None] = _nothing
    gateway: Callable[[str], Any] = _nothing


ALONE = Surroundings()
