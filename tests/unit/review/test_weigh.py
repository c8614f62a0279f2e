"""Changes judged against the host's files: what is brought, what only by name, and what never."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from sandboxd.plan.git_named import WHY
from sandboxd.review import bring, choice, patch, weigh
from sandboxd.review.weigh import Item
from tests.unit.review.copies import END, Copy, record


def comes(item: Item, *named: str) -> bool:
    """Whether `item` is brought when `named` paths are asked for."""
    return not choice.choose([item], named, deletions=False).left


@pytest.fixture
def host(tmp_path: Path) -> Path:
    root = tmp_path / "host"
    root.mkdir()
    (root / "a.py").write_text("1\n2\n3\n")
    (root / "b.py").write_text("b\n")
    return root


def judged(copy: Copy) -> dict[str, Item]:
    return {item.path: item for item in weigh.items(copy.changes())}


def made_up(copy: Copy, *records: bytes) -> dict[str, Item]:
    """As judged where the inside says what it likes."""
    return {item.path: item for item in weigh.items(copy.read(b"".join(records) + END))}


def test_changes_come_as_they_were_shown(tmp_path: Path, host: Path) -> None:
    copy = Copy(tmp_path, host)
    (copy.inside / "a.py").write_text("1\ntwo\n3\n")
    (copy.inside / "b.py").unlink()
    (copy.inside / "d").mkdir()
    (copy.inside / "d/run").write_text("#!/bin/sh\n")
    (copy.inside / "d/run").chmod(0o6777)
    items = judged(copy)
    assert {path: item.kind for path, item in items.items()} == {
        "a.py": "changed",
        "b.py": "deleted",
        "d/run": "added",
    }
    assert items["d/run"].remarks == ("made executable",)
    assert list(patch.lines(items["a.py"])) == [
        "--- a.py",
        "+++ a.py",
        "@@ -1,3 +1,3 @@",
        " 1",
        "-2",
        "+two",
        " 3",
    ]
    brought = bring.bring(str(host), items.values())
    assert brought.failed == () and len(brought.done) == 3
    assert (host / "a.py").read_text() == "1\ntwo\n3\n" and not (host / "b.py").exists()
    assert (host / "d/run").stat().st_mode & 0o7777 == 0o755
    assert judged(copy) == {}


def test_what_the_host_changed_since_is_not_overwritten(tmp_path: Path, host: Path) -> None:
    copy = Copy(tmp_path, host)
    (host / "a.py").write_text("the host's\n")
    (host / "new.py").write_text("the host's\n")
    assert judged(copy) == {}
    (copy.inside / "a.py").write_text("the sandbox's\n")
    (copy.inside / "b.py").unlink()
    (host / "b.py").write_text("still needed\n")
    items = judged(copy)
    assert items.keys() == {"a.py"} and "on the host, too" in items["a.py"].blocked
    assert "NOT BROUGHT" in patch.summary(items["a.py"])
    assert not comes(items["a.py"], "a.py")


def test_what_changes_between_showing_and_writing_stays(tmp_path: Path, host: Path) -> None:
    copy = Copy(tmp_path, host)
    (copy.inside / "a.py").write_text("the sandbox's\n")
    (copy.inside / "c.py").write_text("the sandbox's\n")
    items = judged(copy)
    time.sleep(0.02)
    (host / "a.py").write_text("1\n2\n3\n")
    (host / "c.py").symlink_to("/etc/passwd")
    brought = bring.bring(str(host), items.values())
    assert [path for path, _ in brought.failed] == ["a.py", "c.py"]
    assert (host / "a.py").read_text() == "1\n2\n3\n"


@pytest.mark.parametrize(
    "path",
    [
        ".git/hooks/pre-commit",
        ".GIT/config",
        "sub/.Git/config",
        "git~1/config",
        ".git /config",
        ".git./config",
        ".g\u200cit/config",
        ".\uff47it/config",
        ".git::$INDEX_ALLOCATION/config",
    ],
)
def test_git_s_own_folder_is_never_written(tmp_path: Path, host: Path, path: str) -> None:
    text = os.fsencode(path).decode("latin-1")
    (item,) = made_up(Copy(tmp_path, host), record("file", text, b"evil")).values()
    assert item.blocked and not comes(item, item.path)


@pytest.mark.parametrize(
    "path",
    [
        ".vscode/tasks.json",
        ".VSCode/tasks.json",
        "deep/er/.envrc",
        ".gitattributes",
        "sub/.gitmodules",
        ".github/workflows/ci.yml",
        "x.code-workspace",
        ".devcontainer/devcontainer.json",
        "CLAUDE.md",
        ".claude/settings.json",
        "Jenkinsfile",
        ".husky/pre-commit",
    ],
)
def test_what_tools_on_the_host_act_upon_is_brought_only_by_name(
    tmp_path: Path, host: Path, path: str
) -> None:
    (item,) = made_up(Copy(tmp_path, host), record("file", path, b"evil")).values()
    assert item.control and not comes(item) and comes(item, path)
    assert "WATCH" in patch.summary(item)


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("core.hooksPath", "tools/hooks", "tools/hooks/post-commit"),
        ("core.hooksPath", "tools/hooks", "Tools/HOOKS/post-commit"),
        ("core.hooksPath", "tools/hooks", "tools"),
        ("core.fsmonitor", "./watch.sh", "watch.sh"),
        ("include.path", "../extra", "extra"),
    ],
)
def test_what_gits_config_names_is_brought_only_by_name(
    tmp_path: Path, host: Path, key: str, value: str, path: str
) -> None:
    (host / ".git").mkdir()
    subprocess.run(["git", "config", "-f", str(host / ".git/config"), key, value], check=True)
    copy = Copy(tmp_path, host)
    (copy.inside / path).parent.mkdir(parents=True, exist_ok=True)
    (copy.inside / path).write_text("x\n")
    item = judged(copy)[path]
    assert item.control == WHY
    assert not comes(item) and comes(item, path)


@pytest.mark.parametrize(
    ("target", "never"),
    [
        ("/etc/passwd", True),
        ("../outside", True),
        ("sub/../../outside", True),
        (".git/config", True),
        ("b.py", False),
        ("d/../b.py", False),
    ],
)
def test_a_link_is_brought_by_name_and_never_out_of_the_workspace(
    tmp_path: Path, host: Path, target: str, never: bool
) -> None:
    (host / "d").mkdir()
    (item,) = made_up(Copy(tmp_path, host), record("link", "l", target.encode())).values()
    assert not comes(item)
    assert comes(item, "l") is not never


def test_nothing_is_written_through_a_link_of_the_host(tmp_path: Path, host: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (host / "out").symlink_to(outside)
    (host / "file").symlink_to(outside / "made")
    items = made_up(
        Copy(tmp_path, host), record("file", "out/x", b"x"), record("file", "file", b"x")
    )
    assert items["out/x"].blocked
    brought = bring.bring(str(host), [item._replace(blocked="") for item in items.values()])
    assert [path for path, _ in brought.failed] == ["out/x"]
    assert list(outside.iterdir()) == [] and (host / "file").read_text() == "x"


def test_a_name_that_drives_a_terminal_is_never_made(tmp_path: Path, host: Path) -> None:
    names = ["\x1b[2Jx", "a\nb", "a\u202egpj.exe"]
    stream = [record("file", os.fsencode(name).decode("latin-1"), b"x") for name in names]
    items = made_up(Copy(tmp_path, host), *stream)
    assert items.keys() == set(names)
    assert all(item.blocked for item in items.values())


def test_what_cannot_be_brought_is_named(tmp_path: Path, host: Path) -> None:
    stream = [record(kind, kind) for kind in ("large", "unreadable", "other")]
    items = made_up(Copy(tmp_path, host), *stream)
    assert all(item.blocked for item in items.values()) and len(items) == 3


def test_differences_of_any_size_are_shown_or_named(tmp_path: Path, host: Path) -> None:
    copy = Copy(tmp_path, host)
    (copy.inside / "a.py").write_text("x\ny\n" * 40_000)
    (copy.inside / "b.py").write_bytes(b"\0binary")
    (copy.inside / "c.py").write_text("c" * (2 << 20))
    items = judged(copy)
    assert len(list(patch.lines(items["a.py"]))) == 80_000 + 3 + 3
    assert "not shown" in patch.summary(items["b.py"])
    assert "not shown" in patch.summary(items["c.py"])


def test_a_link_itself_is_given_to_the_owner_and_not_where_it_leads_to(
    tmp_path: Path, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Copy(tmp_path, host)
    (copy.inside / "link").symlink_to("a.py")
    items = judged(copy)
    given: list[bool] = []

    def chown(_path: str, _user: int, _group: int, **more: Any) -> None:
        given.append(more["follow_symlinks"])

    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.chown", chown)
    assert bring.bring(str(host), items.values()).failed == ()
    assert os.readlink(host / "link") == "a.py"
    assert given == [False]
