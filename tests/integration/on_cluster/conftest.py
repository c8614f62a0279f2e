"""A laptop and a cluster without containers, whose faults a test orders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.backends.kubernetes.api import Cluster
from sandboxd.backends.kubernetes.end import end
from sandboxd.backends.kubernetes.target import Target
from sandboxd.operations.on_cluster import start
from sandboxd.operations.on_cluster.options import ClusterOptions
from sandboxd.operations.on_cluster.started import Started
from sandboxd.plan.grants import NO_GRANTS
from tests.light_cluster import LightCluster, light_cluster

CONFIG = 'image = "team/app:1"\n[network]\nmode = "none"\n'


class Laptop:
    """A user with a project; its sandbox's workspace is the folder `inside` of this machine."""

    def __init__(self, cluster: LightCluster, folder: Path, name: str = "ann") -> None:
        self.inside = folder / f"{name}-inside"
        self.project = folder / "weather"
        for each in (self.inside, self.project):
            each.mkdir(exist_ok=True)
        (self.project / "sandboxd.toml").write_text(CONFIG)
        (self.project / "main.py").write_text("print('sunny')\n")
        self.environ = {
            "HOME": str(folder / name),
            "XDG_STATE_HOME": str(folder / name / "state"),
            "PATH": os.environ["PATH"],
        }
        self.said: list[str] = []
        self.lasting: list[str] = []
        """Of that, what no later text replaces: a pipe has this alone."""
        self._cluster, self._open = cluster, list[Cluster]()

    @property
    def target(self) -> Target:
        """With connections of its own, as each command has."""
        self._open.append(Cluster(self._cluster.context, self.environ))
        place = os.path.realpath(self.project)
        return _Target(self._open[-1], self.environ, place, place, "").at(self.inside)

    def up(self, **options: Any) -> Started:
        def say(text: str, passes: bool) -> None:
            self.said.append(text)
            if not passes:
                self.lasting.append(text)

        return start.start(self.target, ClusterOptions(**options), NO_GRANTS, say)

    def down(self, *, discard: bool = False) -> tuple[str, ...]:
        return end(self.target, discard=discard, say=self.said.append)

    def close(self) -> None:
        for each in self._open:
            each.close()


class _Target(Target):
    """One whose folder inside is one of this machine."""

    def at(self, folder: Path) -> Target:
        self.place = str(folder)
        return self

    @property
    def folder(self) -> str:
        return self.place


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LightCluster]:
    with light_cluster(tmp_path / "cluster") as running:
        yield running


@pytest.fixture
def laptop(cluster: LightCluster, tmp_path: Path) -> Iterator[Laptop]:
    made = Laptop(cluster, tmp_path)
    yield made
    made.close()
