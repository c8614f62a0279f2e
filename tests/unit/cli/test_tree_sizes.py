"""The folders that tools fill are counted: nothing is opened, followed or waited for."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from sandboxd.cli import tree_sizes
from sandboxd.cli.tree_sizes import Size, sizes
from tests.patience import PATIENCE

MARKERS = {"node_modules": ("package.json",), "target": ("Cargo.toml",)}


def make(root: Path, *paths: str, content: str = "four") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)


def measured(root: Path) -> tree_sizes.Sizes:
    return sizes(str(root), MARKERS, PATIENCE)


def found(root: Path) -> dict[str, Size]:
    return {tree.path: tree for tree in measured(root).trees}


def test_files_bytes_and_those_of_this_week(tmp_path: Path) -> None:
    make(tmp_path, "Cargo.toml", "target/debug/a", "target/debug/deps/b", "target/c", "src/main.rs")
    old = time.time() - 8 * 24 * 3600
    os.utime(tmp_path / "target/c", (old, old))
    assert measured(tmp_path) == ((Size("target", 3, 12, 2, True),), True)


def test_a_tree_is_told_by_a_file_beside_it_or_by_an_ignore_file(tmp_path: Path) -> None:
    make(tmp_path, "web/package.json", "web/node_modules/a", "api/node_modules/a", "src/a/b/gen/c")
    assert found(tmp_path).keys() == {"web/node_modules"}
    ignores = ["# out", "/dist/", "**/cache", "*.o", "a/b", "!kept", "kept", "", "é x/"]
    make(tmp_path, "src/.gitignore", content="\n".join(ignores))
    make(tmp_path, "src/dist/a", "src/cache/a", "src/kept/a", "src/a/b/c", "src/é x/a", "dist/a")
    assert found(tmp_path).keys() == {"web/node_modules", "src/dist", "src/cache", "src/é x"}


def test_no_link_is_followed_and_no_history_looked_at(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    make(outside, "node_modules/a", "b")
    root = tmp_path / "project"
    make(root, "package.json", ".git/objects/a", ".gitignore", content=".git\nlink\n")
    (root / "node_modules").symlink_to(outside / "node_modules")
    (root / "link").symlink_to(outside)
    (root / "up").symlink_to("..")
    assert measured(root) == ((), True)
    (root / "node_modules").unlink()
    (root / "node_modules").mkdir()
    (root / "node_modules/loop").symlink_to(outside)
    assert found(root)["node_modules"].files == 1, "the link itself"


def test_what_stands_in_the_place_of_an_ignore_file_is_not_waited_for(tmp_path: Path) -> None:
    make(tmp_path, "Cargo.toml", "target/a")
    os.mkfifo(tmp_path / ".gitignore")
    assert found(tmp_path).keys() == {"target"}
    (tmp_path / ".gitignore").unlink()
    (tmp_path / ".gitignore").mkdir()
    assert found(tmp_path).keys() == {"target"}


def test_a_tree_without_end_is_counted_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "Cargo.toml", *(f"target/{n}/{m}" for n in range(5) for m in range(5)))
    monkeypatch.setattr(tree_sizes, "_MOST_ENTRIES", 20)
    counted = measured(tmp_path)
    (tree,) = counted.trees
    assert not counted.is_whole and not tree.is_whole and 0 < tree.files < 20


def test_a_chain_of_folders_is_left_at_some_depth(tmp_path: Path) -> None:
    make(tmp_path, "Cargo.toml", "target/" + "d/" * 60 + "a")
    make(tmp_path, "e/" * 60 + "a")
    counted = measured(tmp_path)
    assert not counted.is_whole and counted.trees[0].files == 0


def test_the_time_is_kept(tmp_path: Path) -> None:
    make(tmp_path, "Cargo.toml", "target/a")
    assert sizes(str(tmp_path), MARKERS, 0.0) == ((), False)


def test_a_file_system_that_hangs_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "Cargo.toml", "package.json", "node_modules/a", "target/a")
    hangs, ended, real = threading.Event(), threading.Event(), tree_sizes._opened

    def opened(folder: int | None, name: str) -> object:
        if name == "target":
            hangs.set()
            ended.wait(PATIENCE)
        return real(folder, name)

    class Thread(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            """Over once it hangs, however slow the machine is."""
            assert timeout and hangs.wait(PATIENCE)

    monkeypatch.setattr(tree_sizes, "_opened", opened)
    monkeypatch.setattr(tree_sizes.threading, "Thread", Thread)
    counted = measured(tmp_path)
    ended.set()
    assert ([tree.path for tree in counted.trees], counted.is_whole) == (["node_modules"], False)


def test_a_workspace_that_is_gone(tmp_path: Path) -> None:
    assert measured(tmp_path / "gone") == ((), False)
