"""Whatever interrupts an agent at work: its work is there, what is said names the next command, and one goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from sandboxd.engine.client import Engine
from sandboxd.life.find import sandboxes_of_up
from sandboxd.model.sandbox_id import sandbox_id
from tests.e2e.agent_fixtures import *  # noqa: F403 - pytest finds them by their names
from tests.e2e.agent_world import Person, script_agent
from tests.e2e.machine_faults import restart, suspend
from tests.integration.daemon.world import read_until
from tests.patience import PATIENCE, eventually
from tools.engine import private

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

# It does not end because its terminal is gone, and has a child that knows no mark.
WORK = (
    "trap '' PIPE HUP; env -i sleep 1000 & trap \"kill $!; exit 143\" TERM; "
    "while :; do echo work >> work.txt; echo tick 2>&-; sleep 0.1; done"
)
# The pattern is no part of this command's own words.
GO_ON = (
    "wc -l < work.txt; cat /proc/[0-9]*/cmdline 2>&- | tr '\\0' ' ' "
    "| grep -oE 'echo ti[c]k|slee[p] 1000' | wc -l"
)


class AtWork(NamedTuple):
    """An agent that works, and what can happen to it."""

    person: Person
    api: Engine
    running: private.Engine
    client: subprocess.Popen[str]

    @property
    def container(self) -> str:
        (container,) = sandboxes_of_up(self.api, sandbox_id(str(self.person.project), "ticker"))
        return container.id

    def hang_up(self) -> None:
        """Its terminal is closed; this agent ignores that, and is asked to end as well."""
        self.client.send_signal(signal.SIGHUP)
        self.client.send_signal(signal.SIGTERM)

    def kill_client(self) -> None:
        self.client.kill()

    def kill_daemon(self) -> None:
        """The daemon began it; without one the client goes on, and is ended."""
        pid = self.person.world.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self.must_go_on()
        self.client.kill()

    def suspend(self) -> None:
        pids = [self.client.pid, *filter(None, [self.person.world.pid()])]
        suspend(self.running, [self.api.inspect(self.container)["State"]["Pid"]], pids)
        self.must_go_on()
        self.client.kill()

    def stop(self) -> None:
        self.api.stop(self.container, 1)

    def restart_engine(self) -> None:
        restart(self.running)

    def must_go_on(self) -> None:
        before = self.lines()
        eventually(lambda: self.lines() > before + 2)

    def lines(self) -> int:
        done = self.person.run("exec", "--name", "ticker", "-n", "wc", "-l", "work.txt")
        return int(done.stdout.split()[0]) if done.returncode == 0 else 0


INTERRUPTIONS: tuple[Callable[[AtWork], None], ...] = (
    AtWork.hang_up,
    AtWork.suspend,
    AtWork.kill_daemon,
    # No daemon hears of it from here on.
    AtWork.kill_client,
    AtWork.stop,
    AtWork.restart_engine,
)


def test_what_was_interrupted_goes_on_with_its_work(
    person: Person, api: Engine, private_engine: private.Engine
) -> None:
    person.write_agent("ticker", script_agent(WORK, GO_ON))
    person.world.start()
    lines = 0
    for interrupt in INTERRUPTIONS:
        name = interrupt.__name__
        client = person.world.popen(
            "agent", "ticker", *person.granting, "--print", "work", cwd=person.project
        )
        read_until(client.stdout, "tick\ntick\ntick\n")
        work = AtWork(person, api, private_engine, client)
        assert session(person)["since"] is not None, name
        refused = person.agent("ticker", "--resume", "--print", "beside it")
        assert (refused.returncode, "is at work on" in refused.stderr) == (2, True), refused.stderr

        interrupt(work)
        _, errors = client.communicate(timeout=5 * PATIENCE)
        if client.returncode != -signal.SIGKILL:
            assert "`sandboxd agent ticker --resume`" in errors, (name, errors)
        listed = session(person)
        assert listed["since"] is None, name
        assert listed["interrupted"], name
        assert listed["resume"] == "sandboxd agent ticker --resume"
        assert "`sandboxd agent ticker --resume`" in person.must("agent")

        resumed = person.agent("ticker", "--resume", "--print", "go on")
        assert resumed.returncode == 0, (name, resumed.stderr)
        now, others = (int(word) for word in resumed.stdout.split())
        assert now >= lines + 3 and others == 0, (name, resumed.stdout, resumed.stderr)
        lines = now
        assert not session(person)["interrupted"], name
    assert f"A work.txt  +{lines} -0" in person.must("review", "--name", "ticker", "--stat")
    person.must("down", "--name", "ticker", "--discard")


def session(person: Person) -> dict[str, Any]:
    (listed,) = json.loads(person.run("agent", "--json").stdout)["sessions"]
    assert isinstance(listed, dict)
    return listed
