"""Have the sandboxes that run take over what the user changed, in the process of the command that changed it.

With a daemon its loops do so as well; without one nobody else does.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.host import given_rights
from sandboxd.model.sandbox_id import workspace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine

_LONGEST_SECONDS = 30.0
"""Seconds after which a sandbox counts as out of reach."""


class Outcome(NamedTuple):
    """What became of one sandbox that was given something."""

    sandbox: str
    """Its identity."""
    is_followed: bool
    """Whether its gateway runs, and has what it may have now."""
    problem: str = ""
    """The reason why it has something else; '' where it has not, or where no such sandbox runs."""
    hint: str = ""
    has_less: bool = False
    """Whether that is less than it may have: what cannot be recorded is not given."""

    @property
    def behind(self) -> str:
        """The reason why it may have more than it may have now; '' where it has not."""
        return "" if self.has_less else self.problem

    @property
    def words(self) -> str:
        """What a person has to know of it; '' for nothing."""
        if not self.problem:
            return ""
        amount = "has less" if self.has_less else "may have more"
        return f"the sandbox {amount} than it may have now: {self.problem}"


def follow_all(
    environ: Mapping[str, str], connect: Callable[[], Engine], workspace: str = ""
) -> tuple[Outcome, ...]:
    """Run the loop once for each sandbox of this user that was given anything; no engine is asked where none was.

    :param connect: the engine; called in several threads
    :param workspace: only for the sandboxes of this one, a real path; '' for all
    """
    meant = [
        each for each in given_rights.sandboxes(environ) if workspace in ("", workspace_of(each))
    ]
    outcomes = {each: _silent(each) for each in meant}

    def run(sandbox: str) -> None:
        outcomes[sandbox] = _follow(sandbox, environ, connect)

    # One that hangs keeps no other from being taken back.
    threads = [threading.Thread(target=run, args=(each,), daemon=True) for each in meant]
    for thread in threads:
        thread.start()
    end = time.monotonic() + _LONGEST_SECONDS
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0.0))
    return tuple(outcomes[each] for each in meant)


def follow_one(sandbox: str, environ: Mapping[str, str], connect: Callable[[], Engine]) -> Outcome:
    """Run the loop once for one sandbox, where it was given anything."""
    if given_rights.recall(environ, sandbox) is None:
        return Outcome(sandbox, False)
    return _follow(sandbox, environ, connect)


def _follow(sandbox: str, environ: Mapping[str, str], connect: Callable[[], Engine]) -> Outcome:
    from sandboxd.life.gateway import GatewayGone
    from sandboxd.operations import gateway

    try:
        return Outcome(sandbox, gateway.follow(connect(), sandbox, environ) is not None)
    except GatewayGone:
        return Outcome(sandbox, False)
    except SandboxdError as error:
        has_less = not gateway.leaves_too_much(error)
        return Outcome(sandbox, False, error.message, error.hint, has_less)


def _silent(sandbox: str) -> Outcome:
    return Outcome(
        sandbox,
        False,
        f"its engine or its gateway does not answer: waited {_LONGEST_SECONDS:g} s",
        "`sandboxd down` in its folder ends it",
    )
