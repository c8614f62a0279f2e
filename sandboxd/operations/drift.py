"""Compares a running sandbox with its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.backends.backend import Comparison
from sandboxd.engine.interruption import never
from sandboxd.operations import _plan, recording
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.backends.backend import Backend
    from sandboxd.engine.interruption import Cancel
    from sandboxd.operations._plan import Facts
    from sandboxd.operations.request import Request
    from sandboxd.plan.plan import Plan

NEEDS_FACTS = True


def serve(request: Request) -> Comparison:
    """Run `drift` with `SandboxOptions`."""
    options = request.read_options(SandboxOptions)
    return drift(
        request.backend,
        request.directory,
        request.environ,
        name=options.name,
        facts=request.facts,
        cancel=request.cancel,
    )


def decode(document: Mapping[str, Any]) -> Comparison:
    """The `Comparison` in a document that `wire.encode` made."""
    from sandboxd.observe.control import Control
    from sandboxd.observe.drift import Drift

    differences = tuple(Drift(**difference) for difference in document["differences"])
    controls = tuple(Control(**control) for control in document["controls"])
    return Comparison(**{**document, "differences": differences, "controls": controls})


def drift(
    backend: Backend,
    directory: str,
    environ: Mapping[str, str],
    *,
    name: str = "",
    facts: Facts = None,
    cancel: Cancel | None = None,
) -> Comparison:
    """Compare the running sandbox `name` of the project that `directory` lies in with its plan, and record what differs.

    :raises SandboxdError: as `Backend.compare`
    """
    project = project_folder(directory)

    def plan(container: str) -> Plan:
        return _plan.as_started(project, environ, container, facts, name)

    compared = backend.compare(project, name, plan, cancel or never())
    recording.drifted(environ, compared, backend.place)
    return compared
