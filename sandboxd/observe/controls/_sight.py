"""The observations by which controls are judged, and phrases that several controls share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.observe.control import Control

if TYPE_CHECKING:
    from sandboxd.model.container import Container
    from sandboxd.observe.outside import Outside
    from sandboxd.observe.process import Process

APPLIES = "asked of the engine, and gVisor's kernel applies it"


class Sight(NamedTuple):
    """The observations of a running container by which each control is judged."""

    live: Container
    """The container as the engine describes it."""
    process: Process | None
    """Its first process as the host, or an observer container of ours, sees it; None if neither can."""
    outside: Outside
    host_boot_id: str = ""
    """The host's boot id; '' if it cannot be read."""


def blind(name: str) -> tuple[Control, ...]:
    """The control `name` in the state "not seen", because the container's process cannot be seen."""
    why = "the host's /proc is closed here, and no observer could be started"
    return (Control(name, "not seen", why),)


def by_whom(sight: Sight) -> str:
    """A phrase about the source of a limit: the control group, or only the engine's description."""
    return "by the host's control group" if sight.outside.sees_group else "as the engine was asked"


def limit(name: str, text: str, requested: object) -> tuple[Control, ...]:
    """The control for a limit that the host's control group enforces.

    :param text: the limit that was observed, in words; '' for none
    :param requested: the value that the engine was asked for; None for none
    """
    if text:
        return (Control(name, "in force", text),)
    if requested is not None:
        why = "it was asked for, and the host's control group has none"
        return (Control(name, "not in force", why),)
    return (Control(name, "left out", "none is set"),)
