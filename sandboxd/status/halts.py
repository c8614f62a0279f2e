"""The present halts of sandboxes of a workspace, as they are recorded."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.errors import EnvironmentFailure
from sandboxd.halt import words
from sandboxd.life import halts
from sandboxd.status.observe import Sandbox


class Halted(NamedTuple):
    """The reason why a sandbox is halted, in words, and the command that resumes it."""

    why: str
    hint: str


def halted_now(sandbox: str, live: Sandbox | None) -> Halted | None:
    """The halt of a sandbox's container; None if it is not halted, or runs again.

    :param sandbox: the sandbox's identity
    """
    if live is None or (live.running and not live.paused):
        return None
    try:
        halt = halts.present(sandbox, live.id)
    except EnvironmentFailure as error:
        return Halted(error.message, words.rebuild(live.id) if live.is_editors else error.hint)
    if halt is None:
        return None
    return Halted(words.describe(halt), words.halted(halt, by_editor=live.is_editors).hint)
