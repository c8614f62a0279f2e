"""The ways through the house, each walked once: which modules are on it, and where it climbs back.

`up` starts a project on an engine without containers (`tests/integration/stub_engine.py`), without a daemon and
without a gateway; `keystroke` is one change of an open devcontainer.json; `up-on` starts a project on the
tests' cluster, whose Pods are containers of a Docker engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.contract.imports import room_of
from tools.house import runs

ROOT = Path(__file__).resolve().parents[2]
ON_CLUSTER = ("backends.kubernetes", "operations.on_cluster")
"""Where the modules of the one backend stand, beside those that every backend uses."""

RULE = "rules.*"
"""The name under which every file of a rule is counted."""


class Way(NamedTuple):
    """One run, by what it called."""

    modules: tuple[str, ...]
    rooms: tuple[str, ...]
    climbs: tuple[tuple[str, str], ...]
    """(caller, called): the called one is of a room that stands higher. It got there by a callback or a protocol,
    which no import shows."""

    def of(self, folders: tuple[str, ...]) -> tuple[str, ...]:
        """The modules that are one of these folders, or lie in one."""
        beginnings = tuple(f"{folder}." for folder in folders)
        return tuple(name for name in self.modules if f"{name}.".startswith(beginnings))


class RunError(Exception):
    """A run failed, so nothing is known of its way."""


def walk(name: str, floors: Mapping[str, int], engine: str = "") -> Way:
    """Do the run of that name (`runs.UP` and its like) and say which way it took.

    :param floors: the floor of each row of the import table
    :param engine: the address of a Docker engine of one's own, which `up-on` needs
    :raises RunError: the run failed
    """
    with tempfile.TemporaryDirectory(prefix="sandboxd-house-") as folder:
        home = Path(folder)
        with _surroundings(name, home, engine) as (environ, project):
            done = subprocess.run(
                [sys.executable, "-m", "tools.house.runs", name],
                cwd=project, env={**environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            )  # fmt: skip
    if done.returncode:
        raise RunError(f"`{name}` failed:\n{done.stderr}")
    return way({(caller, called) for caller, called in json.loads(done.stdout)}, floors)


def way(calls: set[tuple[str, str]], floors: Mapping[str, int]) -> Way:
    """What the calls of one run come to; the files of rules, of which a reader takes one, are one module."""
    modules = sorted({RULE if _is_rule(called) else called for _, called in calls})
    climbs = sorted(
        (caller, called)
        for caller, called in calls
        if caller and floors[room_of(called)] > floors[room_of(caller)]
    )
    return Way(
        tuple(modules), tuple(sorted({name.partition(".")[0] for name in modules})), tuple(climbs)
    )


def _is_rule(module: str) -> bool:
    room, _, name = module.partition(".")
    return room == "rules" and bool(name) and not name.startswith("_")


@contextlib.contextmanager
def _surroundings(name: str, home: Path, engine: str) -> Iterator[tuple[dict[str, str], Path]]:
    """The environment and the project of a run; what they need is there as long as the block."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "SANDBOXD_NO_DAEMON": "1",
        **{f"XDG_{each}_HOME": str(home / each.lower()) for each in ("CONFIG", "CACHE", "STATE")},
        "XDG_RUNTIME_DIR": str(home / "run"),
        "DOCKER_HOST": f"unix://{home}/no-engine.sock",
    }
    (home / "run").mkdir(mode=0o700)
    project = home / "project"
    project.mkdir()
    config = project / "sandboxd.toml"
    if name == runs.UP:
        from tests.integration.stub_engine import CONFIG, stub_engine

        config.write_text(CONFIG)
        with stub_engine(home) as stub:
            yield {**environ, "DOCKER_HOST": stub.host}, project
    elif name == runs.UP_ON:
        from sandboxd.operations.on_cluster.options import ClusterOptions
        from tests.e2e import docker_cluster, rich_image
        from tools.private_engine import import_busybox_image

        image = import_busybox_image(engine)
        # The network of the cluster is tried in this image, which a cluster would pull.
        rich = rich_image.build(engine, home / "rich").image
        subprocess.run(
            ["docker", "-H", engine, "tag", rich, ClusterOptions().gateway_image], check=True
        )
        config.write_text(f'profile = "dev"\nimage = "{image}"\n[network]\nmode = "none"\n')
        with docker_cluster.running(engine, image, home / "cluster") as cluster:
            cluster.runtime_class("plain", "runc")
            yield {**environ, "KUBECONFIG": str(cluster.kubeconfig())}, project
    else:
        yield environ, project
