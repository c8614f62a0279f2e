from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sandboxd.files import write_into
from sandboxd.observe import in_use

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the mounts of processes are Linux's"
)


def proc(folder: Path, *mounts: tuple[str, str]) -> str:
    """A /proc of two processes: ours, and one with `mounts`, each a place and a mount point."""
    lines = ["1 1 8:1 / / rw - ext4 /dev/sda rw"]
    for name, more in (("self", []), ("1", []), ("42", list(mounts)), ("x", [])):
        (folder / name).mkdir(parents=True)
        text = [
            *lines,
            *(f"9 1 8:1 {place} {point} ro - ext4 /dev/sda rw" for place, point in more),
        ]
        (folder / name / "mountinfo").write_text("\n".join(text) + "\n")
    return str(folder)


def test_a_file_that_a_container_has_shut_is_in_use(tmp_path: Path) -> None:
    file = tmp_path / "w/.envrc"
    file.parent.mkdir()
    file.write_text("x")
    root = proc(tmp_path / "proc", (str(file), "/workspaces/w/.envrc"))
    assert in_use.mounted_files(root).has(str(file))
    assert not in_use.mounted_files(root).has(str(file.with_name("other")))
    assert not in_use.mounted_files(str(tmp_path / "no-proc")).has(str(file))


def test_the_folder_above_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    root = proc(tmp_path / "proc", (str(tmp_path / "w"), "/workspaces/w"))
    assert not in_use.mounted_files(root).has(str(tmp_path / "w/.envrc"))


def test_a_file_is_written_without_being_replaced(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("something longer")
    inode = file.stat().st_ino
    write_into(str(file), b"new")
    assert (file.read_text(), file.stat().st_ino) == ("new", inode)
