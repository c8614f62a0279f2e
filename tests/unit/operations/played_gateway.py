"""A gateway that takes what its sandbox may have, and tells what it is given to tell."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sandboxd.egress.ledger import Ledger
from sandboxd.egress.policy import Policy, decide
from sandboxd.errors import EnvironmentFailure
from sandboxd.project import Project
from sandboxd.project.rights import rights_now


class PlayedGateway:
    """Takes policies as a gateway does, and tells what it is given to tell."""

    def __init__(self, workspace: str, environ: Mapping[str, str], name: str = "") -> None:
        self.workspace, self.environ, self.name = workspace, environ, name
        self.pushed: list[Policy] = []
        self.events = Ledger()
        self.answered: list[tuple[int, str]] = []
        self.refuses = False
        self._number = 0

    def find(self, workspace: str) -> PlayedGateway | None:
        return self if workspace == self.workspace else None

    def follow(self) -> None:
        if self.refuses:
            raise EnvironmentFailure("the gateway does not take it", "`sandboxd up`")
        project = Project.open(self.workspace, self.environ, self.name)
        given = rights_now(project, "c1", time.time()).gateway
        assert given is not None
        self.pushed.append(given.policy)

    def ledger(self) -> Ledger:
        return self.events

    def answer(self, question: int, why: str) -> None:
        self.answered.append((question, why))

    def lets_through(self, name: str, port: int = 443) -> bool:
        return decide(self.pushed[-1], name, port, time.time()).allowed

    def tell(self, **event: Any) -> None:
        self._number += 1
        common = {"seq": self._number, "time": time.time(), "port": 443, "count": 1, "rule": ""}
        self.events.take([common | {"event": "denied", "door": "dns", "reason": "no-rule"} | event])  # type: ignore[list-item]
