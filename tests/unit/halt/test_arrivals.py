"""Files that came from elsewhere into a shut folder: real files, and origins as data."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sandboxd.halt import arrivals
from sandboxd.halt.arrivals import Arrivals, Origins
from sandboxd.plan import second_names


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "app/.githooks").mkdir(parents=True)
    (tmp_path / "app/.githooks/old").write_text("old")
    (tmp_path / "app/scripts").mkdir()
    (tmp_path / "app/scripts/hook").write_text("reviewed")
    (tmp_path / "app/scripts/hook").chmod(0o755)
    return tmp_path / "app"


@pytest.fixture
def shut(workspace: Path) -> Arrivals:
    return Arrivals(str(workspace), [str(workspace / ".githooks"), str(workspace / "missing")])


def moved(path: Path) -> Origins:
    return Origins(moved={str(path)})


def test_a_file_that_was_moved_is_another_one_and_the_same_to_read(
    workspace: Path, shut: Arrivals
) -> None:
    before = (workspace / "scripts/hook").stat()
    hook = workspace / ".githooks/hook"
    with (workspace / "scripts/hook").open("r+") as inside:
        (workspace / "scripts/hook").rename(hook)
        assert shut.part(moved(hook)) == ()
        inside.write("evil")
    now = hook.stat()
    assert hook.read_text() == "reviewed" and now.st_ino != before.st_ino
    assert (now.st_mode, now.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    # Once, and nothing else.
    assert shut.part(Origins()) == () and hook.stat().st_ino == now.st_ino
    assert sorted(os.listdir(workspace / ".githooks")) == ["hook", "old"]


def test_a_second_name_ends_with_the_copy(workspace: Path, shut: Arrivals) -> None:
    hook = workspace / ".githooks/hook"
    hook.hardlink_to(workspace / "scripts/hook")
    assert shut.part(moved(hook)) == () and hook.stat().st_nlink == 1


def test_what_was_made_there_stays_the_same_file(workspace: Path, shut: Arrivals) -> None:
    new = workspace / ".githooks/new"
    new.write_text("by an editor")
    number = new.stat().st_ino
    assert shut.part(Origins(fresh={str(new)})) == () and new.stat().st_ino == number
    new.rename(workspace / ".githooks/renamed")
    assert shut.part(Origins()) == ()
    assert (workspace / ".githooks/renamed").stat().st_ino == number


def test_a_folder_that_was_moved_stays_open(workspace: Path, shut: Arrivals) -> None:
    (workspace / "scripts").rename(workspace / ".githooks/scripts")
    assert shut.part(moved(workspace / ".githooks/scripts")) == (
        str(workspace / ".githooks/scripts"),
    )


def test_of_unknown_origin_it_is_replaced_once_nobody_writes_it(
    workspace: Path, shut: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of the host may be making it."""
    (workspace / ".githooks/sub").mkdir()
    new = workspace / ".githooks/sub/new"
    new.write_text("x")
    number = new.stat().st_ino
    assert shut.part(Origins()) == () and shut.is_waiting and new.stat().st_ino == number
    os.utime(new, (time.time() - 1, time.time() - 1))
    assert shut.part(Origins()) == () and not shut.is_waiting and new.stat().st_ino != number
    assert str(workspace / ".githooks/sub") in shut.folders()
    written = workspace / ".githooks/sub/written"
    written.write_text("x")
    assert shut.part(Origins()) == ()
    monkeypatch.setattr(arrivals, "_PATIENCE_SECONDS", -1)
    assert shut.part(Origins()) == (str(written),)


@pytest.mark.parametrize("failure", [second_names.Changed(), OSError(28, "no space left")])
def test_one_that_cannot_be_replaced_stays_open(
    workspace: Path, shut: Arrivals, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(second_names, "replace_by_copy", fail)
    hook = workspace / ".githooks/hook"
    (workspace / "scripts/hook").rename(hook)
    assert shut.part(moved(hook)) == (str(hook),)


def test_a_number_that_is_given_again_is_no_proof(workspace: Path, shut: Arrivals) -> None:
    old = workspace / ".githooks/old"
    number = old.stat().st_ino
    os.utime(old, (0, 0))
    old.rename(workspace / "scripts/old")
    assert shut.part(Origins()) == ()
    (workspace / "scripts/old").rename(old)
    assert shut.part(Origins()) == () and old.stat().st_ino != number


@pytest.mark.parametrize(
    ("to", "is_open"),
    [
        ("../scripts/hook", True),
        ("../absent", True),
        ("../scripts", True),
        ("old", False),
        ("/usr/bin/env", False),
        ("../.git/hooks/x", False),
        ("loop", False),
    ],
)
def test_a_link_to_what_inside_can_write_stays_open(
    workspace: Path, shut: Arrivals, to: str, is_open: bool
) -> None:
    link = workspace / ".githooks/loop"
    link.symlink_to(to)
    found = (str(link),) if is_open else ()
    assert shut.part(Origins(fresh={str(link)})) == found
    assert shut.part(Origins()) == found


def test_a_link_over_another_one_stays_open(workspace: Path, shut: Arrivals) -> None:
    """Who replaces the one in between leads it elsewhere."""
    (workspace / "hop").symlink_to(".githooks/old")
    (workspace / ".githooks/new").symlink_to("../hop")
    assert shut.part(Origins()) == (str(workspace / ".githooks/new"),)


def test_links_that_were_there_before_are_left(workspace: Path) -> None:
    (workspace / ".githooks/new").symlink_to("../scripts/hook")
    assert Arrivals(str(workspace), [str(workspace / ".githooks")]).part(Origins()) == ()


def test_what_is_moved_into_a_folder_of_many_entries_is_seen_all_the_same(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_MOST_ENTRIES", 1)
    shut = Arrivals(str(workspace), [str(workspace / ".githooks")])
    # Behind the entries that are looked at, which is `old` alone.
    hook = workspace / ".githooks/pre-commit"
    before = (workspace / "scripts/hook").stat()
    (workspace / "scripts/hook").rename(hook)
    assert shut.part(moved(hook)) == () and hook.stat().st_ino != before.st_ino
    (workspace / "scripts").rename(workspace / ".githooks/scripts")
    here = str(workspace / ".githooks/scripts")
    assert shut.part(moved(Path(here))) == (here,)


def test_folders_behind_the_entries_that_are_looked_at_are_listened_to(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / ".githooks/sub/below").mkdir(parents=True)
    monkeypatch.setattr(arrivals, "_MOST_ENTRIES", 1)
    folders = Arrivals(str(workspace), [str(workspace / ".githooks")]).folders()
    expected = [".githooks", ".githooks/sub", ".githooks/sub/below"]
    assert sorted(folders) == [str(workspace / path) for path in expected]


def test_folders_are_listened_to_up_to_the_bound_also_where_one_has_more(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = workspace / "wide"
    for number in range(5):
        (top / f"{number}").mkdir(parents=True)
    monkeypatch.setattr(arrivals, "_MOST_LISTED", 3)
    folders = Arrivals(str(workspace), [str(top)]).folders()
    assert str(top) in folders and len(folders) == 4
