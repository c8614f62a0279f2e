"""The life of a sandbox by its commands: up, exec, shell, logs, drift, down, list."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.errors import EnvironmentFailure
from sandboxd.host.facts import HostFacts
from sandboxd.life import lasting, up_down
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from tests.e2e import sandboxes
from tests.e2e.sandboxes import make_project, plan_of
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def nothing_is_orphaned(api: Engine) -> Iterator[None]:
    """After each test: no container of ours, and no volume that only pointed at a folder."""
    yield
    left = api.containers(PROJECT)
    for container in left:
        api.remove(container.id)
    assert [container.name for container in left] == []


@pytest.fixture
def up(engine: str, project: Path) -> Iterator[Path]:
    """A project whose sandbox runs."""
    done = sandboxes.run(engine, project, "up")
    assert done.returncode == 0, done.stderr
    yield project
    assert sandboxes.run(engine, project, "down").returncode == 0


def ids(api: Engine, project: Path) -> list[str]:
    return [c.id for c in api.containers(f"{PROJECT}={project}")]


def test_up_twice_is_up_once_and_a_change_makes_it_anew(engine: str, api: Engine, up: Path) -> None:
    first = ids(api, up)
    again = sandboxes.run(engine, up, "up")
    assert "already running" in again.stderr
    assert ids(api, up) == first
    assert again.stdout.strip() == api.containers(PROJECT)[0].name
    with (up / "sandboxd.toml").open("a") as file:
        file.write('\n[environment]\nGREETING = "hi"\n')
    sandboxes.grant(up)
    changed = sandboxes.run(engine, up, "up")
    assert "the plan or the image changed" in changed.stderr
    assert len(ids(api, up)) == 1
    assert ids(api, up) != first
    done = sandboxes.run(engine, up, "exec", "-n", "sh", "-c", "echo $GREETING")
    assert done.stdout == "hi\n"


def test_a_stopped_sandbox_starts_again(engine: str, api: Engine, up: Path) -> None:
    first = ids(api, up)
    api.stop(first[0], 1)
    # An engine answers before its list of containers says so.
    eventually(lambda: not api.containers(f"{PROJECT}={up}", every=False), lambda: ids(api, up))
    assert "is exited" in sandboxes.run(engine, up, "exec", "-n", "true").stderr
    assert "restarted" in sandboxes.run(engine, up, "up").stderr
    assert ids(api, up) == first


def test_two_at_once_make_one(engine: str, api: Engine, project: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    several = [
        subprocess.Popen(
            sandboxes.command(engine, project, "up"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        )
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=5 * PATIENCE) for process in several]
    assert [process.returncode for process in several] == [0, 0, 0], outputs
    assert len({out for out, _ in outputs}) == 1
    assert sum("created:" in err for _, err in outputs) == 1
    assert sum("already running:" in err for _, err in outputs) == 2
    assert len(ids(api, project)) == 1
    assert sandboxes.run(engine, project, "down").returncode == 0


def test_what_a_killed_up_left_is_removed(
    engine: str, api: Engine, host_facts: HostFacts, project: Path
) -> None:
    plan = plan_of(project, host_facts)
    body = sandboxes.arguments(plan)
    body["Labels"][MADE_BY] = UP
    lasting.ensure(api, plan, lambda _: None)
    half = api.create(plan.container.name, body)
    done = sandboxes.run(engine, project, "up")
    assert done.returncode == 0, done.stderr
    assert "removing" in done.stderr
    assert half not in ids(api, project)
    assert sandboxes.run(engine, project, "down").returncode == 0


def test_down_without_up_and_twice(engine: str, project: Path) -> None:
    for _ in range(2):
        done = sandboxes.run(engine, project, "down")
        assert done.returncode == 0
        assert "was up" in done.stderr
    for command in (["exec", "-n", "true"], ["shell"], ["verify"], ["drift"]):
        done = sandboxes.run(engine, project, *command)
        assert done.returncode == 4, command
        assert "hint: start it: `sandboxd up`" in done.stderr
    assert "no sandbox" in sandboxes.run(engine, project, "logs").stderr


def test_an_editor_s_container_is_found_and_not_touched(
    engine: str, api: Engine, host_facts: HostFacts, project: Path
) -> None:
    with sandboxes.container(api, plan_of(project, host_facts)) as container:
        assert sandboxes.run(engine, project, "exec", "-n", "echo", "hi").stdout == "hi\n"
        done = sandboxes.run(engine, project, "down")
        assert done.returncode == 0
        assert "started by an editor and stays" in done.stderr
        assert api.inspect(container)["State"]["Running"]


def test_volumes_of_pins_go_with_the_container(
    api: Engine, host_facts: HostFacts, project: Path
) -> None:
    assert host_facts.engine is not None
    stock = [r for r in host_facts.engine.runtimes if r.name in ("runsc", "runc")]
    facts = host_facts._replace(engine=host_facts.engine._replace(runtimes=tuple(stock)))
    plan = plan_of(project, facts)
    volumes = [m.value.source for m in plan.container.mounts if m.value.type == "volume"]
    assert bool(volumes) == plan.gvisor
    sandboxes.up(api, plan, lambda _: None)
    assert all(api.volume(name) for name in volumes)
    up_down.down(api, plan.workspace, lambda _: None)
    assert [api.volume(name) for name in volumes] == [None] * len(volumes)


@pytest.mark.gvisor
def test_a_pin_s_volume_with_another_folder_behind_it_is_not_used(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    """The engine would keep the old folder without a word."""
    project = make_project(tmp_path / "ws", busybox_image, "gvisor")
    assert host_facts.engine is not None
    stock = host_facts.engine.runtime("runsc")
    assert stock is not None
    facts = host_facts._replace(engine=host_facts.engine._replace(runtimes=(stock,)))
    plan = plan_of(project, facts)
    pin = next(m.value for m in plan.container.mounts if m.value.type == "volume")
    body = sandboxes.arguments(plan)
    mount = next(m for m in body["HostConfig"]["Mounts"] if m.get("Source") == pin.source)
    mount["VolumeOptions"]["DriverConfig"]["Options"]["device"] = str(tmp_path)
    lasting.ensure(api, plan, lambda _: None)
    other = api.create("sandboxd-test-other", body)
    try:
        with pytest.raises(EnvironmentFailure, match="with another folder behind it"):
            sandboxes.up(api, plan, lambda _: None)
    finally:
        api.remove(other)
    sandboxes.up(api, plan, lambda _: None)
    volume = api.volume(pin.source)
    assert volume is not None
    assert volume["Options"]["device"].startswith(str(project))
    up_down.down(api, plan.workspace, lambda _: None)


def start(engine: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        sandboxes.command(engine, folder, *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_a_reader_that_goes_away_ends_the_command(engine: str, api: Engine, up: Path) -> None:
    process = start(engine, up, "exec", "--", "sh", "-c", "while :; do echo line; done")
    assert process.stdout is not None
    assert process.stdout.readline() == "line\n"
    process.stdout.close()
    process.wait(timeout=PATIENCE)

    def running() -> bytes:
        return run_quietly(api, ids(api, up)[0], Exec(["ps"]))[1]

    # It was sent a signal, and ends when its own kernel next lets it run.
    eventually(lambda: b"echo line" not in running(), running)


def test_the_container_ends_while_a_command_runs(engine: str, api: Engine, up: Path) -> None:
    process = start(engine, up, "exec", "sh", "-c", "echo ready; sleep 600")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    api.remove(ids(api, up)[0])
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert "while the command ran" in errors
    assert "hint:" in errors


def test_a_missing_image(engine: str, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "ws", "sandboxd-test/none:1", "runc")
    done = sandboxes.run(engine, folder, "up")
    assert done.returncode == 4
    assert "has no image `sandboxd-test/none:1`" in done.stderr
    assert "docker pull sandboxd-test/none:1" in done.stderr


def test_an_image_without_a_shell(engine: str, api: Engine, tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    subprocess.run(
        ["docker", "-H", engine, "import", "-", "sandboxd-test/empty:1"],
        input=data.getvalue(),
        check=True,
        capture_output=True,
    )
    folder = make_project(tmp_path / "ws", "sandboxd-test/empty:1", "runc")
    done = sandboxes.run(engine, folder, "up")
    assert done.returncode == 4
    assert "the image has no program `/bin/sh`" in done.stderr
    assert ids(api, folder) == []


def test_a_name_that_is_taken(
    engine: str, api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    name = plan_of(folder, host_facts).container.name
    foreign = api.create(name, {"Image": busybox_image, "Cmd": ["true"]})
    try:
        done = sandboxes.run(engine, folder, "up")
        assert done.returncode == 4
        assert f"`{name}` exists that sandboxd did not make" in done.stderr
        assert api.inspect(foreign)["Id"] == foreign
    finally:
        api.remove(foreign)


def test_a_runtime_that_vanished_or_is_broken(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    plan = plan_of(folder, host_facts)
    assert plan.container.runtime is not None
    gone = plan.container.runtime._replace(value="vanished")
    plan = plan._replace(container=plan.container._replace(runtime=gone))
    with pytest.raises(EnvironmentFailure, match="has no runtime `vanished`"):
        sandboxes.up(api, plan, lambda _: None)


def test_a_folder_that_vanished_between_plan_and_start(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    plan = plan_of(folder, host_facts)
    (folder / ".vscode").rmdir()
    with pytest.raises(EnvironmentFailure, match=r"\.vscode` to mount is not there"):
        sandboxes.up(api, plan, lambda _: None)


@pytest.mark.parametrize("command", [["up"], ["exec", "-n", "x"], ["down"], ["list"], ["logs"]])
def test_no_engine(tmp_path: Path, command: list[str]) -> None:
    folder = make_project(tmp_path / "ws", "x:1", "auto")
    done = sandboxes.run(f"unix://{tmp_path}/none.sock", folder, *command)
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert "hint:" in done.stderr
