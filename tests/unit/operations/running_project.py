"""A project whose sandbox runs behind a played gateway, for tests of what it is given."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.credentials.uses import Use
from sandboxd.egress import group
from sandboxd.egress.policy import Policy, decide
from sandboxd.life import gateway as gateways
from sandboxd.life import networks, running_gateway
from sandboxd.model.labels import MADE_BY, UP
from sandboxd.operations import gateway, gateway_start, given_at_start
from sandboxd.policy import trust
from sandboxd.policy.gateway_rights import GatewayRights
from sandboxd.policy.in_force import in_force
from sandboxd.policy.rights import Rights
from sandboxd.project import Project
from sandboxd.project.rights import rights_of_plan

OF_PROFILE = str(group.load("pypi").hosts[0].pattern)
"""A name that profile `dev` allows by itself to a project with a pyproject.toml."""
OF_CRATES = str(group.load("crates").hosts[0].pattern)
NETWORK: Any = SimpleNamespace(inner=SimpleNamespace(id="n1"))
"""The networks of its gateway."""
LISTED = '[network]\nmode = "allow"\nallow = ["a.example.org"]\n'


class Running:
    """A project of a user of one's own; `pushed` is what its played gateway was given."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "app"
        self.path.mkdir()
        (self.path / "pyproject.toml").write_text("[project]\n")
        self.environ = {"HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "config")}
        self.pushed: list[Policy] = []
        self.cuts: list[bool] = []
        """For each of them, whether the connections that it does not allow were to end."""
        self.made_by, self.container = UP, "c1"
        self.is_stopped = False
        """Whether its container is; the gateway of one of `up` goes on."""

    def write(self, text: str, *, trusted: bool) -> None:
        (self.path / "sandboxd.toml").write_text(f'profile = "dev"\n{text}')
        if trusted:
            project = Project.open(str(self.path), self.environ)
            grant = trust.Grant(project.workspace, project.config.digest, "dev")
            trust.add(self.environ, grant)

    def follow(self) -> gateway.Followed | None:
        workspace = os.path.realpath(self.path)
        return gateway.follow(None, workspace, self.environ)  # type: ignore[arg-type]

    def start(self, now: float = 0.0, *, anew: bool = False) -> None:
        """Start it as it is planned now: its gateway gets names and secrets.

        :param anew: whether its gateway is made anew
        """
        project, rights = self.give(now, anew=anew)
        given_at_start.note(project, self.container, rights)

    def give(self, now: float = 0.0, *, anew: bool = False) -> tuple[Project, Rights]:
        """What a start gives before it is known which container runs; with the project and its rights."""
        project = Project.open(str(self.path), self.environ)
        network = project.network(in_force(self.environ))
        plan: Any = SimpleNamespace(
            egress=network.policy,
            workspace=project.workspace,
            sandbox=project.sandbox,
            credentials=network.uses,
        )
        rights, digest = rights_of_plan(plan, self.environ, now), project.config.digest
        with gateway_start.giving(
            self.environ,
            project.sandbox,
            lambda: (rights, digest),
            NETWORK.inner.id,
            lambda each: each.on_machine((), (), ()),
        ) as offer:
            given = offer.anew() if anew else offer.rights
            gateways.push(None, project.sandbox, given)  # type: ignore[arg-type]
        return project, rights

    def uses(self) -> tuple[Use, ...]:
        """The credentials that a plan of this moment has."""
        project = Project.open(str(self.path), self.environ)
        return tuple(project.network(in_force(self.environ)).uses)

    def container_of(self) -> Any:
        """The container of the sandbox, as the engine lists it."""
        return SimpleNamespace(id=self.container, labels={MADE_BY: self.made_by})

    def lets_through(self, name: str) -> bool:
        return decide(self.pushed[-1], name, 443, 0.0).allowed


def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A project whose sandbox runs behind a played gateway."""
    played = Running(tmp_path)

    def complete(_engine: object, _pair: object, rights: GatewayRights, _: object) -> GatewayRights:
        return rights.on_machine(rights.policy.services, (), ())

    def push(
        _engine: object, _workspace: str, rights: GatewayRights, cut: bool = False, **_options: Any
    ) -> None:
        played.pushed.append(rights.policy)
        played.cuts.append(cut)

    def of_state(is_stopped: bool) -> Any:
        return played.container_of() if played.is_stopped == is_stopped else None

    monkeypatch.setattr(gateway, "running_sandbox", lambda *_: of_state(False))
    monkeypatch.setattr(gateway, "_stopped", lambda *_: "c1" if played.is_stopped else None)
    monkeypatch.setattr(
        running_gateway,
        "version",
        lambda *_: played.pushed[-1].version if played.pushed else 0,
    )
    monkeypatch.setattr(networks, "pair_of", lambda *_: NETWORK)
    monkeypatch.setattr(gateways, "complete", complete)
    monkeypatch.setattr(gateways, "push", push)
    return played
