"""A sandboxd.toml that names a cluster: followed once it is granted, and never before."""

from __future__ import annotations

import pytest

from tests.e2e.docker_cluster import DockerCluster
from tests.e2e.test_on_cluster import CLOSED, Laptop, cluster, laptop, left

__all__ = ["cluster", "laptop"]

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]

WHERE = '[where]\nkubernetes = "test"\n'


def test_a_hostile_file_sends_nothing_anywhere(cluster: DockerCluster, laptop: Laptop) -> None:
    laptop.config("dev", CLOSED + WHERE)
    before = len(cluster.api.requests)
    done = laptop.type("up", code=4)
    said = " ".join(done.stderr.split())
    assert "asks for the cluster `test`, which you did not grant" in said
    assert "docker.sock" in said or "engine" in said
    assert len(cluster.api.requests) == before
    assert left(cluster) == []


def test_a_granted_file_is_followed_by_each_command(cluster: DockerCluster, laptop: Laptop) -> None:
    laptop.config("dev", CLOSED + WHERE)
    shown = laptop.type("trust", "add", "--yes")
    assert "cluster of your context `test`" in " ".join((shown.stdout + shown.stderr).split())
    up = laptop.type("up")
    assert "on `test`, as sandboxd.toml says" in " ".join(up.stderr.split())
    name = up.stdout.strip()
    assert cluster.pod("default", name) is not None
    assert laptop.type("exec", "cat", "main.py").stdout == "print('sunny')\n"
    assert "running" in laptop.type("status").stdout
    laptop.type("exec", "--here", "true", code=4)
    laptop.type("down", "--discard")
    assert left(cluster) == []
