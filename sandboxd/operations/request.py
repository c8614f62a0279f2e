"""One request for an operation: by a command in its own process, or by a client of the daemon."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from sandboxd.ipc import parameters
from sandboxd.ipc.messages import AGENT_VARIABLE, ENGINE_VARIABLES, FOLDER_VARIABLES
from sandboxd.model.sandbox_id import check_name
from sandboxd.operations.interruption import Cancel, silent
from sandboxd.operations.keeping import NOTHING_KEPT, Keeping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.operations._plan import Facts
    from sandboxd.operations.egress.gateways import FindGateway, Gateway
    from sandboxd.operations.interruption import Progress


class Request:
    """The means of one operation. `environ` is the process's own, with the engine that is meant.

    The options come from another process: `flag`, `text` and the like refuse what is not of its kind
    with `ipc.parameters.InvalidParams`.

    :param directory: a folder of the project, absolute
    :param options: what the user typed, as JSON has it
    :param connect: the engine; called when an operation first needs it
    :param facts: waits for the host's facts; None: the operation looks for itself
    :param attended: the gateways that a daemon attends to
    """

    def __init__(
        self,
        directory: str,
        environ: Mapping[str, str],
        options: Mapping[str, Any],
        connect: Callable[[], Engine],
        *,
        facts: Facts = None,
        attended: FindGateway | None = None,
        keeping: Keeping = NOTHING_KEPT,
        progress: Progress = silent,
        cancel: Cancel | None = None,
    ) -> None:
        self.directory = directory
        self.environ = environ
        self.facts = facts
        self.keeping = keeping
        self.progress = progress
        self.cancel = cancel or Cancel()
        self._options = options
        self._connect = connect
        self._attended = attended

    @functools.cached_property
    def engine(self) -> Engine:
        """The engine that the caller means.

        :raises EnvironmentFailure: it cannot be determined
        """
        return self._connect()

    @functools.cached_property
    def name(self) -> str:
        """The name of the sandbox that is meant; '' for the one without.

        :raises UsageError: it is no name of a sandbox
        """
        return check_name(self.optional_text("name") or "")

    def flag(self, name: str) -> bool:
        """The switch `name`; False where it is missing."""
        return parameters.flag(self._options, name)

    def number(self, name: str) -> int:
        """The whole number `name`."""
        return parameters.number(self._options, name)

    def text(self, name: str) -> str:
        """The string `name`."""
        return parameters.text(self._options, name)

    def optional_text(self, name: str) -> str | None:
        """The string `name`; None where it is missing or null."""
        return None if self._options.get(name) is None else self.text(name)

    def texts(self, name: str) -> list[str]:
        """The list of strings `name`."""
        return parameters.texts(self._options, name)

    def values(self, name: str) -> dict[str, Any]:
        """The object `name`, whose values the operation has to judge."""
        return parameters.values(self._options, name)

    def variables(self, name: str) -> dict[str, str]:
        """The variables `name`, none where they are missing."""
        return parameters.variables(self._options, name) if name in self._options else {}

    def environ_of_caller(self) -> dict[str, str]:
        """The caller's variables for programs and configs, but engine and user's folders are those of `environ`.

        Grants and policy lie in those folders: a caller must not bring its own.
        """
        theirs = parameters.variables(self._options, "environ")
        # The agent variable is the caller's: its shell chooses whose keys sign, and the engine is reached already.
        own = {*ENGINE_VARIABLES, *FOLDER_VARIABLES} - {AGENT_VARIABLE}
        rest = {name: value for name, value in theirs.items() if name not in own}
        return rest | {name: self.environ[name] for name in own if name in self.environ}

    def find_gateway(self, sandbox: str) -> Gateway | None:
        """The gateway that runs for a sandbox, by its identity; None where none does.

        :raises EnvironmentFailure: the engine cannot be asked
        """
        from sandboxd.life import running_gateway
        from sandboxd.operations.gateway import GatewayOfSandbox

        # No daemon attends to the gateway of a project that it does not keep.
        attended = self._attended(sandbox) if self._attended is not None else None
        if attended is not None:
            return attended
        running = running_gateway.gateway_of(self.engine, sandbox)
        if running is None:
            return None
        return GatewayOfSandbox(self.engine, sandbox, self.environ, running)
