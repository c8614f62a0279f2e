"""A long walk of starts, stops, edits, grants, answers, ends, kills and clocks: at rest a sandbox has what it may have.

Engine, gateway and daemon are played; grants, answers, policies and records are the files that they are. `SANDBOXD_STEPS`
sets the number of steps, `SANDBOXD_SEED` the walk. By hand, before a release and after a change of what is given or
taken back, in some five minutes of processor time:

    SANDBOXD_STEPS=100000 SANDBOXD_SEED=$RANDOM ./dev test tests/unit/operations/test_rights_walk.py

A failure names its seed, and the last steps before it.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandboxd.audit import notes
from sandboxd.audit.record import RecordFailure
from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.egress import elapsed
from sandboxd.egress.elapsed import Moment
from sandboxd.egress.policy import Policy, decide
from sandboxd.errors import SandboxdError, UsageError
from sandboxd.model.labels import EDITOR, UP
from sandboxd.model.remote import Port
from sandboxd.operations import _present_rights, gateway, local_rights
from sandboxd.operations.egress import allow as allowing
from sandboxd.operations.egress import deny as denying
from sandboxd.operations.egress.actions import act
from sandboxd.policy import trust
from sandboxd.policy.in_force import in_force
from sandboxd.policy.reconcile import Given
from sandboxd.policy.rights import KeyRights, PortRights, Rights
from sandboxd.project import Project
from sandboxd.project.rights import rights_now
from sandboxd.state import chosen_groups, given_rights
from tests.unit.operations.read_once import read_once
from tests.unit.operations.running_project import OF_PROFILE, Running, play

STEPS = int(os.environ.get("SANDBOXD_STEPS", "2000"))
SEED = os.environ.get("SANDBOXD_SEED", "1")

ANSWERED = ("mine.example.org", "yours.example.org")
NAMES = (OF_PROFILE, "a.example.org", "b.example.org", *ANSWERED)
CONFIGS = (
    "",
    "# nothing\n",
    "[network]\nallow = []\n",
    '[network]\nallow = ["a.example.org"]\n',
    '[network]\nallow = ["a.example.org", "b.example.org", "pypi"]\n',
    '[network]\nmode = "none"\n',
    '[credentials]\nuse = ["ssh", "github"]\n',
    '[credentials]\nuse = ["ssh"]\n[network]\nallow = []\n',
)
POLICIES = (
    "",
    f'network_deny = ["{OF_PROFILE}", "mine.example.org"]\n',
    'network_allow = ["a.example.org"]\n',
    'network = "none"\n',
    "credentials = []\n",
    "trust = false\n",
)
KEY, HOST, OTHER_HOST = "SHA256:" + 43 * "A", "git.example.org", "other.example.org"
PLACES = ((KEY, HOST), (KEY, OTHER_HOST), (KEY, HOST, OTHER_HOST))
"""Keys of the user's agent, and hosts that they log in to, as records name them."""


ADDRESSES = ("unix:///one.sock", "tcp://127.0.0.1:2375")
PORTS = (Port(3000), Port(8080), Port(5432, service="db"))


class Daemon:
    """A played daemon: what it serves of the user's agent, and which ports it has open."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self.started, self.chosen = "", frozenset[str]()
        self.keys: KeyRights | None = None
        self._before: KeyRights | None = None
        self.ports: PortRights | None = None

    def given(self) -> Given:
        self._before = self.keys
        return Given(started=self.started, chosen=self.chosen, keys=self.keys, ports=self.ports)

    def asked_ports(self) -> tuple[Port, ...] | None:
        return self._walk.asked_ports

    def close_ports(self, ports: tuple[Port, ...]) -> None:
        assert self.ports is not None and {*ports} <= {*self.ports.ports}
        self.ports = self.ports.without(ports) or None

    def open_ports(self, rights: PortRights) -> None:
        open_now = self.ports.ports if self.ports is not None else ()
        assert {*open_now} < {*rights.ports}, "what is closed is closed first"
        assert self.ports is None or self.ports.container == rights.container
        self.ports = rights

    def take_keys(self) -> None:
        self.keys = None

    def end_logins(self) -> None:
        assert self.keys is None or self._before is None or self.keys.lack(self._before.words)

    def give_keys(self, rights: KeyRights) -> None:
        assert self.keys is None, "what is taken back comes first"
        before = self._before
        is_same = before is not None and before.container == rights.container
        had = before.words if before is not None and is_same else frozenset[str]()
        self._walk.expect_entry(rights.words - had)
        self.keys = rights

    def lacks(self, words: frozenset[str], why: str) -> None:
        assert words <= self.chosen and why


class Walk:
    """The world of one sandbox, and what its gateway and its daemon were given."""

    def __init__(self, played: Running, random: random.Random) -> None:
        self.played, self.environ, self.random = played, played.environ, random
        self.now, self.passed = 1e9, 1e6
        self.has_room = True
        self.entries: list[str] = []
        self.recorded_at_push = 0
        self.last = Policy()
        self.before = frozenset[str]()
        """What the gateway had when it was followed last: it may lose all of that for a moment, to end logins."""
        self.number = 0
        self.runs = False
        self.asked_ports: tuple[Port, ...] | None = None
        """By the plan of its config; None while that has none."""
        self.daemon = Daemon(self)
        self.folder = Path(self.environ["XDG_CONFIG_HOME"]) / "sandboxd"
        self.folder.mkdir(parents=True, exist_ok=True)
        played.write("", trusted=False)
        self.sandbox = self.project().sandbox

    # -- the world

    def record(self, _environ: object, kind: str, _project: str, **_facts: object) -> None:
        if not self.has_room:
            raise RecordFailure("the disk is full", "make room")
        self.entries.append(kind)

    def give(self, policy: Policy) -> None:
        """The gateway takes a policy, if it runs."""
        # An answer has its entry from when it was given, however often its network went and came since.
        self.expect_entry(allowed(policy) - allowed(self.last) - self.before - {*ANSWERED})
        self.last = policy
        self.played.pushed.append(policy)

    def expect_entry(self, new: frozenset[str]) -> None:
        """What is new has an entry of since something was given last."""
        assert not new or len(self.entries) > self.recorded_at_push, f"{new} without an entry"
        self.recorded_at_push = len(self.entries)

    def project(self) -> Project:
        return Project.open(str(self.played.path), self.environ)

    def rights(self) -> Rights:
        return rights_now(self.project(), self.played.container, self.now)

    # -- what happens

    def start(self) -> None:
        project = self.project()
        network = project.network(in_force(self.environ))
        if network.problem or network.policy is None:
            return
        self.stop()
        self.number += 1
        self.played.container, self.played.made_by = f"c{self.number}", UP
        self.last, self.recorded_at_push = Policy(), len(self.entries)
        self.played.start(self.now)
        self.runs = True
        places = [each.place for each in self.rights().credentials if each.place]
        self.daemon.started = self.played.container if places else ""
        self.daemon.chosen = frozenset(word for place in places for word in place)

    def stop(self) -> None:
        self.runs = False
        self.played.pushed.clear()
        given_rights.forget(self.environ, self.sandbox, {self.played.container})
        chosen_groups.forget(self.environ, self.sandbox)

    def editor_start(self) -> None:
        """Another container, whose gateway has nothing yet; the last one may have been removed by other means."""
        if self.random.random() < 0.5:
            self.stop()
        self.number += 1
        self.played.container, self.played.made_by = f"c{self.number}", EDITOR
        self.played.pushed.clear()
        self.last, self.runs = Policy(), True
        # Its start is no command of ours; what it is given at first is that of its file.
        self.entries.append("editor")

    def save(self) -> None:
        """An edit that nobody agreed to opens nothing in what runs."""
        before = self.has() if self.follow() else frozenset(NAMES)
        self.played.write(self.random.choice(CONFIGS), trusted=False)
        project = self.project()
        granted = trust.is_granted(
            self.environ, project.workspace, project.config.digest, project.profile.name
        )
        given = given_rights.recall(self.environ, project.sandbox, self.played.container)
        is_of_start = given is not None and given.digest == project.config.digest
        self.follow()
        if given is not None and not granted and not is_of_start:
            # What one edit took away, the next one may bring back, as far as the start or the last grant went.
            assert self.has() - {*ANSWERED} <= before | allowed(given.most)

    def grant(self) -> None:
        self.played.write(self.random.choice(CONFIGS), trusted=True)

    def revoke(self) -> None:
        trust.revoke(self.environ, self.project().workspace)

    def edit_policy(self) -> None:
        (self.folder / "policy.toml").write_text(self.random.choice(POLICIES))

    def answer(self) -> None:
        name, words = self.random.choice(ANSWERED), {}
        action = self.random.choice(("allow", "deny", "undo"))
        if action == "allow":
            words = {"duration": self.random.choice((60.0, 3600.0))}
        if action == "undo":
            action, words = "deny", {"undo": True}
        act(action, str(self.played.path), self.environ, {"text": name, **words})

    def credential(self) -> None:
        name = self.random.choice(("ssh", "github"))
        if self.random.random() < 0.5:
            records.remove(self.environ, Name(name))
        elif name == "ssh":
            records.put(self.environ, Record(Name(name), "ssh-agent", self.random.choice(PLACES)))
        else:
            records.put(self.environ, Record(Name(name), "file"))

    def plan_ports(self) -> None:
        """An edit of the config, after which it has a plan or none."""
        chosen = tuple(port for port in PORTS if self.random.random() < 0.5)
        self.asked_ports = self.random.choice((chosen, chosen, None))

    def pass_time(self) -> None:
        seconds = self.random.choice((10.0, 100.0, 4000.0))
        self.now, self.passed = self.now + seconds, self.passed + seconds

    def set_clock(self) -> None:
        self.now += self.random.choice((-5000.0, -100.0, 100.0, 5000.0))

    def kill_gateway(self) -> None:
        """It starts again without a policy, or lost it by half a line."""
        if self.played.pushed:
            self.played.pushed.append(self.played.pushed[-1]._replace(version=0, rules=()))

    def restart_engine(self) -> None:
        """Its containers end with it, and the sandbox starts again with a gateway that has no policy."""
        self.played.pushed.clear()

    def use_other_address(self) -> None:
        """The same engine has two, and who gives by one finds what was given by the other."""
        self.environ["DOCKER_HOST"] = ADDRESSES[self.environ.get("DOCKER_HOST") == ADDRESSES[0]]

    def kill_daemon(self) -> None:
        """What it knew of keys is gone, and its ports are closed; the sandbox goes on with its gateway."""
        self.daemon = Daemon(self)

    def fill_disk(self) -> None:
        self.has_room = not self.has_room

    # -- the loop

    def follow(self) -> bool:
        """Follow until at rest; False where that was not possible."""
        try:
            self.follow_daemon()
            self.before = allowed(self.last)
            if self.runs:
                self.played.follow()
        except UsageError:
            return False
        except RecordFailure:
            wanted = self.rights()
            assert wanted.gateway is not None and self.has() <= allowed(wanted.gateway.policy)
            assert self.daemon.keys is None or self.daemon.keys.words <= wanted.keys.words
            return False
        return True

    def follow_daemon(self) -> None:
        container = self.played.container if self.runs else ""
        local_rights.follow(self.sandbox, container, self.environ, self.daemon)

    def has(self) -> frozenset[str]:
        return allowed(self.played.pushed[-1]) if self.runs and self.played.pushed else frozenset()

    def at_rest(self) -> None:
        wanted = self.rights()
        if self.runs and wanted.gateway is not None:
            assert self.played.pushed[-1]._replace(version=0) == wanted.gateway.policy
        daemon = self.daemon
        if self.runs and daemon.started == self.played.container:
            may_have = wanted.keys.within(daemon.chosen)
            assert daemon.keys == (may_have or None)
        else:
            assert daemon.keys is None
        ports = daemon.ports.ports if daemon.ports is not None else ()
        assert daemon.ports is None or daemon.ports.container == self.played.container
        if not self.runs:
            assert not ports
        elif self.asked_ports is not None:
            assert {*ports} == {*self.asked_ports}


def allowed(policy: Policy) -> frozenset[str]:
    """The names that a policy lets through before any of its answers ends, and its doors."""
    doors = {service for service, _ in policy.credentials}
    return frozenset(name for name in NAMES if decide(policy, name, 443, 0.0).allowed) | doors


ACTIONS: tuple[tuple[int, Callable[[Walk], None]], ...] = (
    (4, Walk.start),
    (1, Walk.stop),
    (1, Walk.editor_start),
    (4, Walk.save),
    (4, Walk.grant),
    (2, Walk.revoke),
    (4, Walk.edit_policy),
    (5, Walk.answer),
    (3, Walk.credential),
    (3, Walk.plan_ports),
    (2, Walk.pass_time),
    (1, Walk.set_clock),
    (1, Walk.kill_gateway),
    (1, Walk.restart_engine),
    (1, Walk.use_other_address),
    (1, Walk.kill_daemon),
    (1, Walk.fill_disk),
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where this machine has a place there, with a short path: each part of it is looked at each time."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where) as name:
        yield Path(name)


def test_at_rest_a_sandbox_has_what_it_may_have(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = random.Random(SEED)
    walk = Walk(play(folder, monkeypatch), chosen)
    read_once(monkeypatch)
    clock = SimpleNamespace(time=lambda: walk.now)
    for module in (_present_rights, local_rights, allowing, denying):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(elapsed, "moment", lambda: Moment("one", walk.passed))
    monkeypatch.setattr(notes, "require", walk.record)
    # Nothing has to outlive the machine.
    monkeypatch.setattr(os, "fsync", lambda _file: None)
    monkeypatch.setattr(
        gateway, "running_sandbox", lambda *_: walk.played.container_of() if walk.runs else None
    )
    monkeypatch.setattr(
        "sandboxd.life.gateway.push", lambda _e, _w, rights, **_: walk.give(rights.policy)
    )
    weights = [weight for weight, _ in ACTIONS]
    path: list[str] = []
    try:
        for _ in range(STEPS):
            (_, action) = chosen.choices(ACTIONS, weights)[0]
            path.append(action.__name__)
            with contextlib.suppress(SandboxdError):
                action(walk)
            if chosen.random() < 0.7 and walk.follow():
                walk.at_rest()
    except AssertionError as error:
        error.add_note(f"SANDBOXD_SEED={SEED}, after {len(path)} steps: {path[-12:]}")
        raise
    assert walk.number > STEPS / 50, "it walked"
