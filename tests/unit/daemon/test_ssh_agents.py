"""SSH keys are served to the container of the start that chose them, for as long as everything says so."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import SSH_AGENT, Record
from sandboxd.daemon import ssh_agents
from sandboxd.daemon.ssh_agents import SshAgents
from sandboxd.policy import trust
from sandboxd.project import Project
from sandboxd.ssh_agent.choice import Choice, Host
from tests.patience import PATIENCE

KEY, FORGE, OTHER = "SHA256:" + "a" * 43, "forge.test", "other.test"
CHOICE = Choice("/agent", (KEY,), (Host(FORGE, (b"k1",)), Host(OTHER, (b"k2",))))
ASKS = 'profile = "dev"\n[network]\nmode = "allow"\nallow = ["forge.test:22"]\n[credentials]\nuse = ["ssh"]\n'
ENGINE: Any = object()


class Served(NamedTuple):
    """Stands for the agent of one sandbox."""

    sandbox: str
    serves: tuple[str, Choice]

    def stop(self) -> None:
        SERVED.remove(self)


SERVED: list[Served] = []


class User:
    """A person with one project that was granted SSH; `told` is what the daemon says about it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "app"
        self.path.mkdir()
        self.sandbox = os.path.realpath(self.path)
        self.environ = {"HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "config")}
        self.told: list[str] = []
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
    def begin(sandbox: str, _engine: object, _environ: object, serves: Any, _say: object) -> Served:
        SERVED.append(Served(sandbox, serves))
        return SERVED[-1]

    SERVED.clear()
    monkeypatch.setattr(ssh_agents, "_Agent", begin)
    yield User(tmp_path)
    SERVED.clear()


async def looked(agents: SshAgents) -> None:
    """Wait until all looks so far are over, and what they found is in force."""
    loop = asyncio.get_running_loop()
    for _ in range(2):
        await asyncio.sleep(0)
        for thread in list(agents._threads.values()):
            await loop.run_in_executor(thread, lambda: None)
        await asyncio.sleep(0)


def with_agents(user: User, body: Callable[[SshAgents], Any]) -> None:
    async def run() -> None:
        agents = SshAgents(user.hosts(), lambda event: user.told.append(event["message"]))
        try:
            async with asyncio.timeout(PATIENCE):
                await body(agents)
        finally:
            agents.close()

    asyncio.run(run())


async def serve(agents: SshAgents, user: User) -> None:
    agents.update(user.sandbox, ENGINE, "id-of-start")
    agents.keep(user.sandbox, "id-of-start", CHOICE)
    await looked(agents)
    assert [Served(user.sandbox, ("id-of-start", CHOICE))] == SERVED


TAKEN_BACK = {
    "a policy": lambda user: user.policy("credentials = []\n"),
    "trust revoke": lambda user: trust.revoke(user.environ, user.sandbox),
    "the file": lambda user: user.write(ASKS.replace('"ssh"', "")),
    "an edit without a grant": lambda user: user.write(ASKS + "# other content\n"),
    "credentials remove": lambda user: records.remove(user.environ, Name("ssh")),
    "a file that cannot be read": lambda user: user.write("profile = \n"),
    "a list that cannot be read": lambda user: (
        Path(user.environ["XDG_CONFIG_HOME"]) / "sandboxd/credentials.toml"
    ).write_text("credentials = 1\n"),
    "a folder that is gone": lambda user: os.rename(user.path, f"{user.path}-moved"),
}


@pytest.mark.parametrize("how", TAKEN_BACK)
def test_what_is_taken_back_is_served_no_more(user: User, how: str) -> None:
    async def body(agents: SshAgents) -> None:
        await serve(agents, user)
        TAKEN_BACK[how](user)
        agents.refresh(user.sandbox)
        await looked(agents)
        assert SERVED == []
        assert len(user.told) == 1 and "taken back" in user.told[0]

    with_agents(user, body)


def test_what_is_allowed_again_is_served_again(user: User) -> None:
    async def body(agents: SshAgents) -> None:
        await serve(agents, user)
        for text, is_served in (("credentials = []\n", False), ('credentials = ["ssh"]\n', True)):
            user.policy(text)
            agents.refresh(user.sandbox)
            await looked(agents)
            assert bool(SERVED) is is_served

    with_agents(user, body)


def test_a_look_at_one_project_does_not_keep_another_ones_keys(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files may lie on a disk that does not answer."""
    answers = threading.Event()
    still_given = ssh_agents.logins.still_given

    def look(choice: Choice, sandbox: str, *more: Any) -> Any:
        if sandbox == "/hangs":
            answers.wait(PATIENCE)
            return None, "it hangs"
        return still_given(choice, sandbox, *more)

    async def body(agents: SshAgents) -> None:
        await serve(agents, user)
        monkeypatch.setattr(ssh_agents.logins, "still_given", look)
        agents.update("/hangs", ENGINE, "other")
        agents.keep("/hangs", "other", CHOICE)
        await asyncio.sleep(0)
        user.policy("credentials = []\n")
        agents.refresh(user.sandbox)
        while SERVED:
            await asyncio.sleep(0.01)
        assert not answers.is_set()
        answers.set()

    with_agents(user, body)


def test_a_host_that_was_taken_out_of_the_record_goes_alone(user: User) -> None:
    async def body(agents: SshAgents) -> None:
        await serve(agents, user)
        user.record(FORGE, "new.test")
        agents.refresh(user.sandbox)
        await looked(agents)
        (served,) = SERVED
        assert [host.name for host in served.serves[1].hosts] == [FORGE], "nothing is added either"

    with_agents(user, body)


def test_another_container_gets_nothing_of_a_start(user: User) -> None:
    """After `docker rm` an editor makes one of its own: no start named it."""

    async def body(agents: SshAgents) -> None:
        await serve(agents, user)
        agents.update(user.sandbox, ENGINE, "")
        assert SERVED == []
        agents.update(user.sandbox, ENGINE, "id-of-an-editor")
        await looked(agents)
        assert SERVED == []
        agents.update(user.sandbox, ENGINE, "id-of-start")
        await looked(agents)
        assert len(SERVED) == 1

    with_agents(user, body)


def test_what_was_taken_back_while_it_did_not_run_is_not_given_for_a_moment(user: User) -> None:
    async def body(agents: SshAgents) -> None:
        await serve(agents, user)
        agents.update(user.sandbox, ENGINE, "")
        user.policy("credentials = []\n")
        agents.refresh(user.sandbox)
        agents.update(user.sandbox, ENGINE, "id-of-start")
        assert SERVED == []
        await looked(agents)
        assert SERVED == []

    with_agents(user, body)


def test_a_policy_that_changed_during_the_start_counts(user: User) -> None:
    async def body(agents: SshAgents) -> None:
        user.policy("credentials = []\n")
        agents.update(user.sandbox, ENGINE, "id-of-start")
        agents.keep(user.sandbox, "id-of-start", CHOICE)
        await looked(agents)
        assert SERVED == []

    with_agents(user, body)


def test_a_start_that_gives_none_takes_back_what_one_before_gave(user: User) -> None:
    async def body(agents: SshAgents) -> None:
        await serve(agents, user)
        agents.keep(user.sandbox, "", None)
        await looked(agents)
        assert SERVED == []

    with_agents(user, body)
