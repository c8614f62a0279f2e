"""What this machine notes of a sandbox on a cluster, and what it takes for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.backends.kubernetes import records
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.records import Lost, Record
from sandboxd.errors import EnvironmentFailure

TEAM = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")
RECORD = Record(
    "uid-1",
    1,
    "/workspaces/a",
    {"a": [1, 2, 3, "x"]},
    [Lost("network", "open"), Lost("seccomp", "of the node: its own")],
    [{"kind": "Pod"}],
    {"a": [4, 3]},
    [".git/objects/ab/cd"],
    ["refs/heads/main", "c0ffee"],
)


def test_a_note_is_of_one_pod_in_one_namespace_of_one_server(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    records.note(environ, TEAM, "pod", RECORD)
    assert records.recall(environ, TEAM, "pod") == RECORD
    assert records.recall(environ, TEAM._replace(name="renamed"), "pod") == RECORD
    assert records.recall(environ, TEAM._replace(namespace="other"), "pod") is None
    other = TEAM._replace(cluster={"server": "https://10.0.0.2"})
    assert records.recall(environ, other, "pod") is None
    records.forget(environ, TEAM, "pod")
    assert records.recall(environ, TEAM, "pod") is None


def test_a_note_of_an_older_version_is_read(tmp_path: Path) -> None:
    """It has a line for each control."""
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    lines: Any = ["network: open", "seccomp: of the node: its own"]
    records.note(environ, TEAM, "pod", RECORD._replace(not_in_force=lines))
    assert records.recall(environ, TEAM, "pod") == RECORD


def test_what_is_forgotten_leaves_no_file_and_no_folder_behind(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    records.forget(environ, TEAM, "pod")
    assert list(tmp_path.iterdir()) == []
    records.note(environ, TEAM, "pod", RECORD)
    with (
        records.locked(environ, TEAM, "pod", records.REFRESH),
        records.locked(environ, TEAM, "pod"),
    ):
        pass
    folder = tmp_path / "sandboxd/clusters"
    assert len(list(folder.iterdir())) == 3
    records.forget(environ, TEAM, "pod")
    assert list(folder.iterdir()) == []


def test_a_lock_without_a_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "sandboxd").write_text("no folder")
    with (
        pytest.raises(EnvironmentFailure, match="cannot note what was copied") as raised,
        records.locked({"XDG_STATE_HOME": str(tmp_path)}, TEAM, "pod"),
    ):
        pass
    assert "XDG_STATE_HOME" in raised.value.hint


def test_a_torn_note_is_none(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    records.note(environ, TEAM, "pod", RECORD)
    (file,) = (tmp_path / "sandboxd/clusters").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(file.read_text()[:20])
    assert records.recall(environ, TEAM, "pod") is None
