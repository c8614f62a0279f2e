"""Device files in the archive of a volume, which may end in the middle."""

from __future__ import annotations

import io
import tarfile
from typing import Any, cast

import pytest

from sandboxd.life.device_files import device_file, leave_old_volumes
from sandboxd.life.volumes import Known


def _archive(kind: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, type_ in (("a", tarfile.REGTYPE), ("b", kind)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = type_, 1000 if type_ == tarfile.REGTYPE else 0
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (tarfile.CHRTYPE, "b"),
        (tarfile.BLKTYPE, "b"),
        (tarfile.FIFOTYPE, ""),
        (tarfile.SYMTYPE, ""),
        (tarfile.REGTYPE, ""),
    ],
)
def test_kinds(kind: bytes, name: str) -> None:
    assert device_file(_archive(kind)) == name


@pytest.mark.parametrize("length", [0, 100, 512, 700, 2048])
def test_an_archive_that_ends_in_the_middle(length: int) -> None:
    whole = _archive(tarfile.CHRTYPE)
    assert device_file(whole[:length]) == ("b" if length > 2047 else "")


def test_a_volume_that_is_there_gets_nothing_of_the_image() -> None:
    """Docker fills an empty one at each start: a later image could bring a device file."""
    mounts: list[Any] = [
        {
            "Type": "volume",
            "Source": "old",
            "Target": "/old",
            "VolumeOptions": {"Labels": {"a": "b"}},
        },
        {"Type": "volume", "Source": "new", "Target": "/new"},
        {"Type": "volume", "Target": "/without-a-name"},
        {"Type": "bind", "Source": "old", "Target": "/bind"},
    ]
    body: Any = {"HostConfig": {"Mounts": mounts}}
    assert leave_old_volumes(_known("old"), body) == {"old"}
    assert [mount.get("VolumeOptions") for mount in mounts] == [
        {"Labels": {"a": "b"}, "NoCopy": True},
        None,
        None,
        None,
    ]


def _known(*names: str) -> Known:
    class Volumes:
        def volume(self, name: str) -> object:
            return {"Name": name} if name in names else None

    return cast(Known, Volumes())
