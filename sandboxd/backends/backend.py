"""What an operation asks of the place where a sandbox runs: an engine of this machine, or a cluster."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sandboxd.forward.trunk import Trunk


class Ability(Enum):
    """An ability that some backends lack."""

    REACH_SERVICES = "reach services"
    """Forward ports of the services of a Compose project."""


class Refusal(NamedTuple):
    """Why a backend cannot do something, behind the name of what was asked for, and what to do `instead`."""

    why: str
    instead: str


class Running(NamedTuple):
    """A sandbox that runs.

    `id` is its container's or its Pod's, and another one after each start; `sandbox` is its identity.
    """

    id: str
    sandbox: str


class Backend(Protocol):
    """A place where sandboxes run."""

    @property
    def cannot(self) -> Mapping[Ability, Refusal]:
        """The abilities that it lacks, each with the reason and the next step."""

    def locate(self, project: str, name: str) -> Running:
        """The running sandbox `name` of the project in the folder `project`.

        :param name: '' for the unnamed one
        :raises EnvironmentFailure: no such sandbox runs
        """

    def run(
        self,
        running: Running,
        command: list[str],
        data: bytes,
        seconds: float,
        write: Callable[[int, bytes], None],
    ) -> int:
        """Run `command` inside with `data` as its whole input, and pass its output to `write`; return its exit code.

        :param write: called with each piece of output and its stream (1 stdout, 2 stderr)
        :raises TimeoutError: it did not end within `seconds`; it may still run
        :raises EnvironmentFailure: the sandbox ended with or before it
        """

    def read(self, running: Running, command: Sequence[str]) -> str:
        """The output of a short command that has no input.

        :raises EnvironmentFailure: the sandbox does not answer
        """

    def blaming_end(self, running: Running) -> AbstractContextManager[None]:
        """Raise a failure in the block as the end of the sandbox, if it does not run any more and that can be told."""

    def open_trunk(self, running: Running) -> Trunk:
        """Start the relay of ports inside; return the connection to it.

        :raises EnvironmentFailure: it does not start
        """

    def service_address(self, running: Running, service: str) -> str:
        """The IP address of a service as the sandbox reaches it; '' if it shares the sandbox's network.

        Only of a backend that can `REACH_SERVICES`.

        :raises EnvironmentFailure: the service does not run
        """
