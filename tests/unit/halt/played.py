"""A container with mounts on files of a workspace, on an engine that is played."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandboxd.engine import failures
from sandboxd.halt.guard import Guard
from sandboxd.model.labels import PROJECT


class PlayedEngine:
    """Pauses by calling `while_pausing`, in which a program inside still runs."""

    def __init__(self, workspace: Path | None = None) -> None:
        self.workspace = workspace
        self.paused: list[str] = []
        self.ended: list[str] = []
        self.can_end = False
        self.failure: Exception | None = None
        self.state: dict[str, Any] = {"Running": True, "Paused": False}
        self.while_pausing: Callable[[], object] = lambda: None

    def info(self) -> dict[str, Any]:
        return {"Runtimes": {}}

    def inspect(self, container: str) -> dict[str, Any]:
        return {**self.description(), "Id": container, "State": self.state}

    def description(self) -> dict[str, Any]:
        return description(self.workspace) if self.workspace is not None else {}

    def answers(self) -> bool:
        return self.failure is None

    def pause(self, container: str, seconds: float) -> None:
        self.while_pausing()
        if self.failure is not None:
            raise self.failure
        self.paused.append(container)
        self.state = {**self.state, "Paused": True}

    def stop(self, container: str, grace: int) -> None:
        if not self.can_end:
            raise failures.refused(500, "cannot stop")
        assert grace == 0, "nothing inside may go on"
        self.ended.append(container)
        self.state = {"Running": False, "Paused": False}


def description(workspace: Path) -> dict[str, Any]:
    """The container `c1`: two shut files, one of them in a folder that is a mount of its own."""

    def mount(below: str, writable: bool) -> dict[str, Any]:
        target, source = os.path.join("/w", below), os.path.join(workspace, below)
        return {
            "Type": "bind",
            "Source": source.rstrip("/"),
            "Destination": target.rstrip("/"),
            "RW": writable,
        }

    return {
        "Id": "c1",
        "State": {"Pid": 0},
        "Config": {"Labels": {PROJECT: str(workspace)}},
        "HostConfig": {},
        "Mounts": [
            mount("", True),
            mount(".envrc", False),
            mount("sub", True),
            mount("sub/.envrc", False),
        ],
    }


def guard_of(engine: PlayedEngine, workspace: Path) -> Guard:
    return Guard(engine, description(workspace))  # type: ignore[arg-type]


def replace(path: Path, text: str) -> None:
    path.with_name("new").write_text(text)
    path.with_name("new").rename(path)
