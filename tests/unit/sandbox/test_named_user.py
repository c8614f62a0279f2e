"""Whom a user's name stands for: the first line that has it, and root where there is no number."""

from __future__ import annotations

import io
import tarfile

import pytest

from sandboxd.sandbox.named_user import file_of, number_of

TABLE = b"root:x:0:0::/:/bin/sh\ndev:x:1000:1000::/home/dev:/bin/sh\n dev:x:0:0:::\nbare\nno:x:\nodd:x:abc:0\n"


@pytest.mark.parametrize(
    ("name", "number"),
    [("root", "0"), ("dev", "1000"), ("bare", "0"), ("no", "0"), ("odd", "abc"), ("who", "")],
)
def test_the_number_of_a_name(name: str, number: str) -> None:
    assert number_of(TABLE, name) == number


def archive(data: bytes, *, kind: bytes = tarfile.REGTYPE, mtime: float = 0) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo("passwd")
        entry.type, entry.mtime = kind, mtime
        entry.size = len(data) if kind == tarfile.REGTYPE else 0
        tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("data", [b"", TABLE, b"x" * 70_000])
@pytest.mark.parametrize("mtime", [0, 0.5])
def test_the_file_in_an_archive(data: bytes, mtime: float) -> None:
    # A time with a fraction brings an entry of its own before the file's.
    assert file_of(archive(data, mtime=mtime)) == data


@pytest.mark.parametrize(
    "tar",
    [
        b"",
        b"\0" * 1024,
        b"8" * 2000,
        archive(b"x" * 5000)[:3000],
        archive(b"", kind=tarfile.FIFOTYPE),
        archive(b"", kind=tarfile.DIRTYPE),
    ],
)
def test_what_is_no_whole_file(tar: bytes) -> None:
    assert file_of(tar) is None
