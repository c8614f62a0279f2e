"""Two folders are kept the same, with somebody who writes in them at the worst moment."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sandboxd.sync import apply as applying
from sandboxd.sync import renaming
from sandboxd.sync.apply import Target
from sandboxd.sync.local import LocalSide
from sandboxd.sync.run import Rest
from sandboxd.sync.state import Content, Entry
from sandboxd.sync.stops import Reason
from tests.unit.sync.pair import Folders, once, texts


@pytest.fixture(params=["one step", "no such rename"])
def folders(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Folders:
    """Where the system exchanges two names in one step, and where it cannot."""
    if request.param == "no such rename":
        monkeypatch.setattr(renaming, "_function", lambda: None)
    return Folders(tmp_path)


def test_what_one_writes_the_other_has(folders: Folders) -> None:
    (folders.host / "src").mkdir()
    (folders.host / "src/run").write_text("1")
    (folders.host / "src/run").chmod(0o755)
    (folders.inside / "new").write_text("2")
    (folders.inside / "link").symlink_to("src/run")
    assert folders.keep().rest is Rest.SAME
    assert texts(folders.host) == texts(folders.inside)
    assert texts(folders.host) == {"src/run": "1", "new": "2", "link": "-> src/run"}
    assert os.access(folders.inside / "src/run", os.X_OK)
    assert not (folders.host / "new").stat().st_mode & 0o111


def test_what_inside_overwrites_and_removes_is_retained(folders: Folders) -> None:
    (folders.host / "a").write_text("1")
    (folders.host / "b").write_text("2")
    folders.keep()
    (folders.inside / "a").write_text("3")
    (folders.inside / "b").unlink()
    folders.keep()
    assert texts(folders.host) == {"a": "3"}
    assert sorted(folders.retained()) == ["1", "2"]


def test_a_replaced_file_has_the_permissions_that_it_had(folders: Folders) -> None:
    secret = folders.host / "a"
    secret.write_text("1")
    secret.chmod(0o600)
    folders.keep()
    (folders.inside / "a").unlink()
    (folders.inside / "a").write_text("2")
    (folders.inside / "a").chmod(0o4777)
    folders.keep()
    assert secret.read_text() == "2"
    assert secret.stat().st_mode & 0o7777 == 0o700


@pytest.mark.parametrize("save", ["replace", "write", "remove", "folder"])
@pytest.mark.parametrize("change", ["replace", "remove", "mode"])
def test_a_save_on_the_host_while_a_change_comes_out(
    folders: Folders, change: str, save: str
) -> None:
    """After the look and before anything is done: the save stays, and the change is beside it or undone by it."""
    ours, theirs = folders.host / "a", folders.inside / "a"
    ours.write_text("old")
    (folders.host / "other").write_text("")
    folders.keep()
    if change == "mode":
        theirs.chmod(0o755)
    else:
        theirs.unlink()
    if change == "replace":
        theirs.write_text("inside")

    def act() -> None:
        if save == "write":
            ours.write_text("saved")
            return
        ours.unlink()
        if save == "replace":
            ours.write_text("saved")
        if save == "folder":
            ours.mkdir()
            (ours / "b").write_text("saved")

    assert folders.keep(once(act)).rest is Rest.SAME
    host = texts(folders.host)
    assert host == texts(folders.inside)
    if save in ("replace", "write"):
        assert host["a"] == "saved"
    if save == "folder":
        assert host["a/b"] == "saved"
    if change == "replace":
        assert "inside" in host.values()


@pytest.mark.parametrize("change", ["replace", "remove"])
def test_a_save_in_the_moment_of_the_rename_is_put_back(
    folders: Folders, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = folders.host / "a", folders.inside / "a"
    ours.write_text("old")
    (folders.host / "other").write_text("")
    folders.keep()
    theirs.unlink()
    if change == "replace":
        theirs.write_text("inside")

    check = applying.Target._check

    def save_after(target: Target, folder: int, name: str, before: Entry | None) -> None:
        check(target, folder, name, before)
        act()

    def act_on_host() -> None:
        ours.unlink()
        ours.write_text("saved")

    act = once(act_on_host)
    monkeypatch.setattr(applying.Target, "_check", save_after)
    folders.keep()
    host = texts(folders.host)
    assert host == texts(folders.inside)
    assert host["a"] == "saved"
    assert ("inside" in host.values()) is (change == "replace")
    assert not [name for name in os.listdir(folders.host) if name.startswith(".sandboxd")]


def test_of_two_saves_in_the_moment_of_the_rename_the_later_one_stays(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes before the first is put back, and the first is retained."""
    path = folders.host / "a"
    path.write_text("old")
    folders.keep()
    (folders.inside / "a").write_text("inside")
    swap, saves = applying.swap, list[str]()

    def save_before(folder: int, name: str, other: str) -> bool:
        if len(saves) < 2:
            saves.append(f"save {len(saves)}")
            (folders.base / "new").write_text(saves[-1])
            (folders.base / "new").rename(path)
        return swap(folder, name, other)

    monkeypatch.setattr(applying, "swap", save_before)
    folders.keep()
    assert path.read_text() == saves[-1]
    assert set(saves[:-1]) <= set(folders.retained())
    assert set(texts(folders.host).values()) == {saves[-1], "inside"}


def test_a_file_that_appears_where_one_is_made_is_not_overwritten(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folders.inside / "a").write_text("inside")
    (folders.host / "b").write_text("")
    check = applying.Target._check

    def save_after(target: Target, folder: int, name: str, before: Entry | None) -> None:
        check(target, folder, name, before)
        if name == "a":
            act()

    act = once(lambda: (folders.host / "a").write_text("saved"))
    monkeypatch.setattr(applying.Target, "_check", save_after)
    folders.keep()
    host = texts(folders.host)
    assert host["a"] == "saved"
    assert "inside" in host.values()


def test_a_folder_that_becomes_a_link_is_not_followed(folders: Folders) -> None:
    """On either side: inside to have a file written or read elsewhere, on the host by its user."""
    outside = folders.base / "outside"
    outside.mkdir()
    (outside / "a").write_text("treasure")
    for ours, theirs in ((folders.host, folders.inside), (folders.inside, folders.host)):
        (theirs / "d").mkdir()
        (theirs / "d/a").write_text("1")
        folders.keep()
        (ours / "d/a").write_text("2")

        def swap(theirs: Path = theirs) -> None:
            shutil.rmtree(theirs / "d")
            (theirs / "d").symlink_to(outside)

        folders.keep(once(swap))
        assert texts(outside) == {"a": "treasure"}
        assert "treasure" not in texts(folders.host).values()
        for side in (folders.host, folders.inside):
            for path in list(side.iterdir()):
                path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
        folders.keep()


def test_a_link_out_of_the_workspace_stays_inside(folders: Folders) -> None:
    (folders.inside / "d").mkdir()
    for name, target in (("etc", "/etc"), ("d/up", "../../x"), ("hooks", ".git/hooks")):
        (folders.inside / name).symlink_to(target)
    report = folders.keep()
    assert report.rest is Rest.SAME
    assert texts(folders.host) == {}
    assert {stay.path for stay in report.last.stays} == {"etc", "d/up", "hooks"}


def test_nothing_is_removed_that_would_not_fit_among_what_is_retained(folders: Folders) -> None:
    (folders.host / "a").write_text("12345")
    (folders.host / "b").write_text("1")
    folders.keep()
    (folders.inside / "a").unlink()
    folders.retention._bounds = folders.retention._bounds._replace(bytes=4)
    report = folders.keep()
    assert report.rest is Rest.HELD_UP
    assert [skip.step.path for skip in report.skips] == ["a"]
    assert "would not fit" in report.skips[0].why
    assert (folders.host / "a").read_text() == "12345"


def test_a_full_disk_removes_nothing_after_what_it_could_not_write(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folders.host / "old").write_text("1")
    folders.keep()
    (folders.inside / "old").rename(folders.inside / "new")

    def full(*_words: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        report = folders.keep()
    assert [skip.why for skip in report.skips] == [
        "no space left on device",
        "something else could not be written before",
    ]
    assert texts(folders.host) == {"old": "1"}
    folders.keep()
    assert texts(folders.host) == {"new": "1"}


@pytest.mark.parametrize("change", ["replace", "remove"])
def test_what_cannot_be_retained_is_not_lost(
    folders: Folders, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a name of ours then, and a later start retains it."""
    (folders.host / "a").write_text("old")
    (folders.host / "b").write_text("")
    folders.keep()
    (folders.inside / "a").unlink()
    if change == "replace":
        (folders.inside / "a").write_text("inside")

    def full(*_words: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(folders.retention, "put", full)
        folders.keep()
    assert "old" in texts(folders.host).values()
    assert folders.keep().rest is Rest.SAME
    assert texts(folders.host) == texts(folders.inside)
    assert texts(folders.host) == ({"a": "inside", "b": ""} if change == "replace" else {"b": ""})
    assert folders.retained() == ["old"]


def test_what_has_a_name_of_ours_inside_is_taken_only_as_far_as_it_fits(folders: Folders) -> None:
    """Whoever is inside makes as many of them as they like, and of any kind."""
    pipe, large = folders.inside / ".sandboxd-sync-1", folders.inside / ".sandboxd-sync-2"
    (folders.inside / ".sandboxd-sync-0").write_text("1")
    os.mkfifo(pipe)
    large.write_text("12345")
    folders.retention_inside._bounds = folders.retention_inside._bounds._replace(bytes=4)
    assert folders.keep().rest is Rest.SAME
    assert sorted(folders.inside.iterdir()) == [pipe, large]
    assert len(folders.retention_inside.records()) == 1
    assert texts(folders.host) == {}


def test_what_comes_is_what_was_compared(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """A side that shows one file and hands over another."""
    path = folders.inside / "a"
    path.write_text("shown")
    report = folders.keep(once(lambda: path.write_text("other")))
    assert report.rest is Rest.SAME
    assert texts(folders.host) == {"a": "other"}
    assert folders.journal.agreed["a"] == Content(*folders.journal.agreed["a"])


@pytest.mark.parametrize("side", ["host", "inside"])
def test_a_side_that_is_gone_stops_it(folders: Folders, side: str) -> None:
    (folders.host / "a").write_text("1")
    folders.keep()
    (folders.base / side).rename(folders.base / "away")
    report = folders.keep()
    assert report.rest is Rest.STOPPED
    assert report.last.stop is not None
    assert (report.last.stop.reason, report.last.stop.side.value) == (Reason.MISSING, side)
    # Another folder at its place is another one, as a container has that was made anew.
    (folders.base / side).mkdir()
    report = folders.keep()
    assert report.last.stop is not None
    assert report.last.stop.reason is Reason.REPLACED
    (folders.base / side).rmdir()
    (folders.base / "away").rename(folders.base / side)
    assert folders.keep().rest is Rest.SAME
    assert texts(folders.host) == texts(folders.inside) == {"a": "1"}


def test_a_side_that_never_rests_is_said(folders: Folders) -> None:
    path = folders.inside / "log"
    path.write_text("0")

    def write() -> None:
        path.write_text(path.read_text() + "x")

    report = folders.keep(write)
    assert report.rest is Rest.BUSY
    assert folders.keep().rest is Rest.SAME
    assert texts(folders.host) == texts(folders.inside)


def test_a_later_start_goes_on_from_the_journal(tmp_path: Path) -> None:
    first = Folders(tmp_path)
    (first.host / "a").write_text("1")
    (first.host / "b").write_text("2")
    first.keep()
    (first.host / "a").unlink()
    (first.inside / "b").write_text("3")
    again = Folders(tmp_path)
    assert again.keep().rest is Rest.SAME
    assert texts(again.host) == texts(again.inside) == {"b": "3"}
    # Without it nothing is removed, and nothing overwritten.
    (tmp_path / "own/journal").unlink()
    (again.host / "b").write_text("4")
    (again.inside / "c").write_text("5")
    third = Folders(tmp_path)
    third.keep()
    assert sorted(texts(third.host).values()) == ["3", "4", "5"]
    assert texts(third.host) == texts(third.inside)


@pytest.mark.parametrize("side", ["host", "inside"])
def test_a_file_that_one_side_writes_all_the_time_is_no_conflict(tmp_path: Path, side: str) -> None:
    """As a build's log: it goes on while what it was is written on the other side."""
    folders = Folders(tmp_path)
    log = getattr(folders, side) / "log"
    log.write_text("0\n")
    folders.keep()

    def go_on() -> None:
        with log.open("a") as file:
            file.write("more\n")

    go_on()
    apply = LocalSide.apply

    def applied(self: LocalSide, *words: object) -> object:
        result = apply(self, *words)  # type: ignore[arg-type]
        if len(log.read_text()) < 100:
            go_on()
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalSide, "apply", applied)
        report = folders.keep()
    assert report.conflicts == ()
    assert texts(folders.host) == texts(folders.inside)
    assert texts(folders.host).keys() == {"log"}
    assert log.read_text().startswith("0\nmore\n") and len(log.read_text()) >= 100
