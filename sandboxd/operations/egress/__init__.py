"""The commands of `sandboxd egress`: one file and one function for each.

Each works without a sandbox. Where a gateway runs, an answer is in force there once the function returns; a
gateway is looked for after the answer is kept, so that a start in between takes it along."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from sandboxd.operations.request import Request

NEEDS_FACTS = False

_LOOKING = ("list", "check", "log")
"""Actions that answer nothing: they look at what holds."""


class Options(TypedDict):
    """The options of `serve`, as `actions.act` has them."""

    name: str
    """Of the sandbox; '' for the one without."""
    action: str
    arguments: dict[str, Any]


def serve(request: Request) -> dict[str, Any]:
    """`actions.act` with `Options`; a log of a sandbox that does not run has the names of others, `beside`."""
    from sandboxd.operations.egress import gateways
    from sandboxd.operations.egress.actions import act

    action = request.text("action")
    if action in _LOOKING:
        _follow(request)
    # An answer is of all sandboxes of the project, also where the one that is named does not run.
    find = gateways.gateway_of if action == "log" else gateways.gateways_of
    result = act(
        action,
        request.directory,
        request.environ,
        request.values("arguments"),
        lambda workspace: find(request, workspace),
        request.name,
    )
    if action == "log" and not result["is_running"] and not request.name:
        from sandboxd.life.find import names_beside

        result["beside"] = names_beside(request.engine, result["workspace"])
    return result


def _follow(request: Request) -> None:
    """Have the sandbox that is looked at have what is shown, where no daemon does that."""
    if request.keeping.register is not None:
        return
    from sandboxd.model.sandbox_id import sandbox_id
    from sandboxd.operations._folder import project_folder
    from sandboxd.operations.following import follow_one
    from sandboxd.operations.interruption import lines

    folder = os.path.realpath(project_folder(request.directory))
    sandbox = sandbox_id(folder, request.name)
    if words := follow_one(sandbox, request.environ, lambda: request.engine).words:
        lines(request.progress, request.cancel)(words)
