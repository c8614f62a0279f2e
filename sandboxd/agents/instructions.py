"""The text that tells an agent, in a file of its home, about the sandbox that it works in. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.model.labels import ASK_PROGRAM

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD = "instructions"
"""The placeholder for this text in the files of an agent."""

_PLACE = """\
# Where you work

You work inside a sandbox of sandboxd, on a private copy of the project in `{folder}`. A person reviews what you
change before any of it reaches the project itself: commit as you like, and leave nothing unfinished behind.

- The network lets only allowed names through. An answer 403 of a proxy, or a name that is not found, means that
  the name is not allowed: trying again, or another way round, does not help.
{allowed}- {ask}
- Secrets are not here: a placeholder stands in their place, and the gateway puts them in. Do not look for them.
- No engine of containers is here, and nothing leads to the machine around you.
"""
_BY_PROGRAM = (
    "Where you need a name, ask the person for it: `{program} egress NAME --why TEXT`.\n"
    "  With `--wait` it returns once the person has answered, which may take long."
)
_BY_WORDS = (
    "Where you need a name, say which and why at the end of your work: the person can allow it."
)


def text(folder: str, allowed: Sequence[str], *, can_ask: bool) -> str:
    """The instructions for the agent.

    :param folder: the path of the project inside
    :param allowed: the groups and names that are let through now; () for none, or all
    :param can_ask: whether the sandbox has the program with which it asks for hosts to be allowed
    """
    ask = _BY_PROGRAM.format(program=ASK_PROGRAM) if can_ask else _BY_WORDS
    names = f"- Allowed when this was written: {', '.join(allowed)}.\n" if allowed else ""
    return _PLACE.format(folder=folder, ask=ask, allowed=names)
