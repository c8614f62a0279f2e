"""A long walk of two real folders: both sides write at random, one of them means ill, and both are kept the same.

A session keeps them so: of some changes it hears, of others not, it asks and is answered, it ends in the middle of a
run and begins anew. The side inside is told and changed by the reporter, as it is for a sandbox, or is a folder. At rest
an outside comparison by hashes holds, nothing that anybody wrote is lost, and no file that acts on the host was written
from inside. `SANDBOXD_STEPS` sets the number of steps of the long walk, `SANDBOXD_SEED` the walk.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from sandboxd.sync import reported_tree, scan
from sandboxd.sync.checked import Check, checked
from sandboxd.sync.engine import (
    SWEEP_SECONDS,
    Answered,
    Ask,
    Changed,
    Lost,
    Phase,
    Say,
    Show,
)
from sandboxd.sync.flows import Flow, Policy
from sandboxd.sync.journal import Journal
from sandboxd.sync.local import LocalSide
from sandboxd.sync.news import Differences, differences
from sandboxd.sync.remote import RemoteSide
from sandboxd.sync.retention import Retention
from sandboxd.sync.run import InsideSide, Report, Rest
from sandboxd.sync.session import Clocks, Pair, Session
from sandboxd.sync.stamps import Stamp, Stamps, Work, entry_of
from sandboxd.sync.state import Content, Entry, Root, Snapshot, above
from sandboxd.sync.steps import Side
from sandboxd.sync.stops import Reason, Stop
from sandboxd.sync.watched import WatchedSide
from tests.unit.sync.actors import Actor, is_file, paths_below
from tests.unit.sync.playing import PlayedStream

STEPS = int(os.environ.get("SANDBOXD_STEPS", "5000"))
SEED = os.environ.get("SANDBOXD_SEED", "1")

POLICY = Policy(
    is_hidden=lambda path, _: path.rpartition("/")[2] == "secret",
    is_ignored=lambda path, is_folder: is_folder and path.rpartition("/")[2] == "build",
)
TREASURE = "host:treasure"
ACTS = re.compile(
    r"(?:\A|/)(?:\.git|git~1|\.vscode|\.envrc|\.gitattributes)[. ]*(?:/|\Z)", re.IGNORECASE
)
"""Names on which the host acts, whatever the policy says of them."""


class Killed(BaseException):
    """The session's process is no more."""


class Walk:
    """Two folders, and what was written in them."""

    def __init__(self, base: Path, chooser: random.Random) -> None:
        self.random = chooser
        self.host, self.inside, self.outside = base / "host", base / "inside", base / "outside"
        for folder in (self.host, self.inside, self.outside):
            folder.mkdir(parents=True)
        (self.outside / "treasure").write_text(TREASURE)
        self.live: set[str] = set()
        self.number = 0
        self.retentions = [
            Retention(str(base / name), lambda: 1_000_000_000) for name in ("kh", "ki")
        ]
        self.objects = [base / name / "objects" for name in ("kh", "ki")]
        self.journal = base / "state" / "journal"
        self.now = 1000.0
        self.left, self.races, self.kills = 0, 0.0, 0.0
        self.shows: list[Show] = []
        self.stop: Stop | None = None
        self.actors = (Actor(self, "host", self.host), Actor(self, "inside", self.inside))
        self._sides = contextlib.ExitStack()
        self._open()

    def _open(self) -> None:
        """As a daemon that starts: it knows what the journal says."""
        # A user may have few descriptors of inotify.
        self.close()
        pair = Pair(
            self._host(),
            self._inside(),
            Journal(str(self.journal)),
            POLICY,
            tuple(self.retentions),
        )
        clocks = Clocks(lambda: self.now, lambda: self.now)
        self.session = Session(pair, self.tell, clocks, self.between)

    def close(self) -> None:
        """End what the session listens to."""
        self._sides.close()

    def _host(self) -> LocalSide:
        """The host's side by the events of its folders, or by looks at all of them."""
        if self.random.random() < 0.7:
            side = WatchedSide(
                str(self.host),
                self.retentions[0],
                lambda event: self.session.put(event),
                stamps=Stamps(str(self.journal.parent / "stamps-host")),
            )
            self._sides.callback(side.close)
            return side
        stamps = Stamps(str(self.journal.parent / "stamps-host"))
        return LocalSide(str(self.host), self.retentions[0], is_host=True, stamps=stamps)

    def _inside(self) -> InsideSide:
        """The side inside by its reporter, which also changes it, or as a folder of this machine."""
        if self.random.random() < 0.7:
            status = self.inside.stat()
            root = Root(status.st_dev, status.st_ino)
            stream = PlayedStream(self.inside)
            self._sides.callback(stream.close)
            stamps = Stamps(str(self.journal.parent / "stamps-inside"))
            return RemoteSide(stream, root, lambda event: self.session.put(event), stamps=stamps)
        return LocalSide(str(self.inside), self.retentions[1], is_host=False)

    def new_text(self, name: str) -> str:
        self.number += 1
        return f"{name}:{self.number}"

    def destroy(self, path: Path) -> None:
        """Its owner lets go of what is at `path` and below it."""
        if path.is_symlink():
            return
        paths = paths_below(path) if path.is_dir() else [path]
        self.live -= {each.read_text() for each in paths if is_file(each)}

    def act(self) -> None:
        if self.random.random() < 0.1:
            self.collide()
        else:
            self.random.choice(self.actors).act()
        if self.random.random() < 0.7:
            self.session.put(Changed(self.random.choice(tuple(Side))))
        elif self.random.random() < 0.1:
            self.session.put(Lost(Side.HOST, "events were lost"))

    def collide(self) -> None:
        """Both write the same file before anybody has compared."""
        host, inside = self.actors
        if (path := host.file()) is not None:
            other = self.inside / path.relative_to(self.host)
            with contextlib.suppress(OSError):
                if str(other) == os.path.realpath(other):
                    inside.put(other)
                host.put(path)

    def tell(self, notice: Ask | Say | Show) -> None:
        if isinstance(notice, Show):
            self.shows.append(notice)
        if isinstance(notice, Ask):
            self.stop = notice.stop

    def between(self) -> None:
        """What happens after a look, before anything is done by it."""
        if self.random.random() < self.kills:
            raise Killed
        if self.left and self.random.random() < self.races:
            self.left -= 1
            self.act()

    def turn(self, seconds: float) -> None:
        """Let the time pass, and have the session do what is due; it may be killed at that."""
        self.now += seconds
        try:
            self.session.turn()
        except Killed:
            self._open()

    def rest(self, races: float) -> Report:
        """Bring both to rest, while somebody may go on writing for a while, and each question is answered."""
        self.left, self.races, self.kills = 4, races, races / 5
        self.shows.clear()
        for _ in range(60):
            self.turn(SWEEP_SECONDS)
            if self.session.phase is Phase.ASKING:
                self.answer()
            elif self.shows and (
                self.session.phase is Phase.IDLE or self.shows[-1].report.rest is Rest.HELD_UP
            ):
                return self.shows[-1].report
        raise AssertionError(f"no rest: {self.session.phase}, {self.shows[-3:]}")

    def answer(self) -> None:
        assert self.stop is not None, "nobody was asked"
        assert self.stop.reason in (Reason.REMOVALS, Reason.EMPTIED), self.stop
        self.session.put(Answered(self.stop, may_go=self.random.random() < 0.8))

    # -- what holds at rest

    def look(self, report: Report) -> None:
        assert report.rest in (Rest.SAME, Rest.HELD_UP), report
        host, inside = _contents(self.host), _contents(self.inside)
        explained = {stay.path for stay in report.last.stays} | {s.step.path for s in report.skips}
        pipes = {path for path, content in inside.items() if content == "pipe"}
        for path in sorted({*host, *inside} - pipes):
            if host.get(path) != inside.get(path) and not _is_below(path, explained | pipes):
                holds = [
                    each
                    for each in explained | pipes | set(_excluded(self))
                    if each.startswith(f"{path}/")
                ]
                assert holds, (path, host.get(path), inside.get(path), report)
        self.look_for_losses()
        self.look_at_host()

    def look_for_losses(self) -> None:
        texts = {
            path.read_text()
            for folder in (self.host, self.inside)
            for path in paths_below(folder)
            if is_file(path)
        }
        for text in self.live - texts:
            assert self._is_retained(text), f"{text} is lost"
            # It is there for seven days, which this walk does not take.
            self.live.discard(text)

    def _is_retained(self, text: str) -> bool:
        # The name is of what was known: another one if the file was edited within a tick of the clock.
        kept = (path for folder in self.objects for path in folder.iterdir())
        return any(path.read_text() == text for path in kept)

    def look_at_host(self) -> None:
        """No file that acts on the host was written from inside, and no link from there leads out."""
        for path in paths_below(self.host):
            name = str(path.relative_to(self.host))
            if path.is_symlink():
                assert Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.host)), (
                    name
                )
            elif path.is_file() and (
                ACTS.search(name) or not POLICY.rule(name, False).flow & Flow.OUT
            ):
                assert not path.read_text().startswith("inside:"), name
        assert os.listdir(self.outside) == ["treasure"]
        assert (self.outside / "treasure").read_text() == TREASURE


def _contents(folder: Path) -> dict[str, str]:
    """What is in a folder, but for what stays where it was made."""
    contents = {}
    for path in paths_below(folder):
        name = str(path.relative_to(folder))
        if any(_rule_excludes(folder, up) for up in (name, *_ups(name))):
            continue
        if path.is_symlink():
            contents[name] = f"-> {path.readlink()}"
        elif path.is_dir():
            contents[name] = "folder"
        elif path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            contents[name] = f"{os.access(path, os.X_OK)} {digest}"
        else:
            contents[name] = "pipe"
    return contents


def _rule_excludes(folder: Path, name: str) -> bool:
    path = folder / name
    return POLICY.excludes(name, path.is_dir() and not path.is_symlink())


def _excluded(walk: Walk) -> list[str]:
    return [
        name
        for folder in (walk.host, walk.inside)
        for path in paths_below(folder)
        if _rule_excludes(folder, name := str(path.relative_to(folder)))
    ]


def _ups(path: str) -> list[str]:
    ups = []
    while path := above(path):
        ups.append(path)
    return ups


def _is_below(path: str, explained: set[str]) -> bool:
    return path in explained or not explained.isdisjoint(_ups(path))


def compare_with_whole_looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have what is worked out of the news alone compared with a look at everything, each time; how each was made."""
    looks: list[str] = []
    of, checked_of = Differences.of, Check.checked

    def both(self: Differences, side: Snapshot, agreed: Mapping[str, Content]) -> Collection[str]:
        found = of(self, side, agreed)
        assert found == differences(side, agreed)
        is_sequel = side.news is not None and side.news.since is not None
        looks.append("news" if is_sequel else "all")
        return found

    def check(self: Check, side: Snapshot) -> Snapshot:
        found = checked_of(self, side)
        assert found._replace(news=None) == checked(side)._replace(news=None)
        return found

    def stamped(stamp: Stamp, status: tuple[int, ...]) -> Entry | None:
        entry = entry_of(stamp, status)
        looks.append("stamp" if entry is not None else "no stamp")
        return entry

    for module in (reported_tree, scan):
        monkeypatch.setattr(module, "entry_of", stamped)
    # Of a few files it would not be worth it.
    monkeypatch.setattr(Work, "is_worth_saving", lambda _work, _total: True)
    monkeypatch.setattr(Differences, "of", both)
    monkeypatch.setattr(Check, "checked", check)
    return looks


@pytest.mark.parametrize("steps", [300, STEPS], ids=["short", "long"])
def test_both_sides_are_the_same_at_rest_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    # What a crash of the machine leaves is not what this shows.
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    looks = compare_with_whole_looks(monkeypatch)
    walk = Walk(tmp_path, random.Random(SEED))
    for number in range(steps):
        walk.act()
        if walk.random.random() < 0.3:
            walk.turn(walk.random.choice((0.005, 0.02, 2.0)))
        if walk.random.random() < 0.1:
            walk.rest(races=0.5)
            walk.look(walk.rest(races=0))
        if number % 100 == 99:
            walk._open()
    walk.look(walk.rest(races=0))
    walk.close()
    assert looks.count("news") > steps / 10
    assert looks.count("all") > steps / 100
    # At rest both sides are the same by their bytes, so a stamp of others would have been seen.
    assert looks.count("stamp") > steps / 100
