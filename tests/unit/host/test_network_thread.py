"""The thread that shows an engine's own network, where another one stayed in a container's."""

from __future__ import annotations

import os
from pathlib import Path

from sandboxd.host import network_thread


def make_process(root: Path, pid: int, namespaces: dict[int, str]) -> None:
    for thread, place in namespaces.items():
        folder = root / f"{pid}/task/{thread}/ns"
        folder.mkdir(parents=True)
        (folder / "net").symlink_to(f"net:[{place}]")


def test_the_first_thread_may_be_in_a_container_s_network(tmp_path: Path) -> None:
    make_process(tmp_path, 7, {7: "of-a-container", 9: "host", 8: "host"})
    assert network_thread.of_process(7, str(tmp_path)) == 8


def test_a_process_in_one_network_is_shown_by_itself(tmp_path: Path) -> None:
    make_process(tmp_path, 7, {7: "host", 8: "host"})
    assert network_thread.of_process(7, str(tmp_path)) == 7
    assert network_thread.of_process(os.getpid()) == os.getpid()


def test_a_thread_may_have_a_lower_id_than_its_process(tmp_path: Path) -> None:
    make_process(tmp_path, 4183575, {62370: "host", 4183575: "host"})
    assert network_thread.of_process(4183575, str(tmp_path)) == 4183575


def test_where_nothing_is_seen_the_process_is_named(tmp_path: Path) -> None:
    assert network_thread.of_process(7, str(tmp_path)) == 7
