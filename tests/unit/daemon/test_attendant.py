"""What the daemon gives to a gateway, and does with what it tells."""

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
from sandboxd.daemon.attendant import Attendant, EngineAccess
from sandboxd.daemon.gateway_memory import Memory
from sandboxd.egress.approvals import Approval
from sandboxd.egress.messages import VERIFY_BEGINS, Used
from sandboxd.egress.names import pattern
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.file_lock import locked_beside
from sandboxd.life import gateway, running_gateway
from sandboxd.life.gateway_channel import Channel
from sandboxd.operations import gateway as operation
from sandboxd.policy import approvals, unreadable
from tests.patience import eventually
from tests.unit.daemon.gateway_events import CREDENTIALS, denied, event, policy


def test_credentials_that_cannot_be_given_are_told_without_the_secret(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And once, though it is tried again and again."""

    def refuse(*_: object) -> None:
        raise EnvironmentFailure("the gateway ended", "start it")

    monkeypatch.setattr(operation, "follow", lambda *_, **__: None)
    monkeypatch.setattr(running_gateway, "push_credentials", refuse)
    monkeypatch.setattr(operation, "container_of_up", lambda *_: "c1")
    attending.attendant._access = EngineAccess(lambda: cast("Any", None), dict)
    attending.attendant._memory.keep_credentials("c1", CREDENTIALS)
    for _ in range(3):
        with pytest.raises(EnvironmentFailure):
            attending.attendant._act()
    assert attending.told == ["its gateway has not what it may have now: the gateway ended"]


def test_a_fault_of_ours_is_told_once_and_tried_again(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(operation, "follow", fault)
    attending.attendant._access = EngineAccess(lambda: cast("Any", None), dict)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            attending.attendant._act()
    assert "a bug in sandboxd" in attending.attendant.behind, "it may allow too much"
    assert len(attending.told) == 1 and "a bug in sandboxd" in attending.told[0]
    monkeypatch.setattr(operation, "follow", lambda *_, **__: None)
    attending.attendant._act()
    assert attending.attendant.behind == ""


def test_a_look_that_does_not_end_is_no_sign_that_all_is_well(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending.attendant._rights, "is_stuck", lambda: True)
    assert "does not answer" in attending.attendant.behind


@pytest.mark.parametrize(
    ("is_unread", "is_shut", "said"),
    [
        (True, False, "keeps what it had"),
        (False, False, "has no more than the rules"),
        (True, True, "lets nothing through"),
    ],
)
def test_what_a_gateway_has_instead_is_said(
    attending: Attending,
    monkeypatch: pytest.MonkeyPatch,
    is_unread: bool,
    is_shut: bool,
    said: str,
) -> None:
    followed = operation.Followed(7, "a link is in the way", is_unread, is_shut)
    monkeypatch.setattr(operation, "follow", lambda *_, **__: followed)
    attending.attendant._access = EngineAccess(lambda: cast("Any", None), dict)
    attending.attendant.follow()
    (told,) = attending.told
    assert said in told and told.endswith(": a link is in the way")
    assert attending.attendant.shut == ("a link is in the way" if is_shut else "")


def test_records_that_cannot_be_read_are_said(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = operation.Followed(7, "", no_credentials="half a list")
    monkeypatch.setattr(operation, "follow", lambda *_, **__: followed)
    attending.attendant._access = EngineAccess(lambda: cast("Any", None), dict)
    attending.attendant.follow()
    assert attending.told == ["its gateway uses no credential: half a list"]


def test_what_cannot_be_read_is_read_again_though_nobody_saves_it(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UsageError("half a line", "the other half")

    monkeypatch.setattr(operation, "follow", refuse)
    attending.attendant._access = EngineAccess(lambda: cast("Any", None), dict)
    began = time.time()
    assert attending.attendant._act() >= began + unreadable.LONGEST_SECONDS
    assert attending.attendant.behind == "half a line"


def used() -> Used:
    """The one connection of an approval was made."""
    return {
        "event": "used",
        "seq": 1,
        "time": time.time(),
        "name": "a.example.org",
        "port": 443,
        "once": "1",
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

    def approve(self, seconds: float, *, once: str = "") -> None:
        now = time.time()
        name = pattern("a.example.org")
        answer = Approval(name, (443,), True, now, "shell", now + seconds, once)
        approvals.add(self.environ, self.workspace, answer)


@pytest.fixture
def attending(tmp_path: Path) -> Attending:
    return Attending(tmp_path)


def test_an_approval_that_was_used_is_taken_away(attending: Attending) -> None:
    attending.approve(3600, once="1")
    attending.attendant._take(used())
    assert approvals.of_project(attending.environ, attending.workspace, time.time()) == ()


def test_an_approval_whose_use_cannot_be_noted_is_taken_away_later(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file may be locked for as long as another process is stopped; the next gateway must not have it."""
    monkeypatch.setattr(operation, "follow", lambda *_, **__: None)
    attending.approve(3600, once="1")
    path = Path(attending.environ["XDG_CONFIG_HOME"], "sandboxd", approvals.FILE_NAME)
    attending.attendant._access = EngineAccess(lambda: cast("Any", None), lambda: attending.environ)
    moment = time.time()
    monkeypatch.setattr(attendant, "time", SimpleNamespace(time=lambda: moment))
    with locked_beside(str(path)):
        attending.attendant._take(used())
        pauses = [attending.attendant._act() - moment for _ in range(7)]
        assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert len(attending.told) == 1 and "could not be taken away" in attending.told[0]
    assert attending.attendant._act() == 0.0
    assert approvals.of_project(attending.environ, attending.workspace, time.time()) == ()
    with locked_beside(str(path)):
        attending.attendant._take({**used(), "once": "2"})
        assert attending.attendant._act() - moment == 1.0


def test_answers_that_cannot_be_read_are_told(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation, "follow", lambda *_, **__: None)
    attending.attendant._access = EngineAccess(lambda: cast("Any", None), lambda: attending.environ)
    attending.approve(3600)
    path = Path(attending.environ["XDG_CONFIG_HOME"], "sandboxd", approvals.FILE_NAME)
    path.write_text("[[approvals")
    attending.attendant._take(used())
    attending.attendant._act()
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


def test_a_gateway_gets_what_changed_before_anybody_attended_to_it(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy may have become stricter between a start and the engine's word of it."""
    ours, theirs = socket.socketpair()
    asked = threading.Event()

    def follow(*_: object, **__: object) -> None:
        asked.set()
        attending.attendant.stop()

    monkeypatch.setattr(attendant, "attach", lambda *_: Channel(ours))
    monkeypatch.setattr(attendant, "past", lambda *_: [policy(1, 7)])
    monkeypatch.setattr(operation, "follow", follow)
    attending.run_to_its_end(monkeypatch)
    theirs.close()
    assert asked.is_set()


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
    woken: list[None] = []
    followed = operation.Followed(7, "")

    def follow(*_: object, **__: object) -> operation.Followed:
        given.append("rights")
        return followed

    monkeypatch.setattr(operation, "follow", follow)
    monkeypatch.setattr(operation, "container_of_up", lambda *_: "c1" if of_up else "")
    monkeypatch.setattr(running_gateway, "push_credentials", lambda *words: given.append(words[-1]))
    this = attending.attendant
    monkeypatch.setattr(this._rights, "wake", lambda: woken.append(None))
    this._access = EngineAccess(lambda: cast("Any", None), dict)
    this._memory.keep_credentials("c1", CREDENTIALS)
    broken = {**event("refused", op="", version=0, why="not a line of JSON"), "seq": 3}
    this._take(policy(1, 7))
    this._take(broken)
    assert woken == [], "what was before the attendant came is seen to as a whole"
    this._has_past.set()
    this._act()
    assert given == (["rights", CREDENTIALS] if of_up else ["rights"])
    this._take(event("credentials", services=[["npm", 8101]], mark="m"))
    this._take({**policy(4, 7)})
    assert woken == []
    this._take({**broken, "seq": 5})
    assert woken == [None]
    this._take({**broken, "seq": 6, "op": "events"})


def test_what_somebody_else_gives_a_gateway_is_looked_at(
    attending: Attending, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[None] = []
    this = attending.attendant
    monkeypatch.setattr(this._rights, "wake", lambda: woken.append(None))
    this._has_past.set()
    this._memory.wanted = 7
    this._take(policy(1, 7))
    assert woken == []
    this._take(policy(2, 8))
    assert woken == [None]
