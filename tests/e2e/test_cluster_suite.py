"""The suite for a real cluster, on the cluster of the tests: so that it is right when somebody runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e import docker_cluster
from tests.e2e.rich_image import Rich
from tests.patience import PATIENCE

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    ("handler", "enforced"),
    [
        pytest.param("runsc", True, marks=pytest.mark.gvisor, id="gvisor-closed"),
        pytest.param("runc", False, id="runc-open"),
    ],
)
def test_the_suite_for_clusters_passes(
    engine: str, busybox_image: str, rich: Rich, tmp_path: Path, handler: str, enforced: bool
) -> None:
    with docker_cluster.running(engine, busybox_image, tmp_path / "cluster") as cluster:
        cluster.namespace("team", "restricted")
        cluster.runtime_class("isolated", handler)
        cluster.enforce(enforced)
        environ = os.environ | {
            "SANDBOXD_TEST_KUBECONFIG": str(cluster.kubeconfig("team")),
            "SANDBOXD_TEST_IMAGE": rich.image,
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/cluster"],
            cwd=ROOT, env=environ, capture_output=True, text=True, timeout=20 * PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-8000:]
        assert "skipped" not in done.stdout.splitlines()[-1]
        assert not cluster.store.all("Pod", "team"), "the suite leaves nothing behind"
