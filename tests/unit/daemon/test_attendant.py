"""What the daemon remembers of a gateway, across its runs, and what it gives to one."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record
from sandboxd.daemon import attendant
from sandboxd.daemon.attendant import Attendant, EngineAccess, Memory
from sandboxd.egress.approvals import Approval
from sandboxd.egress.broker import Binding
from sandboxd.egress.broker_wire import Credentials
from sandboxd.egress.messages import VERIFY_BEGINS, Assigned, Attempted, PolicySet, Refused, Used
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import gateway, running_gateway
from sandboxd.life.gateway_channel import Channel
from sandboxd.operations import gateway as operation
from sandboxd.policy import approvals
from tests.patience import PATIENCE, eventually
from tests.unit.engine.fake_engine import answering


def policy(seq: int, version: int) -> PolicySet:
    return {"event": "policy", "seq": seq, "time": 0.0, "version": version, "ports": []}


def assigned(seq: int, name: str, address: str) -> Assigned:
    return {"event": "assigned", "seq": seq, "time": 0.0, "name": name, "address": address}


def denied(seq: int, name: str) -> Attempted:
    return {
        "event": "denied",
        "seq": seq,
        "time": 0.0,
        "name": name,
        "port": 80,
        "door": "direct",
        "reason": "no-rule",
        "rule": "",
        "count": 1,
    }


def test_a_new_run_begins_its_numbers_anew_and_nothing_is_forgotten() -> None:
    memory = Memory()
    assert memory.begin("first") == 0
    memory.take(denied(4, "a.example"))
    assert memory.begin("first") == 4, "the same run goes on after a lost connection"
    assert memory.begin("second") == 0
    memory.take(denied(1, "b.example"))
    assert memory.ledger.totals.denied == 2


def test_addresses_outlive_the_gateway_that_gave_them() -> None:
    memory = Memory()
    memory.begin("first")
    memory.take(assigned(1, "a.example", "198.18.16.1"))
    memory.begin("second")
    assert memory.known() == (("a.example", "198.18.16.1"),)


def test_the_version_is_that_of_the_gateway_of_now() -> None:
    memory = Memory()
    memory.begin("first")
    memory.take(policy(1, 7))
    assert memory.version == 7
    refused: Refused = {
        "event": "refused",
        "seq": 2,
        "time": 0.0,
        "op": "policy",
        "version": 8,
        "why": "no",
    }
    memory.take(refused)
    assert memory.version == 0, "it lets nothing through, so it has to get one"
    memory.take(policy(3, 9))
    memory.begin("second")
    assert memory.version == 0


def test_after_a_line_that_nobody_can_read_the_gateway_has_no_policy() -> None:
    memory = Memory()
    memory.begin("first")
    memory.take(policy(1, 7))
    memory.take({**event("refused", op="events", version=0, why="no number"), "seq": 2})
    assert memory.version == 7, "its policy is another matter"
    memory.take({**event("refused", op="", version=0, why="not a line of JSON"), "seq": 3})
    assert memory.version == 0


def test_names_of_many_runs_are_bounded() -> None:
    """A program inside can look up endless names below a wildcard."""
    memory = Memory()
    for number in range(5000):
        memory.take(assigned(number + 1, f"n{number}.example", "198.18.16.1"))
    assert len(memory.known()) == 4096
    assert memory.known()[-1][0] == "n4999.example"


CREDENTIALS = Credentials((Binding("npm", 8101, "npm.example", 443, "X-Key", "marked-2"),), "PEM")


def event(name: str, **fields: object) -> Any:
    return {"event": name, "seq": 1, "time": 0.0, **fields}


def test_a_gateway_that_has_no_credentials_gets_those_of_the_last_start() -> None:
    memory = Memory()
    memory.begin("first")
    assert memory.missing_credentials() is None, "nobody gave any"
    memory.credentials = CREDENTIALS
    assert memory.missing_credentials() == CREDENTIALS
    memory.take(event("credentials", services=[["npm", 8101]], mark="m"))
    assert memory.missing_credentials() is None
    memory.begin("second")
    assert memory.missing_credentials() == CREDENTIALS


@pytest.mark.parametrize(("op", "missing"), [("credentials", True), ("", True), ("policy", False)])
def test_a_refusal_that_takes_credentials_away_is_noticed(op: str, missing: bool) -> None:
    memory = Memory()
    memory.begin("first")
    memory.credentials = CREDENTIALS
    memory.take(event("credentials", services=[["npm", 8101]], mark="m"))
    memory.take({**event("refused", op=op, version=0, why="no"), "seq": 2})
    assert (memory.missing_credentials() is not None) is missing


def test_credentials_that_cannot_be_given_are_told_without_the_secret(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise EnvironmentFailure("the gateway ended", "start it")

    monkeypatch.setattr(running_gateway, "push_credentials", refuse)
    monkeypatch.setattr(operation, "may_have_secrets", lambda *_: True)
    attending.attendant._memory.credentials = CREDENTIALS
    attending.attendant._give_credentials(cast("Any", None))
    assert attending.told == ["its gateway has no credentials: the gateway ended"]


def used() -> Used:
    """The one connection of an approval was made."""
    return {
        "event": "used",
        "seq": 1,
        "time": time.time(),
        "name": "a.example.org",
        "port": 443,
    }


class Attending:
    """An attendant without a gateway, in a home of its own, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.environ = {"XDG_CONFIG_HOME": str(folder / "config")}
        self.workspace = str(folder / "app")
        Path(self.workspace).mkdir()
        self.told: list[str] = []
        no_engine: Any = None
        access = EngineAccess(no_engine, lambda: self.environ)
        self.attendant = Attendant(self.workspace, access, Memory(), lambda: None, self.told.append)

    def run_to_its_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Attend to a gateway that runs, until the attendant is stopped."""
        monkeypatch.setattr(
            gateway, "container_of", lambda *_: SimpleNamespace(id="g", state="running")
        )
        engine: Any = SimpleNamespace(inspect=lambda _id: {"State": {"StartedAt": "now"}})
        self.attendant._access = EngineAccess(lambda: engine, dict)
        self.attendant.start()
        eventually(lambda: not self.attendant.is_alive())

    def approve(self, seconds: float, *, once: bool = False) -> None:
        now = time.time()
        name = pattern("a.example.org")
        answer = Approval(name, (443,), True, now, "shell", now + seconds, once)
        approvals.add(self.environ, self.workspace, answer)


@pytest.fixture
def attending(tmp_path: Path) -> Attending:
    return Attending(tmp_path)


def test_an_approval_that_was_used_is_taken_away(attending: Attending) -> None:
    attending.approve(3600, once=True)
    attending.attendant._take(used())
    assert approvals.of_project(attending.environ, attending.workspace, time.time()) == ()


def test_answers_that_cannot_be_read_are_told(attending: Attending) -> None:
    attending.approve(3600)
    path = Path(attending.environ["XDG_CONFIG_HOME"], "sandboxd", approvals.FILE_NAME)
    path.write_text("[[approvals")
    attending.attendant._take(used())
    assert "could not be taken away" in attending.told[0]


def test_a_tripwire_is_recorded_once_a_name(attending: Attending) -> None:
    tripped = denied(1, "backup.corp.example")
    tripped["reason"] = "canary"
    for number in range(3):
        attending.attendant._take({**tripped, "seq": number + 1})
    for number in range(100):
        attending.attendant._take({**tripped, "seq": number + 4, "name": f"n{number}.example"})
    record = Record(notes.folder(attending.environ))
    names = [entry.facts["name"] for entry in chain.check(record.files(), record.marks()).entries]
    assert names.count("backup.corp.example") == 1
    assert len(names) == 20


def lost(seq: int, at: float = 0.0, **counts: int) -> Any:
    return {"event": "lost", "seq": seq, "time": at, **counts}


def recorded(attending: Attending) -> list[dict[str, Any]]:
    record = Record(notes.folder(attending.environ))
    entries = chain.check(record.files(), record.marks()).entries
    return [dict(entry.facts) for entry in entries if entry.kind == "attempts-lost"]


def test_the_first_loss_of_each_kind_is_recorded_once(attending: Attending) -> None:
    take = attending.attendant._take
    for seq in range(1, 5):
        take(lost(seq, count=10))
    assert recorded(attending) == [{"lost": 10, "reached": 0, "tripwires": 0}]
    for seq in range(5, 9):
        take(lost(seq, count=10, reached=1, tripwires=0))
    assert recorded(attending)[1:] == [{"lost": 50, "reached": 1, "tripwires": 0}]


def test_what_verify_itself_crowds_out_is_not_recorded(attending: Attending) -> None:
    take = attending.attendant._take
    take({"event": "replayed", "seq": 1, "time": 10.0, "mark": f"{VERIFY_BEGINS} 1"})
    take(lost(2, 11.0, count=10))
    assert recorded(attending) == []
    take(lost(3, 11.0, count=10, tripwires=1))
    assert recorded(attending) == [{"lost": 20, "reached": 0, "tripwires": 1}]


def test_a_gateway_whose_networks_are_gone_gets_no_policy() -> None:
    """Which addresses are the host's own nobody knows then, and the policy would not forbid them."""
    asked: list[str] = []

    def answer(_method: str, target: str) -> tuple[int, object]:
        asked.append(target)
        return 200, []

    with answering(answer) as engine:
        access = EngineAccess(lambda: engine, dict)
        attendant = Attendant(
            "/home/dev/weather", access, Memory(), lambda: None, lambda _text: None
        )
        with pytest.raises(
            EnvironmentFailure, match="the networks of this sandbox's gateway are gone"
        ):
            attendant.push(Policy())
    assert [target.partition("?")[0] for target in asked] == ["/networks"]


def test_a_gateway_gets_what_changed_before_anybody_attended_to_it(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy may have become stricter between a start and the engine's word of it."""
    ours, theirs = socket.socketpair()
    asked: list[int] = []

    def refresh(*_: object, version: int, **__: object) -> None:
        asked.append(version)
        attending.attendant.stop()

    monkeypatch.setattr(attendant, "attach", lambda *_: Channel(ours))
    monkeypatch.setattr(attendant, "past", lambda *_: [policy(1, 7)])
    monkeypatch.setattr(attendant.operation, "refresh", refresh)
    attending.run_to_its_end(monkeypatch)
    theirs.close()
    assert asked == [7]


def test_a_policy_that_was_read_earlier_is_never_sent_later(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Semaphore(0), threading.Event()
    under_way: list[str] = []
    most: list[int] = []

    def refresh(*_: object, **__: object) -> None:
        under_way.append("")
        most.append(len(under_way))
        begun.release()
        may_end.wait(PATIENCE)
        under_way.pop()

    monkeypatch.setattr(attendant.operation, "refresh", refresh)
    attending.attendant._access = EngineAccess(lambda: cast("Any", None), dict)
    threads = [threading.Thread(target=attending.attendant.refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert begun.acquire(timeout=PATIENCE)
    # Time for the other one to begin as well, if it can.
    begun.acquire(timeout=0.2)
    may_end.set()
    for thread in threads:
        thread.join()
    assert most == [1, 1]


def test_an_attendant_that_is_stopped_while_it_attaches_hears_nothing(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its channel may have been attached to after `stop` looked for one to close."""
    ours, theirs = socket.socketpair()

    def attach(*_: object) -> Channel:
        attending.attendant.stop()
        return Channel(ours)

    monkeypatch.setattr(attendant, "attach", attach)
    attending.run_to_its_end(monkeypatch)
    with theirs:
        assert theirs.recv(1) == b"", "it asked the gateway for nothing"
    assert attending.told == []


@pytest.mark.parametrize("of_up", [True, False])
def test_a_line_that_nobody_can_read_is_followed_by_all_that_the_gateway_lost(
    attending: Attending, monkeypatch: pytest.MonkeyPatch, of_up: bool
) -> None:
    """And an editor's sandbox gets no secret that an earlier `up` has read."""
    given: list[object] = []

    def refresh(*_: object, version: int, **_more: object) -> None:
        given.append(version)

    monkeypatch.setattr(operation, "refresh", refresh)
    monkeypatch.setattr(operation, "may_have_secrets", lambda *_: of_up)
    monkeypatch.setattr(running_gateway, "push_credentials", lambda *words: given.append(words[-1]))
    attending.attendant._access = EngineAccess(lambda: cast("Any", None), dict)
    memory = attending.attendant._memory
    memory.credentials = CREDENTIALS
    broken = {**event("refused", op="", version=0, why="not a line of JSON"), "seq": 3}
    attending.attendant._take(policy(1, 7))
    attending.attendant._take(broken)
    assert given == [], "what was before the attendant came is seen to as a whole"
    attending.attendant._has_past.set()
    attending.attendant._take({**policy(4, 7)})
    attending.attendant._take({**broken, "seq": 5})
    assert given == ([0, CREDENTIALS] if of_up else [0])
    attending.attendant._take({**broken, "seq": 6, "op": "events"})
    assert len(given) == 1 + of_up
