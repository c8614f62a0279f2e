"""Faults of the machine beneath a gateway: no memory, an engine that restarts. Closed, said in words, mended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, connect_from
from sandboxd.life import gateway
from sandboxd.life.find import sandboxes_of_up
from sandboxd.model.labels import GATEWAY, PROJECT
from sandboxd.plan.plan import Plan
from sandboxd.verify import listeners
from tests.e2e import outside, sandboxes
from tests.e2e.machine_faults import restart, tasks_of
from tests.e2e.outside import Outside
from tests.e2e.test_egress import page, policy, row, start
from tests.integration.daemon.world import World
from tests.patience import eventually
from tools.engine import private
from tools.private_engine import import_busybox_image

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

# Takes all memory of the group that it puts itself into.
HOG = """
import sys
open(sys.argv[1], "w").write("0")
held = []
while True:
    held.append(bytearray(1 << 20))
    for at in range(0, 1 << 20, 4096):
        held[-1][at] = 1
"""


@pytest.fixture(scope="module")
def running(own_engines: None) -> Iterator[private.Engine]:
    """An engine whose containers outlive it."""
    started = private.start(
        f"faults-{os.getpid()}",
        owner=os.getpid(),
        arguments=[f"--dns={outside.ADDRESS}", "--live-restore"],
    )
    try:
        yield started
    finally:
        private.stop(started.folder)


@pytest.fixture(scope="module")
def engine(running: private.Engine) -> str:
    return running.docker_host


@pytest.fixture(scope="module")
def internet(engine: str) -> Iterator[Outside]:
    with outside.outside(listeners.engine_pid(engine)) as served:
        served.names.update({"allowed.test", "evil.test"})
        yield served


@pytest.fixture(scope="module")
def busybox_image(engine: str) -> str:
    return import_busybox_image(engine)


@pytest.fixture
def runtime() -> str:
    return "runc"


@pytest.fixture
def plan(engine: str, project: Path, internet: Outside) -> Iterator[Plan]:
    facts = sandboxes.facts_of(engine)
    made = sandboxes.plan_of(project, facts)._replace(egress=policy("allowed.test"))
    yield made
    api = connect_from({"DOCKER_HOST": engine})
    for container in [*api.containers(PROJECT), *api.containers(GATEWAY)]:
        api.remove(container.id)


def reaches(engine: str, project: Path, name: str) -> bool:
    done = sandboxes.run(engine, project, "exec", "-n", "sh", "-c", page(name))
    return bool(done.stdout == f"outside for {name}\n")


def test_a_gateway_that_runs_out_of_memory_lets_nothing_through_and_is_started_again(
    engine: str, api: Engine, plan: Plan, project: Path
) -> None:
    start(api, plan)
    assert reaches(engine, project, "allowed.test")
    pid = api.inspect(gateway.name_of(plan.workspace))["State"]["Pid"]
    # Of the two, the kernel is to end this one.
    Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    with subprocess.Popen([sys.executable, "-c", HOG, tasks_of(pid)]) as hog:
        try:
            eventually(lambda: not os.path.exists(f"/proc/{pid}"))
        finally:
            hog.kill()
    eventually(lambda: not api.inspect(gateway.name_of(plan.workspace))["State"]["Running"])
    assert not reaches(engine, project, "allowed.test")
    said = "its gateway is exited (out of memory): nothing gets out until `sandboxd up`"
    # That it ended, and why, the engine hears by two events.
    eventually(lambda: row(engine, project) == ("not in force", said), lambda: row(engine, project))
    again, _ = start(api, plan)
    assert again.how == "already running"
    assert reaches(engine, project, "allowed.test")


def test_an_engine_that_restarts_leaves_names_as_they_are(
    running: private.Engine, engine: str, api: Engine, project: Path, world: World, plan: Plan
) -> None:
    sandboxes.grant(project)
    with (project / "sandboxd.toml").open("a") as file:
        file.write('[network]\nallow = ["allowed.test:80"]\n')
    sandboxes.grant(project)
    world.start()
    assert world.run("up", cwd=project).returncode == 0
    (before,) = sandboxes_of_up(api, str(project))
    assert reaches(engine, project, "allowed.test")
    restart(running)
    (after,) = sandboxes_of_up(api, str(project))
    assert after.id == before.id and after.state == "running"
    assert reaches(engine, project, "allowed.test")
    assert not reaches(engine, project, "evil.test")
    # The daemon has the channel again: it hears what is tried, and gives the gateway its answers.
    assert world.run("egress", "allow", "evil.test:80", cwd=project).returncode == 0
    assert reaches(engine, project, "evil.test")
    eventually(lambda: "evil.test" in world.run("egress", "log", cwd=project).stdout)
    assert world.run("down", cwd=project).returncode == 0
