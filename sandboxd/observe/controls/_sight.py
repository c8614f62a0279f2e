"""The observations that controls are judged by, and words that several of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.observe.control import Control

if TYPE_CHECKING:
    from sandboxd.model.container import Container
    from sandboxd.observe.outside import Outside
    from sandboxd.observe.process import Process

APPLIES = "asked of the engine, and gVisor's kernel applies it"


class Sight(NamedTuple):
    """A running container as it is seen."""

    live: Container
    """As the engine describes it."""
    process: Process | None
    """Its first process as the host or an observer of ours sees it, None where neither can."""
    outside: Outside
    host_boot_id: str = ""
    """'' where it is hidden."""


def blind(name: str) -> tuple[Control, ...]:
    """The control `name`, not seen, for a process that cannot be seen."""
    why = "the host's /proc is closed here, and no observer could be started"
    return (Control(name, "not seen", why),)


def by_whom(sight: Sight) -> str:
    """The witness of a limit, in words."""
    return "by the host's control group" if sight.outside.sees_group else "as the engine was asked"


def limit(name: str, text: str, requested: object) -> tuple[Control, ...]:
    """The control of a limit that the host's control group sets: `text` in words, '' for none.

    :param requested: the value that the engine was asked for, None for none
    """
    if text:
        return (Control(name, "in force", text),)
    if requested is not None:
        why = "it was asked for, and the host's control group has none"
        return (Control(name, "not in force", why),)
    return (Control(name, "left out", "none is set"),)
