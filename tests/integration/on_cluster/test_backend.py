"""The suite of backends over a cluster without containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.backends.kubernetes.backend import KubernetesBackend
from sandboxd.plan import mounts
from tests.backend_suite import BackendSuite, World
from tests.integration.on_cluster.conftest import Laptop
from tests.light_cluster import LightCluster


class TestOnCluster(BackendSuite):
    @pytest.fixture
    def world(
        self,
        laptop: Laptop,
        cluster: LightCluster,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        own_home: Path,
    ) -> World:
        laptop.up()
        monkeypatch.setattr(mounts, "target_folder", lambda _: str(laptop.inside))
        (tmp_path / "files").mkdir()
        backend = KubernetesBackend(laptop.target.cluster, laptop.environ)

        def print_lines(text: str) -> None:
            cluster.written += text.encode().splitlines(keepends=True)

        return World(backend, str(laptop.project), tmp_path / "files", laptop.environ, print_lines)
