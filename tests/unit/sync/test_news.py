"""What is worked out of the news of a side is what a look at all of it gives, and a save costs no look at all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.sync.checked import Check, checked
from sandboxd.sync.journal import Journal
from sandboxd.sync.news import Differences, Selection, differences
from sandboxd.sync.state import Content, Entry, Kind, News, Root, Snapshot
from sandboxd.sync.stops import Roots
from tests.unit.sync.playing import Played

ROOTS = Roots(Root(1, 1), Root(1, 2))
FILE = Entry(Content(Kind.FILE, "0" * 64))


class Look:
    """What three consumers make of each look at `folder`, each compared with a whole one."""

    def __init__(self, folder: Path) -> None:
        self.played = Played(folder)
        self.journal = Journal(str(folder.parent / "journal"))
        self._chosen, self._differences = Selection(is_chosen), Differences()
        self._check = Check()

    def __call__(self) -> Snapshot:
        side = self.played.look()
        assert set(self._chosen.of(side)) == set(filter(is_chosen, side.entries))
        assert self._differences.of(side, {}) == side.entries.keys()
        assert self._check.checked(side).entries == checked(side).entries
        agreed = self.journal.agreed
        assert self.journal.differences(side, side) == differences(side, agreed)
        return side


def is_chosen(path: str) -> bool:
    return path.endswith("chosen")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    (work / "d/e").mkdir(parents=True)
    for name in ("one", "d/chosen", "d/e/chosen", "d/e/two"):
        (work / name).write_text(name)
    return work


@pytest.mark.parametrize(
    "act",
    [
        lambda work: (work / "one").write_text("other"),
        lambda work: (work / "d/chosen").unlink(),
        lambda work: (work / "d/chosen").rename(work / "d/x.chosen"),
        lambda work: (work / "d/e").rename(work / "moved"),
        lambda work: (work / "d").rename(work / "d.chosen"),
        lambda work: ((work / "d/e").rename(work / "x"), (work / "d/e").write_text("a file")),
        lambda work: ((work / "new/a").mkdir(parents=True), (work / "new/a/chosen").touch()),
        lambda work: (work / "d/e/link.chosen").symlink_to("two"),
        lambda work: (work / "d/e/two").chmod(0o755),
    ],
)
def test_news_say_what_a_whole_look_says(work: Path, act: Callable[[Path], object]) -> None:
    look = Look(work)
    side = look()
    look.journal.update({path: entry.content for path, entry in side.entries.items()}, ROOTS)
    assert look.journal.differences(look(), side) == set()
    act(work)
    after = look()
    assert look.journal.differences(after, after) == differences(after, look.journal.agreed)
    look.journal.update({"one": None, "d/e/two": None, "nowhere": FILE.content}, ROOTS)
    look()
    look.journal.forget()
    look()


def test_a_save_is_the_news_of_few_paths(work: Path) -> None:
    for number in range(500):
        (work / f"d/e/{number}").write_text("text")
    look = Look(work)
    look()
    # Until the clock has gone on, a file that was just written may be written again at the same time.
    is_settled = False
    while not is_settled:
        look.played.reported.look_again()
        news = look().news
        is_settled = news is not None and not news.paths - {"d/e", "d", ""}
    (work / "d/e/two").write_text("TWO")
    news = look().news
    assert news is not None
    assert news.since is not None
    assert "d/e/two" in news.paths
    assert news.paths <= {"d/e/two", "d/e", "d"}


def test_a_folder_that_goes_has_everything_looked_at(work: Path) -> None:
    look = Look(work)
    look()
    (work / "d/e").rename(work / "moved")
    news = look().news
    assert news is not None
    assert news.since is None


def side(entries: dict[str, Entry], at: object, since: object, *paths: str) -> Snapshot:
    return Snapshot(Root(1, 1), entries, news=News(at, since, frozenset(paths)))


def test_a_look_that_was_not_seen_has_everything_looked_at() -> None:
    first, second, third = object(), object(), object()
    chosen = Selection(is_chosen)
    assert chosen.of(side({"a.chosen": FILE}, first, None)) == {"a.chosen"}
    # The second one, which removed the file, went to somebody else.
    assert chosen.of(side({"b": FILE}, third, second, "b")) == set()


def test_a_lie_among_the_news_is_found() -> None:
    first, second, third = object(), object(), object()
    check = Check()
    assert check.checked(side({"a": FILE}, first, None)).entries == {"a": FILE}
    lies = {"a": FILE, "b": Entry(Content(Kind.FILE, "no digest")), "no/folder": FILE}
    found = check.checked(side(lies, second, first, "b", "no/folder"))
    assert found.entries == {"a": FILE}
    assert found.news is None
    # What was a lie is looked at again, though nobody says anything of it.
    assert check.checked(side(lies, third, second)).entries == {"a": FILE}


def test_a_look_without_news_copies_nothing(work: Path) -> None:
    played = Played(work)
    first = played.look()
    assert played.look().entries is first.entries
    (work / "one").unlink()
    second = played.look()
    assert "one" in first.entries
    assert second.entries is not first.entries
    assert "one" not in second.entries
