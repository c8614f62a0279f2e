"""What is mounted, compared with what was opened: by inode, and by path where that is not allowed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.engine.failures import SourceMissing
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.life import mounted
from sandboxd.life.mounted import Source
from sandboxd.observe import mount_table

HOST = """\
22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 0:25 /data /home/a\\040b rw - btrfs /dev/vdb rw
"""
INSIDE = """\
500 400 0:99 / / rw - overlay overlay rw
501 500 0:25 /data/w /workspaces/w rw - btrfs /dev/vdb rw
502 501 0:25 /data/w/.vscode /workspaces/w/.vscode ro - btrfs /dev/vdb rw
503 501 254:0 /etc /workspaces/w/.idea ro - ext4 /dev/vda rw
"""


def bind(path: Path, target: str = "/w") -> dict[str, str]:
    return {"Type": "bind", "Source": str(path), "Target": target}


def test_what_is_opened_is_what_is_there(tmp_path: Path) -> None:
    volume = {"Type": "volume", "Source": "cache", "Target": "/c"}
    (opened,) = mounted.open_sources([bind(tmp_path), volume])
    status = tmp_path.stat()
    assert opened == Source(str(tmp_path), "/w", status.st_dev, status.st_ino)


@pytest.mark.parametrize("part", ["link", "link/below", "file/below"])
def test_no_link_is_followed(tmp_path: Path, part: str) -> None:
    (tmp_path / "real/below").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be mounted"):
        mounted.open_sources([bind(tmp_path / part)])
    with pytest.raises(SourceMissing):
        mounted.open_sources([bind(tmp_path / "missing")])


def test_a_process_without_the_mounts_says_nothing(tmp_path: Path) -> None:
    sources = mounted.open_sources([bind(tmp_path, "/no/such/mount")])
    assert mounted.differing(sources, os.getpid()) is None
    assert mounted.compare(sources, os.getpid()) is False
    assert mounted.compare(sources, 0) is False


def test_by_inode() -> None:
    """`/proc` is a mount of this process, too."""
    status = Path("/proc").stat()
    right = Source("/proc", "/proc", status.st_dev, status.st_ino)
    assert mounted.compare([right], os.getpid()) is True
    wrong = right._replace(inode=status.st_ino + 1)
    with pytest.raises(EnvironmentFailure, match="`/proc` was exchanged"):
        mounted.compare([right, wrong], os.getpid())
    # A mount that is not there, beside one that is.
    with pytest.raises(EnvironmentFailure, match="exchanged"):
        mounted.compare([right, right._replace(target="/proc/none")], os.getpid())


@pytest.mark.parametrize(
    ("path", "target", "same"),
    [
        ("/home/a b/w", "/workspaces/w", True),
        ("/home/a b/w/.vscode", "/workspaces/w/.vscode", True),
        ("/home/a b/w/.idea", "/workspaces/w/.idea", False),
        ("/home/a b/w/.git", "/workspaces/w/.git", False),
        ("/etc", "/workspaces/w/.idea", True),
    ],
)
def test_by_path_where_the_process_is_another_users(
    monkeypatch: pytest.MonkeyPatch, path: str, target: str, same: bool
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(mount_table, "identity", refused)
    tables = mount_table.parse(INSIDE), mount_table.parse(HOST)
    assert mounted._is_mounted(Source(path, target, 1, 1), 1, *tables) is same


def test_another_file_in_place_is_noticed(tmp_path: Path) -> None:
    config, folder = tmp_path / "config", tmp_path / "hooks"
    config.write_text("a")
    folder.mkdir()
    note = mounted.note(mounted.open_sources([bind(config), bind(folder), bind(tmp_path)]))
    config.write_text("written in place")
    (folder / "new").touch()
    assert mounted.replaced(note, str(tmp_path)) == ()
    (tmp_path / "lock").write_text("b")
    (tmp_path / "lock").rename(config)
    assert mounted.replaced(note, str(tmp_path)) == ("config",)
    config.unlink()
    assert mounted.replaced(note, str(tmp_path)) == ("config",)


@pytest.mark.parametrize("note", ["", "no JSON", "[]", "3"])
def test_a_note_that_is_none_says_nothing(note: str) -> None:
    assert mounted.replaced(note, "/w") == ()
