"""What a person copies out of a sandbox: nothing of it leads elsewhere, or acts on the host unasked."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.observe import in_use
from sandboxd.review.copy_out import write


def archive(*members: tuple[str, bytes | str | None]) -> bytes:
    """Members by name: bytes for a file, text for a link to it, None for a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.mode = 0o4777
            if content is None:
                entry.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
            else:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content) if isinstance(content, bytes) else None)
    return buffer.getvalue()


def test_a_tree_comes_under_the_name_that_was_asked_for(tmp_path: Path) -> None:
    data = archive(("./out", None), ("./out/a", b"1"), ("./out/b/c", b"2"))
    copied = write(str(tmp_path), "got", data, ())
    assert (copied.files, copied.left) == (2, ())
    assert (tmp_path / "got/b/c").read_bytes() == b"2"
    assert (tmp_path / "got/a").stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("./out/../../evil", b"x", "leads elsewhere"),
        ("/etc/evil", b"x", ""),
        ("./out/link", "/etc/passwd", "neither a file"),
        ("./out/.git/hooks/pre-commit", b"x", "git"),
        ("./out/.GIT/config", b"x", "git"),
        ("./out/lib/.git", b"gitdir: ../../.evil\n", "git"),
        ("./out/.vscode/tasks.json", b"x", "--include got/.vscode/tasks.json"),
        ("./out/\x1b[31m", b"x", "drive a terminal"),
    ],
)
def test_a_trap_stays_inside(tmp_path: Path, name: str, content: bytes | str, why: str) -> None:
    root = tmp_path / "here"
    root.mkdir()
    copied = write(str(root), "got", archive((name, content)), ())
    if why:
        ((_, words),) = copied.left
        assert why in words and not copied.files
        assert not list(root.rglob("*"))
    # An absolute name is one below the folder, too.
    assert [path for path in tmp_path.iterdir() if path != root] == []


def test_what_is_named_comes_though_tools_act_upon_it(tmp_path: Path) -> None:
    data = archive(("./out/.vscode/tasks.json", b"{}"))
    assert write(str(tmp_path), "got", data, ("got/.vscode/tasks.json",)).files == 1


def test_no_link_of_the_host_is_followed(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    os.symlink(elsewhere, root / "got")
    copied = write(str(root), "got", archive(("./out/a", b"1"), ("./out", b"2")), ())
    assert not copied.files and len(copied.left) == 2
    assert not list(elsewhere.iterdir()) and (root / "got").is_symlink()


def test_a_repository_without_a_folder_of_git_stays_inside(tmp_path: Path) -> None:
    """`git` in such a folder runs what its config names."""
    head, config = ("./out/HEAD", b"x"), ("./out/config", b"x")
    assert write(str(tmp_path), "got", archive(head), ()).files == 0
    assert write(str(tmp_path), "got", archive(head), ("got/HEAD",)).files == 1
    copied = write(str(tmp_path), "got", archive(config), ())
    assert not copied.files and "--include got/config" in copied.left[0][1]
    assert write(str(tmp_path), "got", archive(config), ("got/config",)).files == 1


def test_a_path_below_the_workspace_is_weighed_whole(tmp_path: Path) -> None:
    (tmp_path / ".vscode").mkdir()
    copied = write(str(tmp_path), ".vscode/tasks.json", archive(("./tasks.json", b"{}")), ())
    assert not copied.files and "--include .vscode/tasks.json" in copied.left[0][1]


@pytest.mark.parametrize("is_old", [True, False])
def test_holes_take_no_memory_here(tmp_path: Path, is_old: bool) -> None:
    """A terabyte of nothing is a line of an archive."""
    size = 1 << 40
    entry = tarfile.TarInfo("./out/hole")
    if is_old:
        entry.type = tarfile.GNUTYPE_SPARSE
        block = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
        # One piece at the end, without bytes; then the size that the file has with its holes.
        block[386:410] = b"%011o\0%011o\0" % (0, 0)
        block[483:495] = b"\x80" + size.to_bytes(11, "big")
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        data = bytes(block)
    else:
        entry.pax_headers = {
            "GNU.sparse.size": str(size),
            "GNU.sparse.numblocks": "1",
            "GNU.sparse.map": "0,0",
        }
        data = entry.tobuf(tarfile.PAX_FORMAT)
    copied = write(str(tmp_path), "got", data + b"\0" * 1024, ())
    assert copied == (0, (("got/hole", "a sparse file: pack it inside"),))


def test_names_in_ever_more_headers_are_no_archive(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1
    name = header.tobuf() + b"x".ljust(512, b"\0")
    with pytest.raises(EnvironmentFailure, match="no archive"):
        write(str(tmp_path), "got", name * 5000, ())


def test_what_processes_have_mounted_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    monkeypatch.setattr(
        in_use, "mounted_files", lambda: looks.append(1) or in_use.MountedFiles({}, frozenset())
    )
    copied = write(str(tmp_path), "got", archive(("a/b", b"1"), ("a/c", b"2")), ())
    assert copied.files == 2 and len(looks) == 1


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="no archive"):
        write(str(tmp_path), "got", b"nonsense" * 200, ())
