"""What a start says and refuses of files that have names outside of the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.life import mounted
from sandboxd.model.container import Container, Mount
from sandboxd.model.values import Origin, Value
from sandboxd.plan import outside_names
from sandboxd.plan.plan import Plan


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A project with a file that a cache has, too, at its top and in three folders."""
    cached = tmp_path / "cached"
    cached.touch()
    for name in ("file", "memory/file", "shut/file", ".venv/file"):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).hardlink_to(cached)
    return tmp_path / "project"


def plan(workspace: Path, profile: str = "dev", read_only: bool = False) -> Plan:
    mounts = (
        Mount("bind", str(workspace), "/w", read_only),
        Mount("tmpfs", "", "/w/memory"),
        Mount("bind", str(workspace / "shut"), "/w/shut", True),
        Mount("bind", str(workspace / ".venv"), "/w/.venv"),
    )
    values = tuple(Value(mount, Origin("profile", "dev")) for mount in mounts)
    return Plan(str(workspace), profile, Container("c", None, mounts=values), (), ())


def test_what_is_writable_inside_is_parted(workspace: Path) -> None:
    said: list[str] = []
    mounted.part_pinned(plan(workspace), said.append)
    linked = [name for name in ("memory/file", "shut/file") if is_cached(workspace / name)]
    assert linked == ["memory/file", "shut/file"]
    assert not is_cached(workspace / "file") and not is_cached(workspace / ".venv/file")
    assert [word.partition(" had")[0] for word in said] == ["2 files (0.0 MB) in `.`, `.venv`"]


def is_cached(path: Path) -> bool:
    return path.stat().st_nlink > 1


def test_nothing_is_where_nothing_inside_writes(workspace: Path) -> None:
    mounted.part_pinned(plan(workspace, read_only=True), pytest.fail)
    assert is_cached(workspace / "file")


@pytest.mark.parametrize("profile", ["agent", "untrusted"])
def test_what_may_be_left_is_said_or_refused(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    monkeypatch.setattr(outside_names, "_MOST_ENTRIES", 1)
    said: list[str] = []
    mounted.part_pinned(plan(workspace), said.append)
    assert said[-1].startswith("not all files were parted from names outside")
    with pytest.raises(EnvironmentFailure, match="not all files were parted") as caught:
        mounted.part_pinned(plan(workspace, profile), said.append)
    assert 'layout = "clone"' in str(caught.value.hint)
