"""Sends a request again while the API server is gone or busy, as it is for some seconds when it is restarted or updated."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, TypeVar

from sandboxd.backends.kubernetes import failures

if TYPE_CHECKING:
    from collections.abc import Callable

_Answer = TypeVar("_Answer")

BOUND_SECONDS = 60.0
"""How long a request is sent again to an API server that has answered this process before."""
_STRANGER_SECONDS = 8.0
"""The same for one that never answered with more than that it is busy."""
_LONGEST_WAIT = 5.0
_BUSY = (429, 503)
"""HTTP codes by which nothing was done."""
_CUT = (502, 504)
"""HTTP codes of a proxy whose API server is gone: what was asked for may have been done."""
_OF_STORE = "etcdserver: "
"""The beginning of the message of a 500 where the cluster's store has no leader for a moment."""


class Patience:
    """How patient requests to one API server are."""

    def __init__(self) -> None:
        self.say: Callable[[str], None] = lambda _: None
        """Called when an API server that answered before does not, with a text for the user."""
        self._has_answered = False

    def ask(self, ask: Callable[[], _Answer], *, is_idempotent: bool = True) -> _Answer:
        """The answer of `ask`, which is called again after a failure that passes.

        :param is_idempotent: whether it may be done twice; otherwise `ask` is called again only where nothing was done
        :raises EnvironmentFailure: the failure of the last call
        """
        begun = time.monotonic()
        for number in itertools.count():
            try:
                answer = ask()
            except (failures.Refused, failures.Unreachable) as error:
                left = begun + self._bound(error, is_idempotent) - time.monotonic()
                if left <= 0:
                    # What follows, as taking away what was made, does not wait as long once more.
                    self._has_answered = isinstance(error, failures.Refused)
                    raise
                if not number and isinstance(error, failures.Unreachable):
                    self.say(f"{error.message}; asking again for up to {BOUND_SECONDS:g} s")
                time.sleep(min(_LONGEST_WAIT, 0.5 * 2.0 ** min(number, 8), left))
            else:
                self._has_answered = True
                return answer
        raise AssertionError("unreachable")

    def _bound(self, error: failures.Refused | failures.Unreachable, is_idempotent: bool) -> float:
        """For how many seconds since the first call it is called again."""
        if isinstance(error, failures.Unreachable):
            passes = error.passes and (is_idempotent or error.is_unsent)
            return BOUND_SECONDS if passes and self._has_answered else 0.0
        is_cut = error.code in _CUT or (error.code == 500 and _OF_STORE in error.message)
        if error.code in _BUSY or (is_cut and is_idempotent):
            return BOUND_SECONDS if self._has_answered and error.code != 429 else _STRANGER_SECONDS
        return 0.0
