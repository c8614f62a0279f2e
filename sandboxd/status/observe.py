"""What the engine says of the projects' containers: one list, and a closer look at the running."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.model.container import Container


class Seen(NamedTuple):
    """A project's container. `container` is None unless it runs: a stopped one enforces nothing."""

    running: bool
    container: Container | None


class Observed(NamedTuple):
    """What was seen, by workspace; with a `problem` nothing was, which means unknown."""

    containers: Mapping[str, Seen]
    problem: str = ""
    hint: str = ""


NOT_ASKED = Observed({}, "the engine has not been asked yet")


def observe(environ: Mapping[str, str], workspaces: Collection[str]) -> Observed:
    """Ask the engine that `environ` names for the containers of `workspaces`. Blocks; bounded."""
    from sandboxd.sandbox import run
    from sandboxd.sandbox.engine import connect

    wanted = set(workspaces)
    try:
        engine = connect(environ)
        seen: dict[str, Seen] = {}
        for summary in run.find_all(engine):
            workspace = summary.labels.get(run.PROJECT, "")
            if workspace not in wanted or (workspace in seen and seen[workspace].running):
                continue
            if summary.state != "running":
                seen.setdefault(workspace, Seen(False, None))
                continue
            best = run.find(engine, workspace)
            if best is not None:
                seen[workspace] = Seen(True, _look(engine.inspect(best.id)))
    except SandboxdError as error:
        return Observed({}, error.message, error.hint)
    return Observed(seen)


def _look(inspected: dict[str, object]) -> Container:
    from sandboxd.sandbox.observe import container

    return container(inspected)
