"""A session keeps two real folders the same: events are played, and the clocks stand until they are set."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd import file_lock
from sandboxd.errors import EnvironmentFailure
from sandboxd.sync import engine
from sandboxd.sync.engine import (
    Answered,
    Ask,
    Changed,
    Deaf,
    Lost,
    Note,
    Phase,
    Restarted,
    Say,
    Show,
)
from sandboxd.sync.local import LocalSide
from sandboxd.sync.run import Report, Rest
from sandboxd.sync.session import Clocks, Session
from sandboxd.sync.state import Root, Snapshot
from sandboxd.sync.steps import Side
from sandboxd.sync.stops import Reason
from tests.patience import PATIENCE, eventually
from tests.unit.sync.pair import Folders, once, texts


class Played:
    """A session of two folders, and what it told."""

    def __init__(self, base: Path) -> None:
        self.folders = Folders(base)
        self.now = 1000.0
        self.day = 1_700_000_000.0
        self.notices: list[Ask | Say | Note | Show] = []
        self.act: Callable[[], None] = lambda: None
        self.open()

    def open(self) -> None:
        """As a daemon that starts."""
        self.folders = Folders(self.folders.base)
        clocks = Clocks(lambda: self.now, lambda: self.day)
        self.session = Session(self.folders.pair(), self.notices.append, clocks, lambda: self.act())

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.day += seconds
        self.session.turn()

    def rest(self) -> None:
        """Let the time pass until nothing is due but a look for its own sake."""
        self.session.turn()
        for _ in range(20):
            if self.session.phase in (Phase.IDLE, Phase.ASKING, Phase.STOPPED):
                return
            self.pass_time(max(self.session.wake_at - self.now, 0.0))
        raise AssertionError(self.session.phase)

    def words(self) -> list[str]:
        return [each.words for each in self.notices if isinstance(each, Say | Note)]

    def shown(self) -> list[Report]:
        return [each.report for each in self.notices if isinstance(each, Show)]

    def question(self) -> Ask:
        return [each for each in self.notices if isinstance(each, Ask)][-1]

    def is_same(self) -> bool:
        return texts(self.folders.host) == texts(self.folders.inside)


@pytest.fixture
def played(tmp_path: Path) -> Played:
    played = Played(tmp_path)
    for number in range(30):
        (played.folders.host / f"f{number}").write_text(str(number))
    played.rest()
    assert played.is_same()
    return played


def test_a_change_of_either_side_is_on_the_other(played: Played) -> None:
    for side, folder in ((Side.HOST, played.folders.host), (Side.INSIDE, played.folders.inside)):
        (folder / side.value).write_text("new")
        played.session.turn()
        assert not played.is_same()
        played.session.put(Changed(side))
        played.rest()
        assert played.is_same()
    assert set(texts(played.folders.host)) >= {"host", "inside"}


def test_a_change_of_which_no_event_came_is_there_after_a_while(played: Played) -> None:
    (played.folders.inside / "new").write_text("new")
    played.pass_time(engine.SWEEP_SECONDS)
    assert played.is_same()
    played.session.put(Deaf(Side.INSIDE, True))
    played.rest()
    (played.folders.inside / "other").write_text("new")
    played.pass_time(engine.POLL_SECONDS)
    assert played.is_same()


def test_another_process_may_have_kept_both_the_same_meanwhile(played: Played) -> None:
    """As a command does while the daemon's session waits; what that recorded is read before the next run."""
    other = Folders(played.folders.base)
    (played.folders.host / "new").write_text("new")
    other.keep()
    assert (played.folders.inside / "new").read_text() == "new"
    (played.folders.host / "new").unlink()
    (played.folders.host / "f0").unlink()
    played.session.put(Changed(Side.HOST))
    played.rest()
    assert played.is_same()
    assert not {"new", "f0"} & texts(played.folders.host).keys()


def test_one_process_at_a_time_keeps_both_the_same(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts: list[str] = []
    wait_for = file_lock._wait_for

    def note_wait(descriptor: int, seconds: float | None) -> None:
        acts.append("waits")
        wait_for(descriptor, seconds)

    monkeypatch.setattr(file_lock, "_wait_for", note_wait)
    (played.folders.host / "new").write_text("new")
    played.session.put(Changed(Side.HOST))
    played.session.turn()
    played.now, played.act = played.session.wake_at, lambda: acts.append("compares")
    run = threading.Thread(target=played.session.turn)
    with Folders(played.folders.base).journal.turn():
        run.start()
        eventually(lambda: bool(acts))
        acts.append("the other one ends")
    run.join()
    assert acts[:3] == ["waits", "the other one ends", "compares"]
    assert played.is_same()


def test_changes_in_the_middle_of_a_run_give_it_a_pause(played: Played) -> None:
    def change() -> None:
        played.now += 7
        played.day += 7
        played.session.put(Changed(Side.INSIDE))

    played.session.put(Changed(Side.INSIDE))
    played.session.turn()
    played.now, played.day = played.session.wake_at, played.day + 1
    played.act, began = change, played.now
    played.session.turn()
    assert played.session.phase is Phase.SETTLING
    assert played.session.wake_at == began + 14


@pytest.mark.parametrize("may_go", [True, False])
def test_many_removals_are_asked_about(played: Played, may_go: bool) -> None:
    for number in range(20):
        (played.folders.inside / f"f{number}").unlink()
    (played.folders.inside / "f29").write_text("changed")
    played.session.put(Changed(Side.INSIDE))
    played.rest()
    assert played.session.phase is Phase.ASKING
    assert played.question().stop.files == {f"f{number}" for number in range(20)}
    assert len(texts(played.folders.host)) == 30
    played.session.put(Answered(played.question().stop, may_go))
    played.rest()
    assert played.is_same()
    assert len(texts(played.folders.host)) == (10 if may_go else 30)
    assert texts(played.folders.host)["f29"] == "changed"


def test_an_answer_counts_for_the_files_that_were_asked_about(played: Played) -> None:
    """Whoever is inside could have others go once the user has said yes."""
    for number in range(20):
        (played.folders.inside / f"f{number}").rename(played.folders.base / f"f{number}")
    played.session.put(Changed(Side.INSIDE))
    played.rest()
    for number in range(10):
        (played.folders.base / f"f{number}").rename(played.folders.inside / f"f{number}")
        (played.folders.inside / f"f2{number}").unlink()
    played.session.put(Answered(played.question().stop, may_go=True))
    played.rest()
    assert played.session.phase is Phase.ASKING
    assert "f20" in played.question().stop.files
    assert len(texts(played.folders.host)) == 30


def test_removals_that_were_put_back_are_asked_about_no_more(played: Played) -> None:
    away = played.folders.base / "away"
    played.folders.inside.joinpath("f0").rename(played.folders.base / "f0")
    away.mkdir()
    for path in list(played.folders.inside.iterdir()):
        path.rename(away / path.name)
    played.session.put(Changed(Side.INSIDE))
    played.rest()
    assert played.question().stop.reason is Reason.EMPTIED
    for path in list(away.iterdir()):
        path.rename(played.folders.inside / path.name)
    played.session.put(Changed(Side.INSIDE))
    played.rest()
    assert played.session.phase is Phase.IDLE
    # Its one file is gone for good, and that is no question.
    assert len(texts(played.folders.host)) == 29
    assert played.is_same()


def test_a_container_that_was_made_anew_has_another_folder(played: Played) -> None:
    inside = played.folders.inside
    inside.rename(played.folders.base / "old")
    inside.mkdir()
    (inside / "f1").write_text("of another image")
    played.session.put(Lost(Side.INSIDE, "its container is another one"))
    played.rest()
    assert played.session.phase is Phase.STOPPED
    assert len(texts(played.folders.host)) == 30
    played.session.put(Restarted())
    played.rest()
    assert played.is_same()
    # Nothing was removed by it, and nothing overwritten.
    assert set(texts(played.folders.host).values()) >= {"1", "of another image", "29"}


def test_a_folder_that_is_away_for_a_while_takes_nothing_with_it(played: Played) -> None:
    host, away = played.folders.host, played.folders.base / "away"
    host.rename(away)
    played.session.put(Changed(Side.HOST))
    played.rest()
    stop = played.shown()[-1].last.stop
    assert stop is not None and stop.reason is Reason.MISSING
    (played.folders.inside / "new").write_text("new")
    away.rename(host)
    played.pass_time(engine.RETRY_SECONDS)
    assert played.session.phase is Phase.IDLE
    assert played.is_same()
    assert (host / "new").read_text() == "new"


@pytest.mark.parametrize("day", [86400.0, -86400.0, 6.0])
def test_after_a_sleep_and_a_clock_that_is_set_all_is_looked_at(played: Played, day: float) -> None:
    (played.folders.host / "new").write_text("new")
    played.day += day
    played.session.turn()
    played.rest()
    assert played.is_same()
    assert any("slept" in words for words in played.words())


def test_a_conflict_keeps_both_and_is_shown(played: Played) -> None:
    (played.folders.host / "f1").write_text("ours")
    (played.folders.inside / "f1").write_text("theirs")
    played.session.put(Changed(Side.HOST))
    played.rest()
    assert played.is_same()
    assert {"ours", "theirs"} <= set(texts(played.folders.host).values())
    assert any(report.conflicts for report in played.shown())


def test_a_save_in_the_middle_of_a_run_is_not_lost(played: Played) -> None:
    path = played.folders.host / "f1"
    (played.folders.inside / "f1").write_text("inside")
    played.act = once(lambda: path.write_text("saved"))
    played.session.put(Changed(Side.INSIDE))
    played.rest()
    assert played.is_same()
    assert path.read_text() == "saved"
    assert "inside" in texts(played.folders.host).values()


def test_a_journal_that_cannot_be_written_is_said_and_tried_again(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    (played.folders.host / "new").write_text("new")

    def full(*_words: object) -> None:
        raise EnvironmentFailure("no space left", "free some")

    with monkeypatch.context() as patch:
        patch.setattr(played.folders.journal, "update", full)
        played.session.put(Changed(Side.HOST))
        played.session.turn()
        played.pass_time(engine.QUIET_SECONDS)
        assert played.words() == ["no space left"]
    played.rest()
    assert played.is_same()


def test_a_later_session_goes_on_from_the_journal(played: Played) -> None:
    (played.folders.host / "f1").unlink()
    (played.folders.inside / "f2").write_text("while nobody looked")
    played.open()
    played.rest()
    assert played.is_same()
    assert "f1" not in texts(played.folders.host)
    assert texts(played.folders.host)["f2"] == "while nobody looked"


def test_what_was_removed_goes_after_seven_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [1_000_000_000]
    monkeypatch.setattr("tests.unit.sync.pair.clock", lambda: times[0])
    played = Played(tmp_path)
    for name in ("a", "b"):
        (played.folders.host / name).write_text(name)
    played.rest()
    (played.folders.inside / "a").unlink()
    played.session.put(Changed(Side.INSIDE))
    played.rest()
    assert played.folders.retained() == ["a"]
    times[0] += 7 * 86400 + 1
    played.pass_time(engine.PRUNE_SECONDS)
    assert played.folders.retained() == []


def test_it_runs_in_a_thread_until_it_is_ended(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    (folders.host / "a").write_text("1")
    session = Session(folders.pair(), lambda _said: None)
    thread = threading.Thread(target=session.run)
    thread.start()
    try:
        eventually((folders.inside / "a").is_file)
        (folders.inside / "b").write_text("2")
        session.put(Changed(Side.INSIDE))
        eventually((folders.host / "b").is_file)
    finally:
        session.end()
        thread.join()
    assert session.phase is Phase.ENDED
    assert texts(folders.host) == texts(folders.inside) == {"a": "1", "b": "2"}


def test_a_caller_waits_for_a_run_that_began_after_its_call(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    session = Session(folders.pair(), lambda _notice: None)
    thread = threading.Thread(target=session.run)
    thread.start()
    try:
        for number in range(5):
            (folders.host / "file").write_text(f"{number}")
            report = session.settle(PATIENCE)
            assert report is not None
            assert (folders.inside / "file").read_text() == f"{number}"
    finally:
        session.end()
        thread.join()
    assert session.settle(0.01) is None


def test_what_was_agreed_with_another_copy_is_forgotten(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    (folders.host / "file").write_text("text")
    status = folders.inside.stat()
    pair = folders.pair()._replace(copy=Root(status.st_dev, status.st_ino))
    pair.compare()
    # A copy in memory after its container was started anew: empty, and another one.
    folders.inside.rename(tmp_path / "before")
    folders.inside.mkdir()
    status = folders.inside.stat()
    report = pair._replace(copy=Root(status.st_dev, status.st_ino)).compare()
    assert report.rest is Rest.SAME
    assert texts(folders.host) == texts(folders.inside) == {"file": "text"}


def test_what_cannot_be_read_is_no_folder_that_is_gone(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: LocalSide, *_more: object) -> Snapshot:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(LocalSide, "scan", refuse)
        played.session.put(Changed(Side.HOST))
        played.session.turn()
        played.pass_time(engine.QUIET_SECONDS)
    assert played.words() == ["permission denied"]
    assert all(report.last.stop is None for report in played.shown())
