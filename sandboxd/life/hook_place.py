"""The port between lifecycle hooks and the running sandbox of an engine or a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Ask = Callable[[Sequence[str], float], bytes]
    """Runs a short command inside within so many seconds; returns its output on stdout. May raise EnvironmentFailure."""


class Begun(Protocol):
    """A command that was begun inside."""

    def hear(self, write: Callable[[int, bytes], None]) -> None:
        """Hand its output to `write` (1 stdout, 2 stderr), until it ends or its connection does."""

    def code(self) -> int:
        """Return its exit code, once its output has ended.

        :raises EnvironmentFailure: the sandbox ended with or before it
        """

    def is_over(self) -> bool:
        """Return whether it ended.

        :raises EnvironmentFailure: that is not known
        """

    def close(self) -> None:
        """Cut the connection to it."""


class Place(Protocol):
    """A running sandbox."""

    key: str
    """The name of its record, among all sandboxes of the user."""
    id: str
    """The id of the container or the Pod: another one for each that is made."""
    started: str
    """The time of its start, in any spelling: another one for each start."""
    option: str
    """The options by which a command means this sandbox, '' for none."""
    user: str
    """The user of its processes, as the plan names it; '' for the image's own."""

    def own_environment(self) -> Sequence[str]:
        """Return its variables, ``NAME=value`` each.

        :raises EnvironmentFailure: they cannot be had
        """

    def ask(self, words: Sequence[str], seconds: float, /) -> bytes:
        """Run a short command, as its user; returns its output on stdout.

        :raises EnvironmentFailure: it does not end within `seconds`, or writes without end
        """

    def begin(self, words: Sequence[str], env: Mapping[str, str], folder: str, mark: str) -> Begun:
        """Begin a command without input, as its user.

        :param env: variables beside its own
        :param folder: to work in, '' for the workspace
        :param mark: a further variable, ``NAME=value``
        :raises EnvironmentFailure: it cannot be begun
        """

    def signal(self, mark: str, number: int, seconds: float) -> None:
        """Signal the processes whose environment holds `mark`; nothing where that cannot be done in time."""

    def network_now(self) -> object:
        """Return the state of its gateway's record, for `refused_since`; None where there is none."""

    def refused_since(self, state: object) -> tuple[str, ...]:
        """Return the names that were refused after `network_now` gave `state`, as `sandboxd egress allow` takes them."""
