"""What this machine notes of a sandbox on a cluster, and what it takes for nothing."""

from __future__ import annotations

from pathlib import Path

from sandboxd.cluster import records
from sandboxd.cluster.kubeconfig import Context
from sandboxd.cluster.records import Record

TEAM = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")
RECORD = Record(
    "uid-1",
    1,
    "/workspaces/a",
    {"a": [1, 2, 3, "x"]},
    ["network: open"],
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


def test_a_torn_note_is_none(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    records.note(environ, TEAM, "pod", RECORD)
    (file,) = (tmp_path / "sandboxd/clusters").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(file.read_text()[:20])
    assert records.recall(environ, TEAM, "pod") is None
