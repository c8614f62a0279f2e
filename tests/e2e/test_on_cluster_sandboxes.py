"""`sandboxd up --on --sandbox`: a Sandbox of agent-sandbox, of which a controller makes the Pod.

That controller is a small one of the tests' cluster, by the words of the real one's API.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import docker_cluster
from tests.e2e.docker_cluster import DockerCluster
from tests.e2e.test_on_cluster import Laptop, begin, laptop, left
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]

__all__ = ["laptop"]


@pytest.fixture
def cluster(
    engine: str, trial_image: str, busybox_image: str, tmp_path: Path
) -> Iterator[DockerCluster]:
    folder = tmp_path / "cluster"
    with docker_cluster.running(engine, busybox_image, folder, agent_sandbox=True) as running:
        running.runtime_class("gvisor", "runsc")
        yield running


def test_a_sandbox_of_agent_sandbox_is_lived_in_as_a_pod(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    name = laptop("up", "--sandbox").stdout.strip()
    sandbox = cluster.store.get("Sandbox", "default", name)
    assert sandbox is not None and sandbox["spec"]["operatingMode"] == "Running"
    pod = cluster.pod("default", name)
    assert pod is not None and pod["metadata"]["ownerReferences"][0]["kind"] == "Sandbox"
    assert "already running" in laptop("up", "--sandbox").stderr
    assert "by another plan" in laptop.refusal("up", code=2)
    assert "running" in laptop("status").stdout and name in laptop("list").stdout
    laptop("exec", "sh", "-c", "echo 1 > new")
    assert "A new" in laptop("review", "--stat").stdout
    assert "is as planned" in laptop("drift").stdout
    assert "1 change is kept" in laptop("down").stderr
    assert left(cluster) == [] and cluster.store.all("Sandbox", "default") == []


def test_a_sandbox_whose_time_is_over_or_that_gets_no_pod_is_said(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    cluster.webhook("Pod", lambda _: "not on a Sunday")
    process = begin(laptop, "up", "--sandbox", stderr=subprocess.PIPE)
    eventually(lambda: cluster.store.all("Sandbox", "default"))
    eventually(lambda: "not on a Sunday" in laptop("status").stdout)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=4 * PATIENCE)
    assert left(cluster) == [] and cluster.store.all("Sandbox", "default") == []
    cluster.admission.webhooks.clear()
    name = laptop("up", "--sandbox").stdout.strip()

    def expire(sandbox: dict[str, Any]) -> None:
        sandbox["spec"]["shutdownTime"] = "2020-01-01T00:00:00Z"

    cluster.store.update("Sandbox", "default", name, expire)
    eventually(lambda: cluster.pod("default", name) is None)
    # Its controller ends the Pod first and says so then.
    over = "ended: its time limit is over"
    eventually(lambda: over in laptop("status").stdout, lambda: laptop("status").stdout)
    assert "is there, and does not run: its time limit is over" in laptop.refusal("up", code=2)
    assert "is lost: its time limit is over" in laptop("down").stderr
    assert cluster.store.all("Sandbox", "default") == []
