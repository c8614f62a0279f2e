"""What the relay hears of a workspace: folders that are made count, a hostile name ends nothing."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.daemon import relay
from sandboxd.daemon.relay import folders_below
from tests.patience import PATIENCE


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[relay._Ear]:
    listener = relay._Ear(str(tmp_path))
    listener.open()
    yield listener
    listener.close()


def hear(
    ear: relay._Ear,
    check: Callable[[set[str]], bool],
) -> set[str]:
    """What is taken until `check` holds of all of it."""
    deadline, paths = time.monotonic() + PATIENCE, set[str]()
    while not check(paths):
        assert time.monotonic() < deadline, paths
        select.select([ear], [], [], min(ear.wait_seconds or 0.2, 0.2))
        paths |= ear.take()
    return paths


def test_what_changes_in_a_folder_that_was_made_meanwhile_is_heard(
    tmp_path: Path, ear: relay._Ear
) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    hear(ear, lambda paths: str(folder) in paths)
    # Until the folder is listened to nothing is promised.
    hear(ear, lambda _paths: str(folder) in ear._folders)
    (folder / "main.js").write_text("1")
    hear(ear, lambda paths: str(folder / "main.js") in paths)


def test_a_name_that_is_not_utf8_ends_nothing(tmp_path: Path, ear: relay._Ear) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff", "wb"):
        pass
    hear(ear, lambda _paths: ear._listening is not None and not ear._listening._thread.is_alive())
    hear(ear, lambda _paths: ear._listening is not None and ear._listening._thread.is_alive())
    (tmp_path / "main.js").write_text("1")
    hear(ear, lambda paths: str(tmp_path / "main.js") in paths)


def test_folders_that_no_watcher_of_sources_looks_into_are_left_out(tmp_path: Path) -> None:
    for name in ("src", "node_modules/x", ".git/objects"):
        (tmp_path / name).mkdir(parents=True)
    assert set(folders_below(str(tmp_path))) == {str(tmp_path), str(tmp_path / "src")}


def test_who_waits_is_woken_by_the_end(ear: relay._Ear) -> None:
    ear.end()
    assert select.select([ear], [], [], 5)[0] == [ear]
    assert ear.is_ended
