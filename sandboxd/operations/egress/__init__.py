"""The operations of `sandboxd egress`: one file and one function for each.

Each works without a running sandbox. If a gateway runs, a decision is in force there when the function returns. The
decision is saved before a gateway is looked up, so that one started in between has it, too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from sandboxd.operations.egress.gateways import Gateway
    from sandboxd.operations.request import Request

NEEDS_FACTS = False

_LOOKING = ("list", "check", "log")
"""Actions that only read."""


class Options(TypedDict):
    """The options of `serve`: the arguments of `actions.act`."""

    name: str
    """The sandbox's name; '' for the unnamed one."""
    action: str
    arguments: dict[str, Any]


def serve(request: Request) -> dict[str, Any]:
    """Run `actions.act` with `Options`. The log of a sandbox that does not run also has the names of those that do
    (`beside`).
    """
    from sandboxd.operations.egress.actions import act

    action = request.text("action")
    if action in _LOOKING:
        _follow(request)
    # An answer is of all sandboxes of the project, also where the one that is named does not run.
    find = gateway_of if action == "log" else _gateways_of
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


def gateway_of(request: Request, workspace: str) -> Gateway | None:
    """The running gateway of the sandbox that the request names; None if none runs.

    :param workspace: its real path
    """
    return _find(request, workspace, request.name)


def _gateways_of(request: Request, workspace: str) -> Gateway | None:
    """The gateways of all running sandboxes of a workspace, first that of the sandbox that the request names.

    :param workspace: its real path
    :returns: None if none runs
    """
    from sandboxd.life import find
    from sandboxd.operations.egress.gateways import Together

    beside = {"", *find.names_beside(request.engine, workspace)} - {request.name}
    each = ((name, _find(request, workspace, name)) for name in (request.name, *sorted(beside)))
    running = {name: gateway for name, gateway in each if gateway is not None}
    if not running:
        return None
    meant, *others = running.values()
    return Together(meant, tuple(others), tuple(running))


def _find(request: Request, workspace: str, name: str) -> Gateway | None:
    from sandboxd.model.sandbox_id import sandbox_id

    return request.find_gateway(sandbox_id(workspace, name))


def _follow(request: Request) -> None:
    """Have the sandbox that is looked at have what is shown, where no daemon does that."""
    if request.keeping.register is not None:
        return
    from sandboxd.engine.interruption import lines
    from sandboxd.model.sandbox_id import sandbox_id
    from sandboxd.operations._folder import project_folder
    from sandboxd.operations.following import follow_one

    folder = os.path.realpath(project_folder(request.directory))
    sandbox = sandbox_id(folder, request.name)
    if words := follow_one(sandbox, request.environ, lambda: request.engine).words:
        lines(request.progress, request.cancel)(words)
