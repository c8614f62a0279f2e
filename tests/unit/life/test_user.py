"""Whom a user's name stands for: the first line that has it, and root where there is no number."""

from __future__ import annotations

import io
import tarfile
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.errors import UsageError
from sandboxd.life.user import file_of, number_of, refuse_root
from sandboxd.model.values import Origin, Value
from sandboxd.plan import profiles

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


@pytest.mark.parametrize("format_", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("field", ["name", "linkname"])
def test_the_file_behind_entries_that_say_more_of_it(format_: int, field: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format_) as tar:
        entry = tarfile.TarInfo("passwd")
        setattr(entry, field, "x" * 300)
        entry.size = len(TABLE)
        tar.addfile(entry, io.BytesIO(TABLE))
    assert len(buffer.getvalue()) >= 4 * 512
    assert file_of(buffer.getvalue()) == TABLE


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
def test_an_archive_without_a_whole_file_gives_none(tar: bytes) -> None:
    assert file_of(tar) is None


class Container:
    """An engine with one container that was made, and its files: mode, target of a link, bytes."""

    def __init__(self, files: dict[str, tuple[int, str, bytes]]) -> None:
        self.files = files

    def archive(self, _: str, path: str, most: int) -> tuple[dict[str, Any], bytes] | None:
        if path not in self.files:
            return None
        mode, target, data = self.files[path]
        kind = tarfile.SYMTYPE if mode & LINK else tarfile.REGTYPE
        return {"mode": mode, "linkTarget": target}, archive(data, kind=kind)[:most]


LINK = 1 << 27
PLAIN = {"/etc/passwd": (0o644, "", TABLE)}
# As Podman says it of what is no link.
NAMED = {"/etc/passwd": (0o644, "/etc/passwd", TABLE)}
LINKED = {"/etc/passwd": (LINK | 0o777, "/usr/p", b""), "/usr/p": (0o644, "", TABLE)}
GROUPS = {
    "/etc/passwd": (0o644, "", TABLE + b"\nrooted:x:1001:0::/:/bin/sh\n"),
    "/etc/group": (0o644, "", b"root:x:0:\nstaff:x:50:\nwheel:x:0:dev\n"),
}
CIRCLE = {"/etc/passwd": (LINK, "/etc/passwd", b"")}
HUGE = {"/etc/passwd": (0o644, "", b"x" * (2 << 20))}


@pytest.mark.parametrize(
    ("files", "user", "profile", "refused"),
    [
        (PLAIN, "dev", "dev", ""),
        (NAMED, "dev:root", "dev", ""),
        (LINKED, "dev", "dev", ""),
        (PLAIN, "bare", "dev", "makes `bare` root"),
        (NAMED, "bare", "dev", "makes `bare` root"),
        (LINKED, "odd", "dev", "makes `odd` root"),
        (PLAIN, "who", "dev", "has no user `who`"),
        ({}, "dev", "dev", "has no user `dev`"),
        (CIRCLE, "dev", "dev", "is no regular file"),
        (HUGE, "dev", "dev", "is no regular file"),
        (PLAIN, ":1000", "dev", "`:1000` is root"),
        # No name: nothing is asked.
        ({}, "1000:1000", "dev", ""),
        ({}, "+1000", "dev", ""),
        (GROUPS, "dev:staff", "dev", ""),
        (GROUPS, "dev:wheel", "dev", "puts `dev:wheel` into root's group"),
        (GROUPS, "1000:wheel", "dev", "puts `1000:wheel` into root's group"),
        (GROUPS, "rooted", "dev", "puts `rooted` into root's group"),
        (GROUPS, "rooted:50", "dev", ""),
        (GROUPS, "rooted", "seed-baseline", ""),
        ({}, "root", "seed-baseline", ""),
    ],
)
def test_root_and_its_group_are_refused_to_a_profile_without_root(
    files: dict[str, tuple[int, str, bytes]], user: str, profile: str, refused: str
) -> None:
    value = Value(user, Origin("plan", "user"))
    plan = SimpleNamespace(
        container=SimpleNamespace(user=value),
        profile=profile,
        refuses_root=profiles.load(profile).user == "non-root",
        image=lambda: "img:1",
    )
    engine: Any = Container(files)
    if not refused:
        refuse_root(engine, "c", plan)  # type: ignore[arg-type]
        return
    with pytest.raises(UsageError, match=refused):
        refuse_root(engine, "c", plan)  # type: ignore[arg-type]
