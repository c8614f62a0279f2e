"""An operation, and one request to run it: from a command in its own process, or from a client of the daemon."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from sandboxd.engine.interruption import Cancel, silent
from sandboxd.ipc import parameters
from sandboxd.ipc.messages import AGENT_VARIABLE, ENGINE_VARIABLES, FOLDER_VARIABLES
from sandboxd.ipc.parameters import InvalidParams
from sandboxd.model.sandbox_id import check_name
from sandboxd.operations.keeping import NOTHING_KEPT, Keeping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.backends.backend import Backend
    from sandboxd.engine.client import Engine
    from sandboxd.engine.interruption import Progress
    from sandboxd.operations._plan import Facts
    from sandboxd.operations.egress.gateways import FindGateway, Gateway
    from sandboxd.operations.option import Options

OptionsT = TypeVar("OptionsT", bound="Options")
_ABOUT_THE_CALLER = frozenset({"view", "environ"})


@runtime_checkable
class Operation(Protocol):
    """An operation's module, run by the daemon for a command, or by the command itself where no daemon runs."""

    NEEDS_FACTS: bool
    """Whether the daemon waits until it has examined the host, and passes what it found to the operation."""

    def serve(self, request: Request) -> object:
        """Run the operation and return its result: named tuples, lists and plain values, which `wire.encode` can
        encode.

        :raises InvalidParams: an option has the wrong type
        :raises SandboxdError: the operation failed
        """


class Request:
    """Everything that one operation is given. `environ` is the process's own, with the engine that is meant.

    The options may come from another process: `read_options`, `text` and `values` raise
    `ipc.parameters.InvalidParams` for a value of another type.

    :param directory: a folder of the project, as an absolute path
    :param options: the user's options as JSON data
    :param connect: returns the engine; called when the operation first needs it
    :param facts: waits for the host's facts and returns them; None: the operation examines the host itself
    :param attended: finds a gateway to which the daemon is connected; None without a daemon
    :param on: the context of the cluster that the caller means; '' for the engine
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
        on: str = "",
        progress: Progress = silent,
        cancel: Cancel | None = None,
    ) -> None:
        self.directory = directory
        self.environ = environ
        self.facts = facts
        self.keeping = keeping
        self.progress = progress
        self.cancel = cancel or Cancel()
        self._on = on
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
    def backend(self) -> Backend:
        """The cluster that the caller means, or the engine.

        :raises SandboxdError: there is no such context, or the engine cannot be determined
        """
        from sandboxd.backends import selection

        return selection.connect(self._on, self.environ, lambda: self.engine)

    @functools.cached_property
    def name(self) -> str:
        """The name of the sandbox; '' for the unnamed one.

        :raises UsageError: it is not a valid name
        """
        return check_name(self.text("name") if self._options.get("name") is not None else "")

    def read_options(self, options: type[OptionsT]) -> OptionsT:
        """All options of an operation that has a type for them.

        :raises InvalidParams: one is missing, unknown, or of another type
        """
        for name in options.defaults.keys() - self._options.keys():
            raise InvalidParams(f"`{name}` is missing")
        for name in self._options.keys() - options.defaults.keys() - _ABOUT_THE_CALLER:
            raise InvalidParams(f"`{name}` is no option of this operation")
        make: Any = options
        values = {name: self._value(name, each) for name, each in options.defaults.items()}
        result: OptionsT = make(**values)
        return result

    def _value(self, name: str, default: object) -> object:
        if default is None:
            return None if self._options[name] is None else self.text(name)
        if isinstance(default, bool):
            return parameters.flag(self._options, name)
        if isinstance(default, int):
            return parameters.number(self._options, name)
        if isinstance(default, tuple):
            return tuple(parameters.texts(self._options, name))
        if isinstance(default, str):
            return self.text(name)
        return parameters.variables(self._options, name)

    def text(self, name: str) -> str:
        """The option `name`, a string, of an operation without a type for its options."""
        return parameters.text(self._options, name)

    def values(self, name: str) -> dict[str, Any]:
        """The option `name`, an object, of an operation without a type for its options; it checks the values itself."""
        return parameters.values(self._options, name)

    def environ_of_caller(self) -> dict[str, str]:
        """The caller's variables, but with the engine and the user's folders of `environ`.

        Grants and policy lie in those folders, so a caller must not choose them.
        """
        theirs = parameters.variables(self._options, "environ")
        # The agent variable is the caller's: its shell chooses whose keys sign, and the engine is reached already.
        own = {*ENGINE_VARIABLES, *FOLDER_VARIABLES} - {AGENT_VARIABLE}
        rest = {name: value for name, value in theirs.items() if name not in own}
        return rest | {name: self.environ[name] for name in own if name in self.environ}

    def find_gateway(self, sandbox: str) -> Gateway | None:
        """The running gateway of a sandbox; None if none runs.

        :param sandbox: the sandbox's identity
        :raises EnvironmentFailure: the engine cannot be asked
        """
        from sandboxd.life import running_gateway
        from sandboxd.operations.unattended_gateway import UnattendedGateway

        # No daemon attends to the gateway of a project that it does not keep.
        attended = self._attended(sandbox) if self._attended is not None else None
        if attended is not None:
            return attended
        running = running_gateway.gateway_of(self.engine, sandbox)
        if running is None:
            return None
        return UnattendedGateway(self.engine, sandbox, self.environ, running)
