"""Whatever happens to a sandbox that runs: afterwards its gateway has nothing that `Rights` does not say.

A row for each event, with the rights that are gone after it. Beside what is said there, the gateway has exactly what
the one function says.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.egress import elapsed
from sandboxd.egress.elapsed import Moment
from sandboxd.egress.policy import Policy
from sandboxd.model.labels import EDITOR
from sandboxd.operations import _present_rights, gateway
from sandboxd.operations.egress import allow as allowing
from sandboxd.operations.egress.actions import act
from sandboxd.policy import trust
from sandboxd.project import Project
from sandboxd.project.rights import rights_now
from sandboxd.state import given_rights
from tests.unit.operations.running_project import OF_PROFILE, Running, play

PROXY = 'network_proxy = "http://proxy.example.net:3128"\n'
CONFIG = """\
[network]
allow = ["a.example.org", "pypi"]
[credentials]
use = ["github"]
"""
NAMES = {"of the file": "a.example.org", "of the profile": OF_PROFILE, "answer": "mine.example.org"}
EVERYTHING = frozenset({*NAMES, "credential", "login"})


class World:
    """A sandbox that was given one right of each kind, and its clocks."""

    def __init__(self, running: Running) -> None:
        self.running, self.environ = running, running.environ
        self.workspace = os.path.realpath(running.path)
        self.now, self.passed, self.runs = 1e9, 1e6, True
        self.folder = Path(self.environ["XDG_CONFIG_HOME"]) / "sandboxd"
        self.folder.mkdir(parents=True, exist_ok=True)

    def give(self) -> None:
        self.policy(PROXY)
        login = self.folder / "proxy-credentials"
        login.write_text("me:word\n")
        login.chmod(0o600)
        records.put(self.environ, Record(Name("github"), "file"))
        self.running.write(CONFIG, trusted=True)
        act("allow", self.workspace, self.environ, {"text": "mine.example.org", "duration": 60.0})
        self.running.start(self.now)

    def policy(self, text: str) -> None:
        (self.folder / "policy.toml").write_text(text)

    def has(self) -> frozenset[str]:
        """The rights that its gateway has."""
        last = self.running.pushed[-1] if self.runs and self.running.pushed else Policy()
        names = {
            kind for kind, name in NAMES.items() if last.rules and self.running.lets_through(name)
        }
        others = {
            "credential": bool(last.credentials),
            "login": bool(last.upstream and last.upstream.credentials),
        }
        return frozenset(names | {kind for kind, has in others.items() if has})

    def may_have(self) -> Policy | None:
        project = Project.open(self.workspace, self.environ)
        wanted = rights_now(project, self.running.container, self.now).gateway
        return wanted.policy if wanted is not None else None

    # -- what happens

    def save(self) -> None:
        self.running.write(CONFIG.replace("a.example", "b.example"), trusted=False)

    def save_half(self) -> None:
        (self.running.path / "sandboxd.toml").write_text("profile =")

    def edit_policy(self) -> None:
        names = ", ".join(f'"{name}"' for name in NAMES.values())
        self.policy(f"network_deny = [{names}]\ncredentials = []\n")

    def forbid_profile(self) -> None:
        self.policy(PROXY + 'profiles = ["review"]\n')

    def revoke(self) -> None:
        trust.revoke(self.environ, self.workspace)

    def remove_credential(self) -> None:
        records.remove(self.environ, Name("github"))

    def end_answer(self) -> None:
        self.now, self.passed = self.now + 100, self.passed + 100

    def set_clock_back(self) -> None:
        """The answer ends by the time that passed, not by the clock."""
        self.now, self.passed = self.now - 5000, self.passed + 100

    def kill_daemon(self) -> None:
        """What it knows is in files, and the gateway goes on."""

    def kill_gateway(self) -> None:
        self.running.pushed.append(Policy())

    def replace_container(self) -> None:
        """By an editor, whose gateway had what the one before it had."""
        self.running.container, self.running.made_by = "c2", EDITOR

    def start_again(self) -> None:
        self.running.start(self.now)

    def stop(self) -> None:
        self.runs = False
        self.running.pushed.clear()
        given_rights.forget(self.environ, self.workspace)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    running = play(tmp_path, monkeypatch)
    world = World(running)
    clock = SimpleNamespace(time=lambda: world.now)
    for module in (_present_rights, allowing):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(elapsed, "moment", lambda: Moment("one", world.passed))
    monkeypatch.setattr(
        gateway, "running_sandbox", lambda *_: running.container_of() if world.runs else None
    )
    world.give()
    assert world.has() == EVERYTHING
    return world


EVENTS: dict[Callable[[World], None], set[str]] = {
    World.save: {"of the file", "credential"},
    World.edit_policy: {*NAMES, "credential", "login"},
    World.forbid_profile: set(EVERYTHING),
    World.revoke: {"of the file", "credential"},
    World.remove_credential: {"credential"},
    World.end_answer: {"answer"},
    World.set_clock_back: {"answer"},
    World.kill_daemon: set(),
    World.kill_gateway: set(),
    World.replace_container: {"credential"},
    World.start_again: set(),
    World.stop: set(EVERYTHING),
}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_after_each_event_a_gateway_has_what_rights_say(
    world: World, event: Callable[[World], None]
) -> None:
    event(world)
    world.running.follow()
    assert world.has() == EVERYTHING - EVENTS[event]
    if world.runs:
        assert world.running.pushed[-1]._replace(version=0) == world.may_have()


UNSEEN = (World.kill_daemon, World.kill_gateway, World.replace_container, World.save_half)


@pytest.mark.parametrize("event", UNSEEN, ids=lambda event: event.__name__)
def test_what_is_taken_back_while_nobody_looks_does_not_outlast_it(
    world: World, event: Callable[[World], None]
) -> None:
    """All of it is taken back at once, beside what happens to daemon, gateway, container or file."""
    event(world)
    for taking in (World.edit_policy, World.revoke, World.remove_credential, World.end_answer):
        taking(world)
    world.running.follow()
    assert world.has() == frozenset()


def test_what_cannot_be_read_gives_nothing_new(world: World) -> None:
    world.save_half()
    records.remove(world.environ, Name("github"))
    world.running.follow()
    assert world.has() == EVERYTHING - {"credential"}
    records.put(world.environ, Record(Name("github"), "file"))
    world.running.follow()
    assert world.has() == EVERYTHING - {"credential"}, "its secret is the one of before"
