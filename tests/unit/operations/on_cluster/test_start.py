"""What is there under a sandbox's name before it is started on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.backends.kubernetes import api
from sandboxd.backends.kubernetes.target import Target
from sandboxd.errors import UsageError
from sandboxd.operations.on_cluster import start
from tests.unit.operations.on_cluster.pods import TEAM

SUSPENDED = {"metadata": {"name": "x"}, "spec": {"operatingMode": "Suspended"}}


class Cluster:
    """Has at most a Sandbox of agent-sandbox, and no Pod."""

    context = TEAM

    def __init__(self, sandbox: dict[str, Any] | None) -> None:
        self.sandbox = sandbox
        self.deleted: list[str] = []

    def get(self, kind: api.Kind, _name: str) -> dict[str, Any] | None:
        return self.sandbox if kind == api.SANDBOX else None

    def list(self, _kind: api.Kind, _labels: dict[str, str]) -> list[dict[str, Any]]:
        return []

    def delete(self, kind: api.Kind, _name: str) -> bool:
        self.deleted.append(kind.kind)
        if kind != api.SANDBOX or self.sandbox is None:
            return False
        self.sandbox = None
        return True


def look(cluster: Cluster, folder: Path, *, recreate: bool) -> tuple[bool, list[str]]:
    """What `start` finds, and what it says."""
    told: list[str] = []
    given: Any = cluster
    environ = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    options: Any = Options(recreate)
    target = Target(given, environ, str(folder), str(folder), "")
    return start._is_there(target, options, lambda text, _: told.append(text)), told


class Options:
    """Of them one counts here."""

    def __init__(self, recreate: bool) -> None:
        self.recreate = recreate


def test_a_sandbox_without_a_pod_is_taken_away_before_it_is_made_anew(tmp_path: Path) -> None:
    cluster = Cluster(SUSPENDED)
    is_there, told = look(cluster, tmp_path, recreate=True)
    assert not is_there and cluster.sandbox is None and "Sandbox" in cluster.deleted
    assert "is lost: somebody suspended it" in told[0]


def test_where_nothing_is_nothing_is_taken_away(tmp_path: Path) -> None:
    cluster = Cluster(None)
    assert look(cluster, tmp_path, recreate=True) == (False, [])
    assert cluster.deleted == []


def test_it_is_not_taken_away_unasked(tmp_path: Path) -> None:
    cluster = Cluster(SUSPENDED)
    with pytest.raises(UsageError, match="is there, and does not run: somebody suspended it"):
        look(cluster, tmp_path, recreate=False)
    assert cluster.sandbox is SUSPENDED
