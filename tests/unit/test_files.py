"""Reading hostile files, writing our own."""

import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure, UnreadableError
from sandboxd.files import (
    MAX_BYTES,
    decode,
    find_upward,
    project_root,
    read_beside,
    read_bytes,
    read_source,
    write_atomic,
    write_private,
)


def test_reads_text_without_its_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"\xef\xbb\xbf{}\r\n")
    assert read_source(str(file), "a.json").text == "{}\r\n"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: None, "does not exist"),
        (lambda p: p.mkdir(), "is a directory"),
        (lambda p: os.mkfifo(p), "is a named pipe"),
        (lambda p: p.symlink_to("/dev/zero"), "is a character device"),
        (lambda p: p.symlink_to(p), "is a loop of symbolic links"),
        (lambda p: p.write_bytes(b"x" * 2000), "larger than 1 KiB"),
        (lambda p: p.write_bytes("{}".encode("utf-16")), "is UTF-16"),
        (lambda p: p.write_bytes(b"{\xff}"), "byte `0xff` at offset 1"),
        (lambda p: socket.socket(socket.AF_UNIX).bind(str(p)), "is a socket"),
    ],
)
def test_says_why_a_file_cannot_be_read(tmp_path: Path, make: object, reason: str) -> None:
    path = tmp_path / "f"
    make(path)  # type: ignore[operator]
    with pytest.raises(UnreadableError) as caught:
        read_source(str(path), limit=1024)
    assert reason in caught.value.message
    assert caught.value.hint


def test_a_high_limit_takes_no_memory_for_a_small_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"{}")
    tracemalloc.start()
    try:
        assert read_bytes(str(path), 64 << 20) == b"{}"
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_file_of_several_parts_is_read_as_a_whole_up_to_its_limit(tmp_path: Path) -> None:
    path, content = tmp_path / "f", os.urandom(MAX_BYTES) + os.urandom(MAX_BYTES) + b"x"
    path.write_bytes(content)
    assert read_bytes(str(path), len(content)) == content
    with pytest.raises(UnreadableError):
        read_bytes(str(path), len(content) - 1)


def test_nul_in_a_path_is_a_reason_not_a_crash() -> None:
    with pytest.raises(UnreadableError, match="NUL"):
        read_source("a\0b")


def test_write_replaces_only_other_bytes(tmp_path: Path) -> None:
    path = tmp_path / "f"
    assert write_atomic(str(path), b"one")
    before = path.stat().st_ino
    assert not write_atomic(str(path), b"one")
    assert path.stat().st_ino == before
    assert write_atomic(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["f"]


def test_write_replaces_a_symlink_instead_of_following_it(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(victim)
    assert write_atomic(str(link), b"new")
    assert victim.read_text() == "mine"
    assert not link.is_symlink()


def test_full_disk_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(EnvironmentFailure, match="no space left"):
        write_atomic(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize(
    ("text", "takes_back", "is_written"),
    [
        (b"a = 1\n", True, True),
        (b"a = 1\n" + b"# longer\n" * 600, True, True),
        (b"a = 1\n" + b"# longer\n" * 90_000, True, False),
        (b"a = 1\n", False, False),
    ],
)
def test_what_takes_a_right_back_is_written_in_place_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, takes_back: bool, is_written: bool
) -> None:
    path = tmp_path / "trust.toml"
    old = b"a = 1\nb = 2\n" + b"# a comment\n" * 500
    path.write_bytes(old)
    real = os.open

    def no_room(path: str, flags: int, *rest: int, **more: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(28, "No space left on device")
        return real(path, flags, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", no_room)
        if is_written:
            assert write_private(str(path), text, takes_back=takes_back)
        else:
            with pytest.raises(EnvironmentFailure, match="no space left"):
                write_private(str(path), text, takes_back=takes_back)
    assert path.read_bytes() == (text if is_written else old)


def test_decode_names_the_first_bad_byte() -> None:
    with pytest.raises(UnreadableError, match="offset 2"):
        decode(b"ok\x80")


# Files that another file names


def test_a_file_of_the_same_project_is_read_by_the_name_it_has(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "b.yml").write_text("x")
    path = f"{tmp_path}/a/../b.yml"
    source = read_beside(path, f"{tmp_path}/a/c.yml")
    assert (source.path, source.text) == (path, "x")


@pytest.mark.parametrize(
    "name",
    ["../out.yml", "../project-secret/out.yml", "link.yml", "folder/out.yml", "/etc/hostname"],
)
def test_what_lies_outside_of_the_project_is_refused(tmp_path: Path, name: str) -> None:
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (tmp_path / "project-secret").mkdir()
    for file in ("out.yml", "project-secret/out.yml"):
        (tmp_path / file).write_text("x")
    (project / "link.yml").symlink_to(tmp_path / "out.yml")
    (project / "folder").symlink_to(tmp_path)
    with pytest.raises(UnreadableError, match="lies outside of the project"):
        read_beside(os.path.join(project, name), f"{project}/compose.yml")


@pytest.mark.parametrize(
    ("marks", "beside", "root"),
    [
        ((".git",), "a/b/compose.yml", ""),
        (("sandboxd.toml", "a/.git"), "a/b/compose.yml", "a"),
        ((), "a/b/compose.yml", "a/b"),
        ((), "a/.devcontainer/x/devcontainer.json", "a"),
        ((), "a/.devcontainer/compose.yml", "a"),
    ],
)
def test_the_project_is_the_nearest_repository(
    tmp_path: Path, marks: tuple[str, ...], beside: str, root: str
) -> None:
    (tmp_path / beside).parent.mkdir(parents=True)
    for mark in marks:
        (tmp_path / mark).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / mark).write_text("")
    assert project_root(os.path.dirname(f"{tmp_path}/{beside}")) == f"{tmp_path}/{root}".rstrip("/")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_config_that_another_user_planted_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    (shared / "work").mkdir(parents=True)
    shared.chmod(0o1777)
    planted = shared / "sandboxd.toml"
    planted.write_text("")
    assert find_upward(str(shared / "work"), planted.name) == str(planted)
    os.chown(planted, 4242, 4242)
    assert find_upward(str(shared / "work"), planted.name) != str(planted)
    assert project_root(str(shared / "work")) == str(shared / "work")
    with monkeypatch.context() as patched:
        patched.setattr(os, "geteuid", lambda: 4242)
        assert find_upward(str(shared / "work"), planted.name) == str(planted)
        patched.setattr(os, "geteuid", lambda: 4243)
        assert find_upward(str(shared / "work"), planted.name) != str(planted)
        os.chown(shared, 4242, 4242)
        assert find_upward(str(shared / "work"), planted.name) == str(planted), "it is their folder"
    shared.chmod(0o755)
    assert find_upward(str(shared / "work"), planted.name) == str(planted)


def test_the_top_of_the_machine_is_no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository of /etc and all else, which some keep there, has no project of its own."""
    monkeypatch.setattr(
        os.path, "lexists", lambda path: os.path.normpath(path) in ("/.git", "//.git")
    )
    assert project_root("/srv/app") == "/srv/app"
