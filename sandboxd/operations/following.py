"""Applies a change of the user's rights to all running sandboxes, in the process of the command that made it.

A daemon does so by itself; this is for the case that none runs.
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
"""Seconds after which a sandbox is reported as unreachable."""


class Outcome(NamedTuple):
    """The result of applying the present rights to one sandbox."""

    sandbox: str
    """The sandbox's identity."""
    is_followed: bool
    """Whether its gateway runs and enforces the present rights."""
    problem: str = ""
    """The reason why it enforces other rights; '' if it enforces the present ones, or no such sandbox runs."""
    hint: str = ""
    has_less: bool = False
    """Whether it has less than it may: a right that cannot be recorded in the audit record is not given."""

    @property
    def behind(self) -> str:
        """The reason why it may still have rights that were revoked; '' if it has none."""
        return "" if self.has_less else self.problem

    @property
    def words(self) -> str:
        """A sentence for the user; '' if there is nothing to report."""
        if not self.problem:
            return ""
        amount = "has less" if self.has_less else "may have more"
        return f"the sandbox {amount} than it may have now: {self.problem}"


def follow_all(
    environ: Mapping[str, str], connect: Callable[[], Engine], workspace: str = ""
) -> tuple[Outcome, ...]:
    """Apply the present rights to each of this user's sandboxes that was ever given any; no engine is asked if none
    was.

    :param connect: returns the engine; called in several threads
    :param workspace: the real path of the only workspace whose sandboxes are meant; '' for all
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
    """Apply the present rights to one sandbox, if it was ever given any.

    :param sandbox: the sandbox's identity
    """
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
