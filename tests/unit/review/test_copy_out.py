"""What a person copies out of a sandbox: nothing of it leads elsewhere, or acts on the host unasked."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
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


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="no archive"):
        write(str(tmp_path), "got", b"nonsense" * 200, ())
