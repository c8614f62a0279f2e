"""Lifecycle hooks in a container of an engine."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

from sandboxd.engine.client import Exec
from sandboxd.engine.execute import kill_marked, run_quietly, wait_for_code
from sandboxd.engine.frames import pump
from sandboxd.errors import SandboxdError
from sandboxd.life import refused_names

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence

    from sandboxd.engine.client import Engine
    from sandboxd.life.hook_place import Ask
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.plan.plan import Plan


def ask_in(engine: Engine, container: str) -> Ask:
    """Return a function that runs short commands in a container, as its user."""

    def ask(words: Sequence[str], seconds: float) -> bytes:
        return run_quietly(engine, container, Exec(list(words)), seconds, stdout_only=True)[1]

    return ask


class InContainer:
    """A running container, as the `hook_place.Place` in which hooks are run."""

    def __init__(self, engine: Engine, inspected: Inspected, plan: Plan) -> None:
        self._engine = engine
        self._plan = plan
        self._env = inspected["Config"].get("Env") or []
        user = plan.container.user
        self.key, self.option = plan.sandbox, ""
        self.id = str(inspected["Id"])
        self.started = str(inspected["State"].get("StartedAt", ""))
        self.user = user.value if user is not None else ""

    def own_environment(self) -> Sequence[str]:
        return self._env

    def ask(self, words: Sequence[str], seconds: float, /) -> bytes:
        return ask_in(self._engine, self.id)(words, seconds)

    def begin(
        self, words: Sequence[str], env: Mapping[str, str], folder: str, mark: str
    ) -> _Command:
        variables = [*(f"{name}={value}" for name, value in env.items()), mark]
        request = Exec(tuple(words), user="", env=variables, working_dir=folder)
        return _Command(self._engine, self.id, request)

    def signal(self, mark: str, number: int, seconds: float) -> None:
        # A connection that breaks meanwhile: what a hook is ended for is told, and not this.
        with contextlib.suppress(SandboxdError, OSError, ValueError):
            kill_marked(self._engine, self.id, "", mark, number, seconds)

    def network_now(self) -> object:
        if self._plan.egress is None:
            return None
        return refused_names.number_now(self._engine, self._plan.sandbox)

    def refused_since(self, state: object) -> tuple[str, ...]:
        number = cast("int | None", state)
        return refused_names.since(self._engine, self._plan.sandbox, number)


class _Command:
    """A command in a container, as `hook_place.Begun`."""

    def __init__(self, engine: Engine, container: str, request: Exec) -> None:
        self._engine, self._container = engine, container
        self._exec_id = engine.exec_create(container, request)
        self._connection: socket.socket
        self._connection, self._first = engine.exec_start(self._exec_id, False)

    def hear(self, write: Callable[[int, bytes], None]) -> None:
        # A connection that was ended under it: whoever ended it knows why.
        with contextlib.suppress(OSError, ValueError):
            pump(self._connection, self._first, False, write)

    def code(self) -> int:
        return wait_for_code(self._engine, self._container, self._exec_id)

    def is_over(self) -> bool:
        return self._engine.exec_exit_code(self._exec_id) is not None

    def close(self) -> None:
        self._connection.close()
