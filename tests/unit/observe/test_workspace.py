"""Which host folder is the workspace, and where a path inside is on the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandboxd.observe.workspace import HostMount, view


def bind(source: object, target: str, writable: bool = True) -> dict[str, Any]:
    return {"Type": "bind", "Source": str(source), "Destination": target, "RW": writable}


def no_device(_: str) -> None:
    return None


def test_the_longest_mount_names_the_host_path(tmp_path: Path) -> None:
    mounts = [bind(tmp_path, "/workspaces/x"), bind("/elsewhere", "/workspaces/x/.git/hooks")]
    folders = view({"Mounts": mounts}, no_device)
    assert folders.host_path("/workspaces/x/a/b") == f"{tmp_path}/a/b"
    assert folders.host_path("/workspaces/x/.git/hooks") == "/elsewhere"
    assert folders.host_path("/workspaces/x/.git/hooks/y") == "/elsewhere/y"
    assert folders.host_path("/workspaces/xy") is None
    assert folders.host_path("/etc/passwd") is None


def test_a_volume_counts_only_when_it_points_to_a_host_folder() -> None:
    volume = {
        "Type": "volume",
        "Name": "pin",
        "Source": "/var/lib",
        "Destination": "/p",
        "RW": False,
    }
    assert view({"Mounts": [volume]}, no_device).mounts == ()
    folders = view({"Mounts": [volume]}, lambda name: f"/ws/{name}")
    assert folders.mounts == (HostMount("/ws/pin", "/p", False),)


def test_the_workspace_is_the_labelled_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    mounts = [bind("/srv", "/workspaces/other"), bind(tmp_path / "a", "/src")]
    folders = view({"Mounts": mounts}, no_device, str(tmp_path / "a"))
    assert folders.workspace == HostMount(str(tmp_path / "a"), "/src", True)
    assert [m.target for m in folders.foreign()] == ["/workspaces/other"]
    assert folders.foreign(["/workspaces/other"]) == []


def test_a_foreign_container_s_workspace_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    by_name = view({"Mounts": [bind(tmp_path, "/workspace")]}, no_device)
    assert by_name.workspace is not None
    by_content = view(
        {"Mounts": [bind(tmp_path / "data", "/data"), bind(tmp_path / "repo", "/code")]}, no_device
    )
    assert by_content.workspace is not None
    assert by_content.workspace.target == "/code"
    by_folder = view(
        {"Mounts": [bind(tmp_path / "data", "/app")], "Config": {"WorkingDir": "/app/src"}},
        no_device,
    )
    assert by_folder.workspace is not None
    none = view({"Mounts": [bind(tmp_path / "data", "/data")]}, no_device)
    assert none.workspace is None
    assert [m.target for m in none.foreign()] == ["/data"]
