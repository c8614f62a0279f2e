"""Links to caches of the user, in a workspace that a container shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.model.container import Container, Mount
from sandboxd.model.values import Origin, Value
from sandboxd.status.cache_links import with_cache_links


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    for name in ("one", "two", "three"):
        cached = tmp_path / "cache" / name
        cached.parent.mkdir(exist_ok=True)
        cached.touch()
        (tmp_path / "project/.venv").mkdir(parents=True, exist_ok=True)
        (tmp_path / "project/.venv" / name).hardlink_to(cached)
    return str(tmp_path / "project")


def container(*mounts: Mount) -> Container:
    return Container(
        "c1", None, mounts=tuple(Value(each, Origin("engine", "c1")) for each in mounts)
    )


def test_those_in_a_shared_workspace_are_named(workspace: str) -> None:
    (control,) = with_cache_links((), workspace, container(Mount("bind", workspace, "/w")))
    assert control.state == "not in force" and control.why.startswith("`.venv`: files are hard")
    assert "UV_LINK_MODE=copy" in control.why


def test_those_that_nothing_inside_sees_are_not(workspace: str) -> None:
    copy = Mount("volume", "copy", "/w")
    assert with_cache_links((), workspace, container(copy)) == ()
    shared, memory = Mount("bind", workspace, "/w"), Mount("tmpfs", "", "/w/.venv")
    assert with_cache_links((), workspace, container(shared, memory)) == ()


def test_a_mount_elsewhere_hides_nothing_and_a_writable_one_of_the_workspace_neither(
    workspace: str,
) -> None:
    shared = Mount("bind", workspace, "/w")
    for other in (
        Mount("tmpfs", "", "/opt/.venv"),
        Mount("volume", "packages", "/w/packages/a/.venv"),
        Mount("bind", f"{workspace}/.venv", "/w/.venv"),
    ):
        assert len(with_cache_links((), workspace, container(shared, other))) == 1
    shut = Mount("bind", f"{workspace}/.venv", "/w/.venv", read_only=True)
    assert with_cache_links((), workspace, container(shared, shut)) == ()
