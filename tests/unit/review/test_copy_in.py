"""What a person copies into a sandbox: only what lies where they named it, whatever the sandbox puts in its place."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.review import copy_in
from sandboxd.review.copy_in import pack, place

SECRET = b"the user's own key"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "id").write_bytes(SECRET)
    return folder / "id"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def members(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: member for member in tar}


def test_a_tree_goes_in_with_its_links_as_links(workspace: Path, secret: Path) -> None:
    (workspace / "a/b").mkdir(parents=True)
    (workspace / "a/b/c").write_bytes(b"1")
    (workspace / "a/key").symlink_to(secret)
    os.mkfifo(workspace / "a/pipe")
    data, count = pack(str(workspace), "a", "new")
    names = members(data)
    assert sorted(names) == ["new", "new/b", "new/b/c", "new/key", "new/pipe"] and count == 3
    assert names["new/key"].issym() and SECRET not in data


def test_what_lies_behind_a_link_of_the_workspace_is_not_read(
    workspace: Path, secret: Path
) -> None:
    (workspace / "data").symlink_to(secret.parent)
    with pytest.raises(UsageError, match="symbolic link"):
        pack(*place(str(workspace), str(workspace / "data/id")), "id")


def test_a_file_that_becomes_a_link_while_it_is_read_is_not_followed(
    workspace: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = workspace / "notes"
    file.write_bytes(b"x" * len(SECRET))
    look = os.lstat

    def look_and_lose(name: str, *, dir_fd: int) -> os.stat_result:
        status = look(name, dir_fd=dir_fd)
        file.unlink()
        file.symlink_to(secret)
        return status

    monkeypatch.setattr(os, "lstat", look_and_lose)
    with pytest.raises(UsageError, match="cannot be read"):
        pack(str(workspace), "notes", "notes")


def test_a_file_that_becomes_a_pipe_does_not_hang(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = workspace / "notes"
    file.write_bytes(b"x")
    look = os.lstat

    def look_and_lose(name: str, *, dir_fd: int) -> os.stat_result:
        status = look(name, dir_fd=dir_fd)
        file.unlink()
        os.mkfifo(file)
        return status

    monkeypatch.setattr(os, "lstat", look_and_lose)
    with pytest.raises(UsageError, match="no file any more"):
        pack(str(workspace), "notes", "notes")


def test_what_is_too_deep_or_too_much_is_refused(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "/".join(["d"] * (copy_in.MOST_LEVELS + 1))).mkdir(parents=True)
    with pytest.raises(UsageError, match="too deep"):
        pack(str(workspace), "d", "d")
    monkeypatch.setattr(copy_in, "MOST_BYTES", 1000)
    (workspace / "large").write_bytes(b"x" * 1001)
    with pytest.raises(UsageError, match="more than"):
        pack(str(workspace), "large", "large")


def test_links_are_the_users_own_only_outside_of_the_workspace(
    workspace: Path, tmp_path: Path, secret: Path
) -> None:
    real = str(workspace)
    (tmp_path / "link").symlink_to(workspace)
    (tmp_path / "mine").symlink_to(secret.parent)
    (workspace / "out").symlink_to(secret.parent)
    assert place(real, f"{real}/out/x") == (real, "out/x")
    assert place(real, str(tmp_path / "link/out/x")) == (real, "out/x")
    assert place(real, f"{real}/a/../out/x") == (real, "out/x")
    assert place(real, str(tmp_path / "mine/x")) == (str(secret.parent), "x")
    assert place(real, real) == (str(tmp_path), "shop")


def test_a_link_of_the_user_that_leads_below_the_workspace_ends_there(
    workspace: Path, tmp_path: Path, secret: Path
) -> None:
    real = str(workspace)
    (workspace / "out").symlink_to(secret.parent)
    (tmp_path / "short").symlink_to(workspace / "out")
    (tmp_path / "again").symlink_to("short")
    (tmp_path / "beside").symlink_to("shop/../home")
    (tmp_path / "up").symlink_to("shop/out/../home")
    (tmp_path / "circle").symlink_to("circle")
    assert place(real, str(tmp_path / "short/id")) == (real, "out/id")
    assert place(real, str(tmp_path / "again/id")) == (real, "out/id")
    assert place(real, str(tmp_path / "beside/id")) == (str(secret.parent), "id")
    with pytest.raises(UsageError, match=r"behind|link"):
        pack(*place(real, str(tmp_path / "short/id")), "id")
    for name in ("up", "circle"):
        with pytest.raises(UsageError, match="link"):
            place(real, str(tmp_path / name / "id"))
