"""Sandboxes as containers of an engine with Docker's API."""

from __future__ import annotations

import contextlib
import os
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.backends.backend import (
    Ability,
    Attack,
    Collected,
    CommandRequest,
    Ended,
    Listed,
    Listing,
    LogRange,
    Refusal,
    Running,
)
from sandboxd.backends.shell import SHELL
from sandboxd.engine.client import Engine, Exec
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import command as commands
from sandboxd.life import find
from sandboxd.life.command import Command
from sandboxd.model.labels import EDITOR, MADE_BY, PROFILE, PROJECT, UP
from sandboxd.model.sandbox_id import name_of, sandbox_id, workspace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sandboxd.backends.backend import Comparison
    from sandboxd.egress.ledger import Ledger
    from sandboxd.engine.client import Summary
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.forward.trunk import Trunk
    from sandboxd.plan.plan import Plan


class DockerBackend(NamedTuple):
    """The backend of this machine's engine. A method imports what others have no use for: a command begins at once."""

    engine: Engine
    environ: Mapping[str, str]
    cannot: Mapping[Ability, Refusal] = MappingProxyType({})

    @property
    def place(self) -> Mapping[str, str]:
        return {}

    def list_sandboxes(self) -> Listing:
        return Listing(tuple(_listed(each) for each in find.all_sandboxes(self.engine)), {})

    def locate(self, project: str, name: str) -> Running:
        container = find.locate(self.engine, project, name)
        return Running(container.id, container.labels[PROJECT])

    def run(
        self,
        running: Running,
        command: list[str],
        data: bytes,
        seconds: float,
        write: Callable[[int, bytes], None],
    ) -> int:
        from sandboxd.engine.payload import programs

        return programs.run(self.engine, running.id, Exec(command), data, seconds, write)

    def read(self, running: Running, command: Sequence[str]) -> str:
        from sandboxd.engine.execute import run_quietly

        _, output = run_quietly(self.engine, running.id, Exec(list(command)))
        return output.decode("utf-8", "replace")

    def logs(
        self,
        project: str,
        name: str,
        service: str,
        wanted: LogRange,
        write: Callable[[int, bytes], None],
    ) -> None:
        from sandboxd.life import services

        container = find.any_container(self.engine, project, name)
        shown = services.container_of(self.engine, container, service) if service else container.id
        for stream, piece in self.engine.logs(shown, *wanted):
            write(stream, piece)

    def begin(
        self,
        project: str,
        name: str,
        request: CommandRequest,
        warn: Callable[[str], None] | None = None,
        follow: Callable[[str], str] = lambda _: "",
    ) -> Command:
        wanted = Exec(
            request.words or SHELL,
            request.tty,
            # A shell that reads nothing would end at once.
            request.stdin or not request.words,
            request.user,
            request.env,
            request.working_dir,
        )
        return commands.begin(
            self.engine, self.environ, project, request.directory, wanted, name, warn, follow
        )

    def end(
        self,
        project: str,
        name: str,
        *,
        discard: bool,
        tell: Callable[[str], None],
        cancel: Cancel,
    ) -> Ended:
        from sandboxd.agents import session
        from sandboxd.engine.interruption import interruptible
        from sandboxd.forward import ssh_entries
        from sandboxd.life import commits, up_down
        from sandboxd.policy import once
        from sandboxd.state import chosen_groups, failed_command, given_rights

        engine, environ = interruptible(self.engine, cancel), self.environ
        here = sandbox_id(os.path.realpath(project), name)
        if os.path.isdir(project):
            containers = find.project_containers(engine, project, name)
        # Nothing above a folder that is gone is looked through.
        elif not (containers := find.sandboxes_of(engine, here)):
            return Ended(here, ())
        # Without any, too: a start that was killed may have left something in the workspace.
        sandbox = containers[0].labels[PROJECT] if containers else here
        agent = session.agent_of(environ, sandbox)
        for container in containers:
            commits.exchange_with(engine, environ, container, tell, says_transfer=True)

        ledger, is_whole = None, False

        def look() -> None:
            nonlocal ledger, is_whole
            ledger, is_whole = _ledger(engine, sandbox)

        def forget() -> None:
            given = given_rights.recall(environ, sandbox)
            had, before = (given.once, given.spent) if given is not None else ((), ())
            # One that does not answer, or ended before, may have used all that it had.
            uses = ledger.uses if ledger is not None else ()
            used = (*before, *uses, *(() if is_whole else had))
            if once.use_up(environ, sandbox, used):
                given_rights.forget(environ, sandbox, {container.id for container in containers})
            elif given is not None:
                # The next gateway must not have them, though nobody could write that they were used.
                with contextlib.suppress(EnvironmentFailure):
                    given_rights.keep(environ, sandbox, given.of_ended(used))
            chosen_groups.forget_unused(environ, sandbox)
            failed_command.forget(environ, sandbox)
            ssh_entries.forget(environ, sandbox)

        removed = up_down.down(engine, sandbox, tell, discard, cancel.check, agent, forget, look)
        editors = tuple(c.name for c in containers if c.labels.get(MADE_BY) != UP)
        return Ended(sandbox, tuple(removed), editors, ledger)

    def collect(
        self, project: str, name: str, *, tell: Callable[[str], None], cancel: Cancel
    ) -> Collected:
        from sandboxd.engine.interruption import interruptible
        from sandboxd.life import collection

        engine = interruptible(self.engine, cancel)
        return Collected(*collection.changes_of(engine, self.environ, project, name, tell, cancel))

    def attack(
        self,
        project: str,
        name: str,
        plan: Callable[[], Plan],
        progress: Progress,
        cancel: Cancel,
    ) -> Attack:
        from sandboxd.backends.docker.attack import attack
        from sandboxd.engine.interruption import counted, interruptible

        engine = interruptible(self.engine, cancel)
        container = find.locate(engine, project, name, even_halted=True).id
        judged_by = plan()
        tell = counted(progress, cancel, "attempts")
        verdict, seconds = attack(engine, container, judged_by, tell)
        return Attack(judged_by.sandbox, verdict, seconds, container)

    def compare(
        self, project: str, name: str, plan: Callable[[str], Plan], cancel: Cancel
    ) -> Comparison:
        from sandboxd.backends.docker.compare import compare
        from sandboxd.engine.interruption import interruptible

        engine = interruptible(self.engine, cancel)
        return compare(engine, self.environ, project, name, plan)

    def blaming_end(self, running: Running) -> AbstractContextManager[None]:  # noqa: ARG002
        # The engine itself says that a container ended.
        return contextlib.nullcontext()

    def open_trunk(self, running: Running) -> Trunk:
        from sandboxd.folders import cache_folder
        from sandboxd.forward.trunk import open_trunk

        return open_trunk(self.engine, running.id, cache_folder(self.environ))

    def service_address(self, running: Running, service: str) -> str:
        from sandboxd.life.service_address import address_of

        return address_of(self.engine, running.sandbox, service)


def _listed(container: Summary) -> Listed:
    sandbox = container.labels[PROJECT]
    facts = {
        "name": container.name,
        "state": container.state,
        "profile": container.labels.get(PROFILE, ""),
        "project": workspace_of(sandbox),
        "sandbox": name_of(sandbox),
        "image": container.image,
        "made_by": container.labels.get(MADE_BY, EDITOR),
        "id": container.id,
    }
    return Listed(facts, {name: facts[name] for name in ("name", "state", "profile", "project")})


def _ledger(engine: Engine, sandbox: str) -> tuple[Ledger | None, bool]:
    """The events of the sandbox's gateway, and whether they name each use of what it has; None where none answers."""
    from sandboxd.egress.ledger import MOST_USES
    from sandboxd.life import running_gateway

    ledger = None
    with contextlib.suppress(EnvironmentFailure):
        if (gateway := running_gateway.gateway_of(engine, sandbox)) is not None:
            ledger = gateway.ledger()
            # One without a policy was started again, and has forgotten what it used before.
            has_policy = running_gateway.version(engine, sandbox) != 0
            return ledger, has_policy and len(ledger.uses) < MOST_USES
    return ledger, False
