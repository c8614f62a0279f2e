"""What the program inside does to its folder: only to what was compared, and never by halves."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.sync import renaming, wire, writer
from sandboxd.sync.wire import Change
from sandboxd.sync.writer import Writer


def compared(path: Path) -> Change:
    """The change that is asked for once `path` was compared, but for what it does."""
    status = path.lstat()
    mode = status.st_mode
    if stat.S_ISLNK(mode):
        digest = hashlib.sha256(os.fsencode(path.readlink())).digest()
    else:
        digest = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else bytes(32)
    before = (mode, status.st_size, status.st_ctime_ns, status.st_mtime_ns, status.st_ino, 0)
    return Change(0, path.name.encode(), before, digest)


class Folder:
    """A folder inside, and the writer in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._root = os.open(path, os.O_RDONLY)
        self._writer = Writer(self._root)

    def close(self) -> None:
        os.close(self._root)

    def do(self, change: Change, *parts: bytes) -> int:
        """The number of the error with which `change` ended, 0 for none."""
        try:
            is_done = self._writer.change(change)
            for part in (*filter(None, parts), b"") if change.act == wire.WRITE else ():
                assert not is_done
                is_done = self._writer.add(part)
            assert is_done
        except OSError as error:
            assert error.errno is not None
            return error.errno
        return 0

    def write(self, name: str, text: bytes, before: Change | None = None, **more: bool) -> int:
        digest = hashlib.sha256(text).digest()
        change = before or Change(0)
        change = change._replace(act=wire.WRITE, path=name.encode(), digest=digest, **more)
        return self.do(change, text[:3], text[3:])

    def names(self) -> list[str]:
        return sorted(os.listdir(self.path))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def test_new_files_folders_and_links(folder: Folder) -> None:
    assert folder.do(Change(wire.MAKE_FOLDER, b"src")) == 0
    assert folder.write("src/run", b"a program", executable=True, is_durable=True) == 0
    assert folder.write("empty", b"") == 0
    assert folder.do(Change(wire.MAKE_LINK, b"link", text=b"src/run")) == 0
    assert folder.do(Change(wire.FLUSH)) == 0
    assert (folder.path / "link").read_bytes() == b"a program"
    assert os.access(folder.path / "src/run", os.X_OK)
    assert not os.access(folder.path / "empty", os.X_OK)
    assert folder.names() == ["empty", "link", "src"]


def test_a_file_keeps_its_permissions_when_it_is_replaced(folder: Folder) -> None:
    path = folder.path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    assert folder.write("file", b"new text", compared(path), executable=True) == 0
    assert path.read_bytes() == b"new text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert folder.do(compared(path)._replace(act=wire.SET_MODE, executable=False)) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert folder.names() == ["file"]


def test_entries_are_renamed_and_removed(folder: Folder) -> None:
    path = folder.path / "file"
    path.write_bytes(b"text")
    assert folder.do(compared(path)._replace(act=wire.RENAME, text=b"other")) == 0
    assert folder.names() == ["other"]
    assert folder.do(compared(folder.path / "other")._replace(act=wire.REMOVE)) == 0
    (folder.path / "d").mkdir()
    assert folder.do(compared(folder.path / "d")._replace(act=wire.REMOVE)) == 0
    (folder.path / "link").symlink_to("nowhere")
    assert folder.do(compared(folder.path / "link")._replace(act=wire.REMOVE)) == 0
    assert folder.names() == []


def test_a_folder_with_something_in_it_stays(folder: Folder) -> None:
    (folder.path / "d").mkdir()
    change = compared(folder.path / "d")._replace(act=wire.REMOVE)
    (folder.path / "d/new").write_bytes(b"new")
    assert folder.do(change) == errno.ENOTEMPTY


CHANGES: dict[str, Callable[[Path], object]] = {
    "saved in place": lambda path: path.write_bytes(b"other text"),
    "saved with the same size": lambda path: path.write_bytes(b"TEXT"),
    "replaced": lambda path: (path.unlink(), path.write_bytes(b"text"), path.chmod(0o644)),
    "removed": lambda path: path.unlink(),
    "a link now": lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
    "a folder now": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize(
    "act", [wire.WRITE, wire.REMOVE, wire.RENAME, wire.SET_MODE, wire.MAKE_LINK]
)
@pytest.mark.parametrize("how", CHANGES)
def test_what_changed_since_it_was_compared_stays(folder: Folder, act: int, how: str) -> None:
    path = folder.path / "file"
    path.write_bytes(b"text")
    os.utime(path, ns=(10**9, 10**9))
    change = compared(path)._replace(act=act, text=b"other", digest=hashlib.sha256(b"new").digest())
    CHANGES[how](path)
    state = (folder.names(), os.path.lexists(path) and path.lstat())
    assert folder.do(change, b"new") in (errno.EAGAIN, errno.ELOOP, errno.ENOENT)
    assert (folder.names(), os.path.lexists(path) and path.lstat()) == state


def test_nothing_takes_the_place_of_what_came_meanwhile(folder: Folder) -> None:
    (folder.path / "file").write_bytes(b"by somebody inside")
    assert folder.write("file", b"new") == errno.EAGAIN
    assert folder.do(Change(wire.MAKE_FOLDER, b"file")) == errno.EEXIST
    assert folder.do(Change(wire.MAKE_LINK, b"file", text=b"x")) == errno.EAGAIN
    assert (folder.path / "file").read_bytes() == b"by somebody inside"
    assert folder.names() == ["file"]


def test_other_bytes_than_were_announced_are_not_kept(folder: Folder) -> None:
    change = Change(wire.WRITE, b"file", digest=hashlib.sha256(b"all of it").digest())
    assert folder.do(change, b"half of it") == errno.EAGAIN
    assert folder.names() == []


@pytest.mark.parametrize("has_exchange", [True, False])
@pytest.mark.parametrize("saves", [1, 2])
def test_a_save_inside_in_the_last_moment_is_kept(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, has_exchange: bool, saves: int
) -> None:
    """Between the comparison and the rename; the second save comes before the first is put back."""
    path = folder.path / "file"
    path.write_bytes(b"old")
    rename, left = renaming._renameat2, list(range(saves))

    def save_before(*words: object) -> int:
        if not has_exchange and words[-1] == 2:
            return errno.EINVAL
        if left and (has_exchange or words[1] == "file" or words[3] == "file"):
            new = folder.path / "new"
            new.write_bytes(b"save %d" % left.pop(0))
            new.rename(path)
        return rename(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(renaming, "_renameat2", save_before)
    assert folder.write("file", b"by the host", compared(path)) == errno.EAGAIN
    monkeypatch.undo()
    texts = {each.read_bytes() for each in folder.path.iterdir()}
    assert texts == {b"save %d" % number for number in range(saves)}
    assert path.read_bytes() == b"save %d" % (saves - 1)
    assert not [name for name in folder.names() if name.startswith(wire.TEMPORARY)]


def test_no_link_is_followed(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (folder.path / "way").symlink_to(outside)
    assert folder.write("way/file", b"text") == errno.ENOTDIR
    assert folder.do(Change(wire.MAKE_FOLDER, b"way/d")) == errno.ENOTDIR
    assert os.listdir(outside) == []


def test_what_a_killed_run_left_is_removed_or_seen(folder: Folder) -> None:
    new, old = f"{wire.TEMPORARY}0123", f"{writer._OLD}0123"
    (folder.path / new).write_bytes(b"half of a new file")
    (folder.path / old).write_bytes(b"what was replaced, or what replaces it")
    (folder.path / "file").write_bytes(b"not ours")
    for name in (new, old, "file"):
        assert folder.do(Change(wire.RECOVER, name.encode())) == 0
    (seen,) = [name for name in folder.names() if name != "file"]
    assert seen.startswith("recovered.inside-")


def test_a_part_of_no_file_is_an_error(folder: Folder) -> None:
    with pytest.raises(OSError, match="no file is being written"):
        Writer(0).add(b"x")


def test_a_saved_file_is_read_before_the_disk_has_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.path / "a").write_bytes(b"old")
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _file: seen.append((folder.path / "a").read_bytes()))
    assert folder.write("a", b"new text", compared(folder.path / "a"), is_durable=True) == 0
    assert seen == [b"new text"]
