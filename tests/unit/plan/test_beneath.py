"""What is opened beneath a workspace is closed again, whatever it is: a daemon looks at it for months."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.errors import SandboxdError
from sandboxd.exchange.place import repository_of
from sandboxd.plan import beneath
from tests.unit.exchange.repositories import git

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc lists what is open")


def open_below(folder: Path) -> list[str]:
    """The files and folders below `folder` that this process has open."""
    found = []
    for entry in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{entry}"))
        except FileNotFoundError:
            continue  # of the list itself, or of another thread
    return [path for path in found if path.startswith(f"{folder}/")]


KINDS: dict[str, Callable[[Path], object]] = {
    "file": Path.touch,
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "link": lambda path: path.symlink_to("x"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_lies_there_is_closed(tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / "it")
    for read in (beneath.read_text, lambda root, name: beneath.says(root, name, b"x")):
        with beneath.open_folder(str(tmp_path)) as root:
            try:
                read(root, "it")
            except (OSError, SandboxdError):
                assert kind != "file"
    assert open_below(tmp_path) == []


def test_a_repository_is_found_and_nothing_of_it_stays_open(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "work")
    for _ in range(3):
        assert repository_of(str(tmp_path / "work")) is not None
    assert open_below(tmp_path) == []
