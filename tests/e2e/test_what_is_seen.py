"""`status` and `drift` by what the host sees: an image that lies, a host that is closed, sandboxes that hang."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine
from sandboxd.host.facts import HostFacts
from sandboxd.observe import host_process, observer
from sandboxd.observe.look import look
from sandboxd.status.observe import Observer
from sandboxd.status.settings import BY_GATEWAY
from tests.e2e import hostile_images, sandboxes
from tests.e2e.sandboxes import make_project, plan_of, without_option
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

# Of a container that has everything.
LIES = "\n".join(
    (
        "Name: sh",
        "Uid: 1000 1000 1000 1000",
        "CapBnd: 0000000000000000",
        "NoNewPrivs: 1",
        "Seccomp: 2",
    )
)
WEAK = (
    without_option("no-new-privileges"),
    without_option("seccomp", "seccomp=unconfined"),
    sandboxes.NO_APPARMOR,
    sandboxes.ROOT,
    lambda body: body["HostConfig"].update(CapDrop=[], CapAdd=[]),
)


def states(api: Engine, container: str) -> dict[str, str]:
    controls = look(api, api.inspect(container), host_boot_id="x", cache_folder=None)
    return {control.name: control.state for control in controls.controls}


def test_a_lying_shell_makes_no_control(
    api: Engine, engine: str, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    files = {"/bin/sh": hostile_images.status_shell(LIES)}
    image = hostile_images.build(engine, "sandboxd-test/status-shell:1", files)
    folder = make_project(tmp_path / "ws", image, "runc")
    with sandboxes.container(api, plan_of(folder, host_facts), *WEAK) as container:
        controls = states(api, container)
    names = ("no-new-privileges", "seccomp", "AppArmor", "non-root user", "capabilities")
    assert {name: controls[name] for name in names} == dict.fromkeys(names, "left out")
    assert controls["own kernel"] == controls["user namespace"] == "left out"


def test_an_observer_sees_what_the_host_sees(
    api: Engine,
    host_facts: HostFacts,
    tmp_path: Path,
    busybox_image: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    with sandboxes.container(api, plan_of(folder, host_facts)) as container:
        inspected = api.inspect(container)
        by_host, by_observer = host_process.look(inspected), observer.look(api, inspected, None)
        assert by_host is not None and by_observer is not None
        assert by_observer.mounts == by_host.mounts
        assert by_observer.routes == by_host.routes
        for line in ("CapBnd", "NoNewPrivs", "Seccomp", "Uid"):
            assert by_observer.status[line] == by_host.status[line]
        before = states(api, container)
        # A host whose /proc does not show the container's processes to us.
        monkeypatch.setattr(host_process, "pid_of", lambda *_: 0)
        assert states(api, container) == before
        monkeypatch.setattr(observer, "look", lambda *_: None)
        assert states(api, container)["seccomp"] == "not seen"
    names = [container_.name for container_ in api.containers("dev.sandboxd.made-by=observer")]
    assert names == []


@contextlib.contextmanager
def up(engine: str, folder: Path, *options: str) -> Iterator[str]:
    done = sandboxes.run(engine, folder, "up", *options)
    assert done.returncode == 0, done.stderr
    try:
        yield done.stdout.strip()
    finally:
        sandboxes.run(engine, folder, "down", "--discard")


def rows(engine: str, first: Path, second: Path, is_so: Callable[[Any], bool]) -> tuple[Any, Any]:
    """The rows of two projects once the first is so and the second well: a look has a time limit, which a machine
    with much to do may reach in a sandbox that is well."""
    seen: list[Any] = []

    def are_shown() -> bool:
        seen[:] = look_at(engine, first, second)
        return seen[1].running and not seen[1].problem and is_so(seen[0])

    eventually(are_shown, lambda: seen)
    return seen[0], seen[1]


def look_at(engine: str, *folders: Path) -> list[Any]:
    observed = Observer().observe({**os.environ, "DOCKER_HOST": engine}, [str(f) for f in folders])
    assert observed.problem == ""
    return [observed.containers[str(folder)] for folder in folders]


def states_in(seen: Any) -> dict[str, str]:
    return {control.name: control.state for control in seen.controls}


def test_a_paused_sandbox_is_seen_from_outside_and_is_nobody_else_s_problem(
    engine: str, api: Engine, tmp_path: Path, busybox_image: str
) -> None:
    first = make_project(tmp_path / "one", busybox_image, "runc")
    second = make_project(tmp_path / "two", busybox_image, "runc")
    docker = ["docker", "-H", engine]
    with up(engine, first) as paused, up(engine, second):
        subprocess.run([*docker, "pause", paused], check=True, capture_output=True)
        try:
            seen, _ = rows(engine, first, second, lambda of: of.paused and not of.problem)
            shown = sandboxes.run(engine, first, "status", "--json")
        finally:
            subprocess.run([*docker, "unpause", paused], check=True, capture_output=True)
    by_name = states_in(seen)
    assert by_name["seccomp"] == by_name["no-new-privileges"] == "in force"
    (row,) = json.loads(shown.stdout)["projects"]
    assert row["state"] == "paused" and row["in_force"] is not None


def test_a_sandbox_that_hangs_is_its_own_problem(
    engine: str, api: Engine, tmp_path: Path, busybox_image: str
) -> None:
    """Its `sh` never answers; the other one, and what the host sees of this one, are shown."""
    files = {
        "/bin/sh": b'#!/bin/busybox ash\ncase "$2" in *boot_id*) exec sleep 900 ;; esac\n'
        b'exec /bin/busybox ash "$@"\n'
    }
    image = hostile_images.build(engine, "sandboxd-test/hangs:1", files)
    first = make_project(tmp_path / "one", image, "runc")
    second = make_project(tmp_path / "two", busybox_image, "runc")
    with up(engine, first), up(engine, second):
        rows(
            engine,
            first,
            second,
            lambda of: (
                "does not answer" in of.problem and states_in(of).get("seccomp") == "in force"
            ),
        )


@pytest.mark.gvisor
def test_a_frozen_gvisor_is_its_own_problem(
    engine: str, api: Engine, tmp_path: Path, busybox_image: str
) -> None:
    first = make_project(tmp_path / "one", busybox_image, "gvisor")
    second = make_project(tmp_path / "two", busybox_image, "runc")
    with up(engine, first) as name, up(engine, second):
        pid = api.inspect(name)["State"]["Pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            rows(engine, first, second, lambda of: of.running and of.problem)
        finally:
            os.kill(pid, signal.SIGCONT)


def test_all_screens_say_the_same(
    engine: str, api: Engine, project: Path, runtime: str, host_facts: HostFacts
) -> None:
    with up(engine, project, "--verify"):
        drift = sandboxes.run(engine, project, "drift", "--json")
        status = sandboxes.run(engine, project, "status", "--json")
        report = sandboxes.run(engine, project, "verify", "--json")
    by_drift = {c["name"]: c["state"] for c in json.loads(drift.stdout)["controls"]}
    (row,) = json.loads(status.stdout)["projects"]
    by_status = {c["name"]: c["state"] for c in row["in_force"]["controls"]}
    by_verify = {
        c["name"]: c["state"]
        for c in json.loads(report.stdout)["controls"]
        if not c["name"].startswith("system calls")
    }
    assert by_drift == by_status == by_verify
    assert drift.returncode == 0
    assert "not in force" not in by_drift.values(), "a plan that is met says no other word"
    assert by_status["network"] == "in force"
    assert row["asked"]["network"] == row["in_force"]["settings"]["network"] == BY_GATEWAY


def test_a_pin_that_went_with_its_file_is_not_in_force(engine: str, project: Path) -> None:
    """`git config` and editors replace a file by another; the kernel takes the mount on it away."""
    (project / ".envrc").write_text("a\n")
    done = sandboxes.run(engine, project, "up")
    assert done.returncode == 0, done.stderr
    try:
        name = f"read-only /workspaces/{project.name}/.envrc"
        assert state_of(engine, project, name)[0] == "in force"
        fresh = project / ".envrc.new"
        fresh.write_text("b\n")
        fresh.rename(project / ".envrc")
        state, why = state_of(engine, project, name)
        assert state == "not in force" and "`.envrc` on the host: its mount is gone" in why
        assert sandboxes.run(engine, project, "up", "--recreate").returncode == 0
        assert state_of(engine, project, name)[0] == "in force"
    finally:
        sandboxes.run(engine, project, "down")


def state_of(engine: str, project: Path, name: str) -> tuple[str, str]:
    """State and reason of a control, by `drift`."""
    answer = json.loads(sandboxes.run(engine, project, "drift", "--json").stdout)
    (control,) = [c for c in answer["controls"] if c["name"] == name]
    return control["state"], control["why"]
