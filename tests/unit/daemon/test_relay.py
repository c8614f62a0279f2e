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
def listener(tmp_path: Path) -> Iterator[relay._ChangeListener]:
    listener = relay._ChangeListener(str(tmp_path))
    listener.open()
    yield listener
    listener.close()


def hear(
    listener: relay._ChangeListener,
    check: Callable[[set[str]], bool],
) -> set[str]:
    """What is taken until `check` holds of all of it."""
    deadline, paths = time.monotonic() + PATIENCE, set[str]()
    while not check(paths):
        assert time.monotonic() < deadline, paths
        select.select([listener], [], [], min(listener.wait_seconds or 0.2, 0.2))
        paths |= listener.take()
    return paths


def test_what_changes_in_a_folder_that_was_made_meanwhile_is_heard(
    tmp_path: Path, listener: relay._ChangeListener
) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    hear(listener, lambda paths: str(folder) in paths)
    # Until the folder is listened to nothing is promised.
    hear(listener, lambda _paths: str(folder) in listener._folders)
    (folder / "main.js").write_text("1")
    hear(listener, lambda paths: str(folder / "main.js") in paths)


def test_a_name_that_is_not_utf8_ends_nothing(
    tmp_path: Path, listener: relay._ChangeListener
) -> None:
    first = listener._listening
    with open(os.fsencode(tmp_path) + b"/\xff", "wb"):
        pass
    hear(listener, lambda _paths: listener._listening is not first)
    (tmp_path / "main.js").write_text("1")
    hear(listener, lambda paths: str(tmp_path / "main.js") in paths)


def test_folders_that_no_watcher_of_sources_looks_into_are_left_out(tmp_path: Path) -> None:
    for name in ("src", "node_modules/x", ".git/objects"):
        (tmp_path / name).mkdir(parents=True)
    assert set(folders_below(str(tmp_path))) == {str(tmp_path), str(tmp_path / "src")}


def test_who_waits_is_woken_by_the_end(listener: relay._ChangeListener) -> None:
    listener.end()
    assert select.select([listener], [], [], 5)[0] == [listener]
    assert listener.is_ended
