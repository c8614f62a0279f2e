"""The methods `project/...`: which projects are kept."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.daemon.callers import engine_of
from sandboxd.daemon.keeper import Keeper
from sandboxd.ipc import messages, parameters
from sandboxd.ipc.parameters import InvalidParams
from sandboxd.ipc.server import Connection, Handler


class ProjectMethods:
    """Adds and removes projects for clients, and lists them."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.handlers: dict[str, Handler] = {
            messages.PROJECT_REGISTER: self._register,
            messages.PROJECT_FORGET: self._forget,
            messages.PROJECT_LIST: self._list,
        }

    async def _register(
        self, connection: Connection, params: dict[str, Any]
    ) -> messages.Registered:
        path = parameters.text(params, "path")
        if not path.startswith("/") or "\0" in path:
            raise InvalidParams("`path` is not an absolute path")
        keeps, waits = params.get("keeps") is not False, params.get("wait") is not False
        engine = engine_of(connection, self._keeper.hosts)
        workspace = os.path.realpath(path)
        job = self._keeper.register(workspace, engine, keeps)
        if not waits:
            self._keeper.tasks.spawn(job)
            return {}
        await job
        project = self._keeper.projects.get(workspace)
        if project is None or project.examined is None:
            return {}
        return {"problem": project.examined.problem, "hint": project.examined.hint}

    async def _forget(self, _connection: Connection, params: dict[str, Any]) -> dict[str, Any]:
        path = os.path.realpath(parameters.text(params, "path"))
        return {"known": await self._keeper.forget(path)}

    async def _list(self, _connection: Connection, _params: dict[str, Any]) -> messages.Listed:
        """The remembered projects; nothing is looked at."""
        return {
            "projects": [
                {"path": path, "keeps": project.keeps, "exists": project.scan.exists}
                for path, project in sorted(self._keeper.projects.items())
            ]
        }
