"""What an inside says of its changes: all of an honest one is read, and none of one that lies."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.review import changes
from sandboxd.review.changes import Untrue
from tests.unit.review.copies import END, Copy, record


@pytest.fixture
def host(tmp_path: Path) -> Path:
    root = tmp_path / "host"
    (root / "src").mkdir(parents=True)
    (root / "src/a.py").write_text("a\n")
    (root / "src/b.py").write_text("b\n")
    (root / "old.txt").write_text("old\n")
    (root / "link").symlink_to("old.txt")
    return root


def test_an_unchanged_copy_has_no_changes(tmp_path: Path, host: Path) -> None:
    changes = Copy(tmp_path, host).changes()
    assert (changes.entries, changes.bundle, changes.problem) == ((), None, "")


def test_a_copy_that_was_never_whole_has_no_changes_at_all(tmp_path: Path, host: Path) -> None:
    copy = Copy(tmp_path, host)
    copy.mark.unlink()
    (copy.inside / "old.txt").unlink()
    with pytest.raises(changes.NotWhole, match="not whole"):
        copy.changes()


def test_every_kind_of_change_is_found(tmp_path: Path, host: Path) -> None:
    copy = Copy(tmp_path, host)
    inside = copy.inside
    (inside / "src/a.py").write_text("A\n")
    (inside / "src/b.py").unlink()
    (inside / "old.txt").chmod(0o755)
    (inside / "link").unlink()
    (inside / "link").symlink_to("src/a.py")
    (inside / "new").mkdir()
    (inside / "new/file").write_text("new")
    os.mkfifo(inside / "pipe")
    (inside / "large").write_bytes(b"x" * 100)
    (inside / os.fsdecode(b"\xff")).write_text("odd")
    changes = copy.changes(largest=50)
    assert {(c.path, c.kind) for c in changes.entries} == {
        ("src/a.py", "file"),
        ("src/b.py", "gone"),
        ("old.txt", "file"),
        ("link", "link"),
        ("new/file", "file"),
        ("pipe", "other"),
        ("large", "large"),
        (os.fsdecode(b"\xff"), "file"),
    }
    by_path = {c.path: c for c in changes.entries}
    assert changes.content(by_path["src/a.py"]) == b"A\n"
    assert changes.content(by_path["link"]) == b"src/a.py"


def test_a_folder_in_place_of_a_file_and_a_file_in_place_of_a_folder(
    tmp_path: Path, host: Path
) -> None:
    copy = Copy(tmp_path, host)
    (copy.inside / "old.txt").unlink()
    (copy.inside / "old.txt").mkdir()
    (copy.inside / "old.txt/x").write_text("x")
    for path in (copy.inside / "src").iterdir():
        path.unlink()
    (copy.inside / "src").rmdir()
    (copy.inside / "src").write_text("no folder")
    changes = {(c.path, c.kind) for c in copy.changes().entries}
    assert changes == {
        ("old.txt", "gone"),
        ("old.txt/x", "file"),
        ("src", "file"),
        ("src/a.py", "gone"),
        ("src/b.py", "gone"),
    }


def test_same_time_and_size_with_other_content_is_found_when_the_time_differs(
    tmp_path: Path, host: Path
) -> None:
    copy = Copy(tmp_path, host)
    (copy.inside / "src/a.py").write_text("z\n")
    os.utime(copy.inside / "src/b.py")
    assert [c.path for c in copy.changes().entries] == ["src/a.py"]


def test_what_git_ignores_and_what_tools_fill_is_named_and_left(tmp_path: Path, host: Path) -> None:
    (host / "package.json").write_text("{}")
    (host / "node_modules").mkdir()
    (host / "node_modules/m.js").write_text("m")
    (host / ".gitignore").write_text("*.log\n")
    subprocess.run(["git", "init", "-q", str(host)], check=True)
    copy = Copy(tmp_path, host)
    (copy.inside / "node_modules/m.js").write_text("changed")
    (copy.inside / "x.log").write_text("log")
    (copy.inside / ".git/hooks/pre-commit").write_text("evil")
    changes = copy.changes()
    assert changes.entries == ()
    assert set(changes.skipped) == {"node_modules", "x.log"}
    for path in (copy.inside / "node_modules").iterdir():
        path.unlink()
    (copy.inside / "node_modules").rmdir()
    assert copy.changes().entries == ()


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", "a//b", "", ".", "a/.", "a\0b", "x" * 256, "\u0100"],
)
def test_a_path_that_leads_out_makes_all_of_it_void(tmp_path: Path, host: Path, path: str) -> None:
    with pytest.raises(Untrue):
        Copy(tmp_path, host).read(record("file", path, b"x") + END)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"no json\n",
        b"[]\n",
        b"[" * 60_000 + b"\n",
        b"{}\n",
        b"x" * 100_000,
        record("file", "a", b"x"),
        record("what", "a") + END,
        record("file", "a", b"x") + record("file", "a", b"y") + END,
        record("file", "a", size=1 << 40) + END,
        record("file", "a", size=-1) + END,
        record("file", "a", size=True) + END,
        record("file", "a", size="1") + END,
        record("file", "a", size=(16 << 20) + 1) + END,
        record("link", "a", b"x" * 5000) + END,
        record("gone", "a", b"x") + END,
        record("file", "a", b"x", mode=0o4755) + END,
        record("file", "a", b"x", mtime=-1) + END,
        record("file", "a", b"x", mtime=1.5) + END,
        record("file", 7, b"x") + END,  # type: ignore[arg-type]
        record("file", "a", b"short")[:-2],
        record("end", skipped="x", more=0),
        record("end", skipped=[1], more=0),
        record("end", skipped=[], more="1"),
    ],
)
def test_a_stream_that_no_copy_makes_is_void(tmp_path: Path, host: Path, stream: bytes) -> None:
    with pytest.raises(Untrue):
        Copy(tmp_path, host).read(stream)


def test_too_many_changes_are_void(
    tmp_path: Path, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_ENTRIES", 3)
    stream = b"".join(record("file", f"f{number}", b"x") for number in range(4))
    with pytest.raises(Untrue, match="more than 3"):
        Copy(tmp_path, host).read(stream + END)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("x") / "s.changes"
    path.write_bytes(changes.header("/w", "c", 1) + data)
    with pytest.raises(Untrue):
        changes.read(str(path))


def test_the_sandbox_is_known_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.changes"
    for name in ("claude", ""):
        end = b'{"kind":"end","skipped":[],"more":0,"problem":""}\n'
        path.write_bytes(changes.header("/w", "c", 1, name) + end)
        assert changes.read(str(path)).name == name
