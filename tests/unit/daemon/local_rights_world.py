"""A user with one project, whose daemon is played: what it serves of the user's SSH agent, and which ports are open."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import SSH_AGENT, Record
from sandboxd.credentials.ssh_agent.choice import Choice, Host
from sandboxd.daemon import local_rights
from sandboxd.daemon.local_rights import LocalRights
from sandboxd.daemon.places import Place
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.remote import Port
from sandboxd.policy import trust
from sandboxd.policy.rights import KeyRights, PortRights
from sandboxd.project import Project
from tests.patience import PATIENCE

KEY, FORGE, OTHER = "SHA256:" + "a" * 43, "forge.test", "other.test"
CHOICE = Choice("/agent", (KEY,), (Host(FORGE, (b"k1",)), Host(OTHER, (b"k2",))))
ASKS = 'profile = "dev"\n[network]\nmode = "allow"\nallow = ["forge.test:22"]\n[credentials]\nuse = ["ssh"]\n'
ENGINE: Any = object()


class Served(NamedTuple):
    """Stands for the agent of one sandbox."""

    sandbox: str
    choice: Choice
    rights: KeyRights

    def stop(self) -> None:
        SERVED.remove(self)


SERVED: list[Served] = []


class Opened(NamedTuple):
    """Stands for the open ports of one sandbox."""

    workspace: str
    rights: PortRights
    before: object

    def stop(self) -> None:
        OPENED.remove(self)

    def has_tried(self, ports: tuple[Port, ...]) -> bool:
        return {*ports} <= {*self.rights.ports}

    def lines(self) -> tuple[str, ...]:
        return tuple(port.text for port in self.rights.ports)


OPENED: list[Opened] = []

ENDED: list[int] = []
"""The number of agents that were served whenever logins were ended."""


class AtOnce:
    """Stands for a loop: it looks as soon as it is told, in the thread of whoever tells it."""

    def __init__(self, act: Callable[[], float]) -> None:
        self._act = act

    def start(self) -> None:
        """It needs no thread."""

    def wake(self) -> None:
        with contextlib.suppress(EnvironmentFailure):
            self._act()

    def stop(self) -> None:
        """Nothing goes on."""


class User:
    """A person with one project that was granted SSH; `told` is what the daemon says about it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "app"
        self.path.mkdir()
        self.sandbox = os.path.realpath(self.path)
        self.place = Place("one", self.sandbox)
        self.environ = {"HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "config")}
        self.told: list[str] = []
        self.ports: tuple[Port, ...] | None = ()
        """Those of its plan; None while it has none."""
        self.write(ASKS)
        self.grant()
        self.record(FORGE, OTHER)

    def write(self, text: str) -> None:
        (self.path / "sandboxd.toml").write_text(text)

    def grant(self) -> None:
        project = Project.open(str(self.path), self.environ)
        trust.add(self.environ, trust.Grant(project.workspace, project.config.digest, "dev"))

    def record(self, *hosts: str) -> None:
        records.put(self.environ, Record(Name("ssh"), SSH_AGENT, (KEY, *hosts)))

    def policy(self, text: str) -> None:
        folder = Path(self.environ["XDG_CONFIG_HOME"]) / "sandboxd"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "policy.toml").write_text(text)

    def hosts(self) -> Any:
        class Hosts:
            @staticmethod
            def environ(_key: object) -> dict[str, str]:
                return self.environ

            @staticmethod
            def engine(_key: object) -> None:
                return None

        return Hosts


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    def begin(
        sandbox: str, _engine: object, _environ: object, choice: Any, rights: Any, _say: object
    ) -> Served:
        SERVED.append(Served(sandbox, choice, rights))
        return SERVED[-1]

    def open_ports(
        workspace: str, _engine: object, rights: PortRights, _folder: object, before: object
    ) -> Opened:
        OPENED.append(Opened(workspace, rights, before))
        return OPENED[-1]

    def end_logins(*_: object, ends_logins: bool) -> None:
        assert ends_logins
        ENDED.append(len(SERVED))

    SERVED.clear()
    OPENED.clear()
    ENDED.clear()
    monkeypatch.setattr("sandboxd.operations.gateway.follow", end_logins)
    monkeypatch.setattr(local_rights, "SshAgent", begin)
    monkeypatch.setattr(local_rights, "Forwards", open_ports)
    monkeypatch.setattr(local_rights, "RightsLoop", AtOnce)
    yield User(tmp_path)
    SERVED.clear()


def with_rights(user: User, body: Callable[[LocalRights], Any]) -> None:
    async def run() -> None:
        rights = LocalRights(
            user.hosts(), lambda event: user.told.append(event["message"]), lambda _: user.ports
        )
        try:
            async with asyncio.timeout(PATIENCE):
                await body(rights)
        finally:
            rights.close()

    asyncio.run(run())


async def heard() -> None:
    """Let what was said from any thread arrive."""
    for _ in range(2):
        await asyncio.sleep(0)
