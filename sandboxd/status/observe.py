"""What is seen of the projects' containers: the engine's word for what they are, and a look inside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sandboxd.engine.client import Engine, Summary, connect_from
from sandboxd.errors import SandboxdError
from sandboxd.host.trials import host_boot_id
from sandboxd.life import find
from sandboxd.model.container import Container
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.observe import controls, inspection, look_inside, outside
from sandboxd.observe.controls import Control
from sandboxd.verify import last_verdict


class Seen(NamedTuple):
    """A project's container. A stopped one enforces nothing: `container` is None then."""

    running: bool
    container: Container | None = None
    controls: tuple[Control, ...] = ()
    id: str = ""
    identity: str = ""
    """Of the container as it is now: what a result of `verify` must have been made of to count."""


class Observed(NamedTuple):
    """What was seen, by workspace; with a `problem` nothing was, which means unknown."""

    containers: Mapping[str, Seen]
    problem: str = ""
    hint: str = ""


_REMEMBERED = 1000

NOT_ASKED = Observed({}, "the engine has not been asked yet")


class Observer:
    """Looks at containers; what was seen inside one is good for as long as it runs.

    What a process is given at its start does not change, and to look inside costs a process in
    the sandbox each time.
    """

    def __init__(self) -> None:
        self._inside: dict[str, tuple[str, tuple[Control, ...]]] = {}

    def observe(self, environ: Mapping[str, str], workspaces: Collection[str]) -> Observed:
        """Ask the engine that `environ` names for the containers of `workspaces`. Blocks; bounded."""
        try:
            engine = connect_from(environ)
            chosen: dict[str, Summary] = {}
            for summary in find.find_all(engine):
                workspace = summary.labels.get(PROJECT, "")
                if workspace in workspaces:
                    chosen[workspace] = _better(chosen.get(workspace), summary)
            seen = {place: self._look(engine, summary) for place, summary in chosen.items()}
        except SandboxdError as error:
            return Observed({}, error.message, error.hint)
        return Observed(seen)

    def _look(self, engine: Engine, summary: Summary) -> Seen:
        if summary.state != "running":
            return Seen(False)
        inspected = engine.inspect(summary.id)
        live = inspection.container(inspected)
        started = str((inspected.get("State") or {}).get("StartedAt"))
        when, found = self._inside.get(summary.id, ("", ()))
        if when != started:
            inside = look_inside.look(engine, summary.id)
            found = controls.controls(
                live, inside, host_boot_id() or "", outside.look(engine, inspected)
            )
            if len(self._inside) >= _REMEMBERED:
                self._inside.clear()
            self._inside[summary.id] = (started, found)
        return Seen(True, live, found, summary.id, last_verdict.identity(inspected))


def _better(one: Summary | None, other: Summary) -> Summary:
    """The container that counts: a running one, and of these what `up` made."""
    if one is None:
        return other
    return max(one, other, key=lambda s: (s.state == "running", s.labels.get(MADE_BY) == UP))
