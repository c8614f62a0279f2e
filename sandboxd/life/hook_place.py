"""The port between lifecycle hooks and the running sandbox of an engine or a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Ask = Callable[[Sequence[str], float], bytes]
    """Runs a short command inside within so many seconds; returns its output on stdout. May raise EnvironmentFailure."""


class Begun(Protocol):
    """A command that was started in the sandbox."""

    def hear(self, write: Callable[[int, bytes], None]) -> None:
        """Pass its output to `write` (1 stdout, 2 stderr); return when it ends or the connection to it breaks."""

    def code(self) -> int:
        """Return its exit code. To be called when its output has ended.

        :raises EnvironmentFailure: the sandbox ended before it, or with it
        """

    def is_over(self) -> bool:
        """Return whether the command has ended.

        :raises EnvironmentFailure: the engine or the cluster does not say
        """

    def close(self) -> None:
        """Close the connection to it; the command itself goes on."""


class Place(Protocol):
    """A running sandbox in which lifecycle hooks are run."""

    key: str
    """The name under which its hooks are recorded, unique among all sandboxes of the user."""
    id: str
    """The id of the container or the Pod, which changes whenever that is created again."""
    started: str
    """Its start time as a text in any format; only compared, since it changes with each start."""
    option: str
    """The command-line options that select this sandbox, to put behind a command; '' for none."""
    user: str
    """The user that hooks run as, as the plan names it; '' for the image's own user."""

    def own_environment(self) -> Sequence[str]:
        """Return the environment variables of its container, ``NAME=value`` each.

        :raises EnvironmentFailure: they cannot be determined
        """

    def ask(self, words: Sequence[str], seconds: float, /) -> bytes:
        """Run a short command as the sandbox's user; return its output on stdout.

        :raises EnvironmentFailure: it does not end within `seconds`, or writes too much
        """

    def begin(self, words: Sequence[str], env: Mapping[str, str], folder: str, mark: str) -> Begun:
        """Start a command as the sandbox's user, with an empty stdin.

        :param env: variables added to those of the container
        :param folder: its working directory; '' for the workspace
        :param mark: a further variable, ``NAME=value``, by which its processes are found for `signal`
        :raises EnvironmentFailure: it cannot be started
        """

    def signal(self, mark: str, number: int, seconds: float) -> None:
        """Send the signal `number` to all processes whose environment holds `mark`; no error if that fails within
        `seconds`.
        """

    def network_now(self) -> object:
        """Return a position in the record of its gateway, to pass to `refused_since`; None without a gateway."""

    def refused_since(self, state: object) -> tuple[str, ...]:
        """Return the host names refused since `network_now` returned `state`, each as an argument of `sandboxd egress
        allow`.
        """
