"""An edit in place, of equal size and within one tick of the clock, has the times of what was compared: bytes tell it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.exchange.copying import Owner
from sandboxd.sync import apply as applying
from sandboxd.sync.apply import Source, Target
from sandboxd.sync.state import Content, Entry, Kind, Root, Snapshot
from sandboxd.sync.steps import Act, Step
from tests.unit.sync.model import file, link
from tests.unit.sync.pair import Folders, once, texts

SECOND = 1_000_000_000


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def entry_in_one_tick(path: Path, content: Content) -> Entry:
    """What a look said that saw `content` at `path` within the tick of the later edit that is there now."""
    status = path.lstat()
    return Entry(
        content,
        status.st_mode,
        status.st_size,
        status.st_ctime_ns,
        status.st_mtime_ns,
        status.st_ino,
    )


def apply(folders: Folders, step: Step, *, began: int | None) -> bool:
    """Do a step on the host after a look that began at a time, None for no look; whether it was done."""
    root = os.open(folders.host, os.O_RDONLY)
    source = Source(lambda _path: iter((b"new",)), lambda _path: True)
    look = Snapshot(Root(0, 0), {}, 0 if began is None else began)
    try:
        target = Target(root, folders.retention, Owner(), is_settled=look.is_settled)
        if began is None:
            target = Target(root, folders.retention, Owner())
        return not target.apply((step,), source)
    finally:
        os.close(root)


@pytest.mark.parametrize("act", [Act.REPLACE, Act.REMOVE])
@pytest.mark.parametrize("began", ["at the edit", "shortly after", None])
def test_an_edit_in_the_tick_of_the_look_is_not_overwritten(
    folders: Folders, act: Act, began: str | None
) -> None:
    path = folders.host / "a"
    path.write_text("ours")
    before = entry_in_one_tick(path, file("olds"))
    step = Step(act, "a", before, file("new") if act is Act.REPLACE else None)
    times = {None: None, "at the edit": before.ctime, "shortly after": before.ctime + SECOND // 20}
    assert not apply(folders, step, began=times[began])
    assert texts(folders.host) == {"a": "ours"}


def test_what_is_older_than_the_look_is_told_by_its_times(folders: Folders) -> None:
    """And is not read again: these bytes are others than those that were compared, and nobody looks."""
    path = folders.host / "a"
    path.write_text("ours")
    before = entry_in_one_tick(path, file("olds"))
    step = Step(Act.REPLACE, "a", before, file("new"))
    assert apply(folders, step, began=before.ctime + 3 * SECOND)


def test_a_link_that_took_the_number_of_another_is_not_overwritten(folders: Folders) -> None:
    path = folders.host / "a"
    path.symlink_to("ours")
    before = entry_in_one_tick(path, link("olds"))
    assert not apply(folders, Step(Act.REMOVE, "a", before), began=before.ctime + 3 * SECOND)
    assert texts(folders.host) == {"a": "-> ours"}


@pytest.mark.parametrize("change", ["replace", "remove"])
def test_an_edit_after_the_last_look_at_it_is_put_back(
    folders: Folders, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the moment before the rename, after which the time of the entry says nothing any more."""
    ours, theirs = folders.host / "a", folders.inside / "a"
    ours.write_text("olds")
    (folders.host / "b").write_text("")
    folders.keep()
    theirs.unlink()
    if change == "replace":
        theirs.write_text("inside")
    check = applying.Target._check

    def edit() -> None:
        status = ours.stat()
        ours.write_text("ours")
        os.utime(ours, ns=(status.st_atime_ns, status.st_mtime_ns))

    def edit_after(target: Target, folder: int, name: str, before: Entry | None) -> None:
        check(target, folder, name, before)
        act()

    act = once(edit)
    monkeypatch.setattr(applying.Target, "_check", edit_after)
    # As where the clock has stood since the file was written.
    monkeypatch.setattr(Snapshot, "is_settled", lambda _snapshot, _entry: False)
    folders.keep()
    host = texts(folders.host)
    assert host == texts(folders.inside)
    assert host["a"] == "ours"
    assert ("inside" in host.values()) is (change == "replace")


@pytest.mark.parametrize(
    ("ctime", "is_settled"),
    [
        (10 * SECOND + 1, False),
        (10 * SECOND - SECOND // 5, True),
        (9 * SECOND, False),
        (8 * SECOND, False),
        (8 * SECOND - SECOND, True),
        (11 * SECOND + 1, False),
    ],
)
def test_a_file_system_that_counts_whole_seconds_has_long_ticks(
    ctime: int, is_settled: bool
) -> None:
    look = Snapshot(Root(0, 0), {}, 10 * SECOND)
    assert look.is_settled(Entry(Content(Kind.FILE), ctime=ctime)) is is_settled
