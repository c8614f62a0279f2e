"""Unpacking an archive that has the right digest and is odd all the same: nothing leaves the folder."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from sandboxd.inside import unpack


def archive(path: Path, *entries: tuple[str, bytes, str, int], data: bytes = b"text") -> str:
    """A gzipped tar of (name, kind, link target, mode)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, kind, target, mode in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode = kind, target, mode
            entry.size = len(data) if kind == tarfile.REGTYPE else 0
            tar.addfile(entry, io.BytesIO(data) if entry.size else None)
    path.write_bytes(gzip.compress(packed.getvalue()))
    return str(path)


def test_files_come_without_the_top_folder_and_with_plain_modes(tmp_path: Path) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()
    packed = archive(
        tmp_path / "a.tgz",
        ("package/bin/run", tarfile.REGTYPE, "", 0o6755),
        ("package/README", tarfile.REGTYPE, "", 0o666),
    )
    unpack.unpack(packed, str(folder))
    modes = {name: os.stat(folder / name).st_mode & 0o7777 for name in ("bin/run", "README")}
    assert modes == {"bin/run": 0o755, "README": 0o644}
    assert unpack.size_of(str(folder)) == 8


def test_a_registry_that_cannot_be_reached_is_said_in_words(tmp_path: Path) -> None:
    """Without the number of the error."""
    package = {"url": "https://127.0.0.1:1/a.tgz", "name": "a", "integrity": ""}
    with pytest.raises(unpack.Failure) as failed:
        unpack.fetch(package, str(tmp_path / "a.tgz"), "")
    assert str(failed.value) == f"`{package['url']}` cannot be fetched: Connection refused"


@pytest.mark.parametrize(
    "entry",
    [
        ("package/link", tarfile.SYMTYPE, "/etc", 0o777),
        ("package/hard", tarfile.LNKTYPE, "../../outside", 0o644),
        ("package/device", tarfile.CHRTYPE, "", 0o666),
        ("package/pipe", tarfile.FIFOTYPE, "", 0o666),
        ("other/file", tarfile.REGTYPE, "", 0o644),
    ],
    ids=["link", "hard link", "device", "pipe", "another top folder"],
)
def test_what_no_program_needs_is_left_out(
    entry: tuple[str, bytes, str, int], tmp_path: Path
) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()
    unpack.unpack(archive(tmp_path / "a.tgz", entry), str(folder))
    assert list(folder.iterdir()) == []


def test_a_way_out_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()
    packed = archive(tmp_path / "a.tgz", ("package/../../outside", tarfile.REGTYPE, "", 0o644))
    with pytest.raises(unpack.Failure, match="cannot be unpacked"):
        unpack.unpack(packed, str(folder))
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("spoil", [lambda data: data[:-20], lambda data: b"no archive" + data])
def test_half_an_archive_is_refused(spoil: object, tmp_path: Path) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()
    path = tmp_path / "a.tgz"
    archive(path, ("package/a", tarfile.REGTYPE, "", 0o644), data=os.urandom(100_000))
    assert callable(spoil)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises((unpack.Failure, OSError)):
        unpack.unpack(str(path), str(folder))


def test_what_an_interrupted_installation_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/half").write_text("x")
    (tmp_path / ".archive").write_text("x")
    (tmp_path / "link").symlink_to("/etc")
    unpack.empty(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
