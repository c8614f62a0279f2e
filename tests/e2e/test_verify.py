"""`verify` on live sandboxes: ours hold, the host stays as it was, what cannot be seen is said."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from sandboxd.backends.docker.attack import verify
from sandboxd.engine import execute
from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.engine.payload import interpreter
from sandboxd.errors import EnvironmentFailure
from sandboxd.host.facts import HostFacts
from sandboxd.model.labels import PROFILE
from sandboxd.verify import inside
from tests.e2e import sandboxes
from tests.e2e.host_state import clock, host_state
from tests.e2e.sandboxes import (
    CONTROL_ATTEMPTS,
    PIN_ATTEMPTS,
    ROOT,
    attack,
    escaped,
    host_config,
    make_project,
    plan_of,
    without_mounts,
)
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.mark.parametrize("profile", ["dev", "agent", "review", "seed-baseline", "untrusted"])
def test_our_sandboxes_hold(
    api: Engine,
    host_facts: HostFacts,
    tmp_path: Path,
    busybox_image: str,
    runtime: str,
    profile: str,
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, runtime, profile)
    before = sandboxes.tree(folder)
    verdict = attack(api, folder, host_facts)
    open_ones = {result.id for result in verdict.of("residual")}
    assert verdict.kernel == ("own" if runtime == "gvisor" else "host")
    # The guide names no user, so its sandbox runs as the image's root, whose files are the host's.
    as_printed = {"setuid-plant"} if profile == "seed-baseline" else set()
    assert escaped(verdict) == as_printed, verdict.of("escaped")
    assert verdict.exit_code == (6 if as_printed else 0)
    # The guide's list lets every clone flag through, which is declared; `dev` is the answer.
    assert ("user-namespace" in open_ones) == (profile == "seed-baseline" and runtime == "runc")
    assert ("host-gateway" in open_ones) == (profile in ("dev", "seed-baseline"))
    assert len(verdict.of("held")) >= 70
    assert sandboxes.tree(folder) == before


def test_the_host_is_as_before_even_when_everything_is_open(
    api: Engine,
    host_facts: HostFacts,
    tmp_path: Path,
    busybox_image: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    canaries = tmp_path / "canaries"
    canaries.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(canaries))
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    before, files, began = host_state(tmp_path), sandboxes.tree(folder), clock()
    everything = [
        host_config(Privileged=True, PidMode="host", NetworkMode="host", IpcMode="host"),
        host_config(UTSMode="host", CgroupnsMode="host"),
        without_mounts(""),
        ROOT,
    ]
    verdict = attack(api, folder, host_facts, *everything)
    assert len(escaped(verdict)) > 20
    assert host_state(tmp_path) == before
    assert abs(clock() - began) < 1
    assert list(canaries.iterdir()) == []
    assert sandboxes.tree(folder) == files


def test_verify_needs_no_program_and_no_folder_of_the_image(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    plan = plan_of(folder, host_facts)
    no_shell = Exec(["busybox", "rm", "/bin/sh"])
    # Docker's tmpfs is noexec, and so is /dev/shm.
    no_programs = host_config(ReadonlyRootfs=True, Tmpfs={"/tmp": ""})
    for change, command in ((ROOT, no_shell), (no_programs, None)):
        with sandboxes.container(api, plan, change) as container:
            if command is not None:
                assert run_quietly(api, container, command) == (0, b"")
            verdict = verify(api, container, plan)
        assert verdict.of("inconclusive") == []
        assert len(verdict.of("held")) >= 70


def test_without_our_python_nothing_is_called_held(
    api: Engine,
    host_facts: HostFacts,
    tmp_path: Path,
    busybox_image: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> bytes:
        raise EnvironmentFailure("the Python here has no loader", "use another one")

    monkeypatch.setattr(interpreter, "_parts", fails)
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    verdict = attack(api, folder, host_facts)
    assert {result.outcome for result in verdict.results} == {"inconclusive"}
    assert "has no loader, so nothing could be tried" in verdict.results[0].evidence
    assert verdict.exit_code == 4


def test_what_others_put_into_the_sandbox_in_use_is_found_there(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    """An editor's socket is in no setting: only the sandbox in use has it."""
    folder = make_project(tmp_path / "ws", busybox_image, "runc", "agent")
    plan = plan_of(folder, host_facts)
    with sandboxes.container(api, plan) as container, socket.socket(socket.AF_UNIX) as listener:
        pid = api.inspect(container)["State"]["Pid"]
        listener.bind(f"/proc/{pid}/root/tmp/vscode-ipc-1.sock")
        os.chmod(f"/proc/{pid}/root/tmp/vscode-ipc-1.sock", 0o777)
        listener.listen()
        verdict = verify(api, container, plan)
    outcomes = {result.id: result.outcome for result in verdict.results}
    assert outcomes["editor-socket"] == "escaped"


def test_a_hanging_sandbox_is_inconclusive(
    api: Engine,
    host_facts: HostFacts,
    tmp_path: Path,
    busybox_image: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    monkeypatch.setattr(inside, "TOTAL_SECONDS", 0.05)
    verdict = attack(api, folder, host_facts)
    assert verdict.of("held") == []
    assert verdict.exit_code == 4
    assert "did not finish within 0.05 s" in verdict.of("inconclusive")[0].evidence


def gvisor_of(container: str) -> set[str]:
    """The names of gVisor's processes on the host that carry a container's id."""
    found = subprocess.run(["pgrep", "-f", f"runsc.*{container}"], capture_output=True, check=False)
    names = set()
    for pid in map(int, found.stdout.split()):
        # One that has ended meanwhile has no words any more.
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            names.add(Path(words[0]).name)
    return names & {"runsc", "runsc-gofer", "runsc-sandbox"}


@pytest.mark.gvisor
def test_a_hung_gvisor_is_killed_and_leaves_no_process(
    api: Engine,
    host_facts: HostFacts,
    tmp_path: Path,
    busybox_image: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "gvisor")
    monkeypatch.setattr(inside, "TOTAL_SECONDS", 5 * PATIENCE)
    replicas: list[str] = []
    limits: list[execute.Limited] = []

    class Noted(execute.Limited):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            limits.append(self)

    monkeypatch.setattr(execute, "Limited", Noted)

    def hang(done: int, _: int) -> None:
        if done == 3:
            (replica,) = [
                c for c in api.containers(PROFILE) if c.name.startswith("sandboxd-verify-")
            ]
            replicas.append(replica.id)
            os.kill(api.inspect(replica.id)["State"]["Pid"], signal.SIGSTOP)
            # Nothing more comes, so that the rest of the time need not pass.
            limits[-1]._end = time.monotonic() + 1

    with sandboxes.container(api, plan_of(folder, host_facts)) as container:
        verdict = verify(api, container, progress=hang)
        assert api.inspect(container)["State"]["Running"], "the sandbox in use is left alone"
        eventually(lambda: not gvisor_of(replicas[0]), lambda: gvisor_of(replicas[0]))
    assert verdict.exit_code == 4
    assert len(verdict.of("inconclusive")) > 40
    assert f"did not finish within {5 * PATIENCE:g} s" in verdict.of("inconclusive")[0].evidence


def test_the_command(engine: str, project: Path, runtime: str) -> None:
    assert sandboxes.run(engine, project, "up").returncode == 0
    try:
        done = sandboxes.run(engine, project, "verify", "--all")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "pin-truncate" in done.stdout
        assert "residual" in done.stdout
        assert "the sandbox held" in done.stderr
        began = time.monotonic()
        done = sandboxes.run(engine, project, "verify", "--json")
        took = time.monotonic() - began
        answer = json.loads(done.stdout)
        assert answer["version"] == 1
        assert answer["held"] is True
        assert answer["runtime"].startswith("runsc" if runtime == "gvisor" else "runc")
        assert {"id", "title", "outcome", "expected", "evidence", "group"} == set(
            answer["attempts"][0]
        )
        assert len(answer["attempts"]) == sum(answer["counts"].values()) >= 60
        assert 0 < answer["seconds"] <= took
        assert {c["state"] for c in answer["controls"]} >= {"in force"}
    finally:
        assert sandboxes.run(engine, project, "down").returncode == 0


def test_a_fresh_sandbox_needs_nothing_of_the_image(
    engine: str, api: Engine, project: Path
) -> None:
    """An image without any file: no shell, no `tar`, no Python of its own that could answer."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    imported = ["docker", "-H", engine, "import", "-", "sandboxd-test/nothing:1"]
    subprocess.run(imported, input=data.getvalue(), check=True, capture_output=True)
    config = project / "sandboxd.toml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("image")]
    config.write_text("\n".join(['image = "sandboxd-test/nothing:1"', *lines, ""]))
    sandboxes.grant(project)
    files = sandboxes.tree(project)
    done = sandboxes.run(engine, project, "verify", "--fresh", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert (answer["attacked"], answer["held"]) == ("plan", True)
    assert "nothing of project or image ran" in done.stderr
    names = [container.name for container in api.containers(PROFILE)]
    assert not any(name.startswith("sandboxd-verify-") for name in names)
    assert sandboxes.tree(project) == files


def test_up_verifies_and_status_remembers_until_the_container_changes(
    engine: str, api: Engine, project: Path, runtime: str
) -> None:
    began = time.monotonic()
    done = sandboxes.run(engine, project, "up", "--verify")
    try:
        assert done.returncode == 0, done.stderr
        assert "the sandbox held" in done.stderr
        container = done.stdout.strip()

        def state() -> Any:
            shown = sandboxes.run(engine, project, "status", "--json")
            (row,) = json.loads(shown.stdout)["projects"]
            return row["verified"]

        verified = state()
        assert (verified["state"], verified["escaped"]) == ("held", [])
        # Both are rounded.
        assert 0 <= verified["age_seconds"] <= time.monotonic() - began + 1
        assert re.search("held +against", sandboxes.run(engine, project, "status").stdout)
        # The same container once more is another run of it.
        api.stop(container, 1)
        api.start(container)
        assert state()["state"] == "void"
    finally:
        sandboxes.run(engine, project, "down")


@pytest.mark.parametrize("ending", ["html", "json", "md"])
def test_reports(engine: str, api: Engine, tmp_path: Path, busybox_image: str, ending: str) -> None:
    body = {"Image": busybox_image, "Cmd": ["sleep", "600"], "HostConfig": {"NetworkMode": "none"}}
    container = api.create(f"sandboxd-test-report-{ending}", body)
    file = tmp_path / f"report.{ending}"
    try:
        api.start(container)
        done = sandboxes.run(
            engine, tmp_path, "verify", "--container", container, "--report", file.name
        )
        assert done.returncode == 6, done.stderr
    finally:
        api.remove(container)
    text = file.read_text()
    assert "setuid-program" in text and "no-new-privileges" in text
    if ending == "json":
        same = sandboxes.run(engine, tmp_path, "verify", "--diff", file.name, file.name)
        assert (same.returncode, same.stdout) == (0, "no attempt ends differently\n")


def test_a_sandbox_that_needed_a_grant_is_verified_without_it(
    engine: str, tmp_path: Path, busybox_image: str
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "runc", "agent")
    refused = sandboxes.run(engine, folder, "up")
    assert refused.returncode != 0
    assert "--allow-runc" in refused.stderr
    assert sandboxes.run(engine, folder, "up", "--allow-runc").returncode == 0
    try:
        assert sandboxes.run(engine, folder, "verify").returncode == 0
        done = sandboxes.run(engine, folder, "drift")
        assert done.returncode == 0, done.stdout
    finally:
        assert sandboxes.run(engine, folder, "down").returncode == 0


def test_a_foreign_container(engine: str, api: Engine, tmp_path: Path, busybox_image: str) -> None:
    """`--container`: no plan, no label, no pins; the workspace is recognised by what is in it."""
    folder = make_project(tmp_path / "code", busybox_image, "runc")
    body = {
        "Image": busybox_image,
        "Cmd": ["sleep", "600"],
        "HostConfig": {"Binds": [f"{folder}:/code"]},
    }
    container = api.create("sandboxd-test-foreign", body)
    try:
        api.start(container)
        done = sandboxes.run(engine, tmp_path, "verify", "--json", "--container", container[:12])
        answer = json.loads(done.stdout)
        escaped_ids = {a["id"] for a in answer["attempts"] if a["outcome"] == "escaped"}
        assert escaped_ids >= {*PIN_ATTEMPTS, *CONTROL_ATTEMPTS, "host-gateway", "setuid-program"}
        assert done.returncode == 6
        assert "THE SANDBOX DID NOT HOLD" in done.stderr
        assert answer["profile"] == ""
    finally:
        api.remove(container)
    done = sandboxes.run(engine, tmp_path, "verify", "--container", "nobody")
    assert done.returncode == 4
    assert "error: no container `nobody` is running" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ended_by_a_signal_it_takes_its_canaries_away(
    api: Engine, engine: str, host_facts: HostFacts, tmp_path: Path, busybox_image: str, number: int
) -> None:
    canaries = tmp_path / "canaries"
    canaries.mkdir()
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    before = sandboxes.tree(folder)
    with sandboxes.container(api, plan_of(folder, host_facts)) as container:
        process = subprocess.Popen(
            sandboxes.command(engine, folder, "verify", "--container", container),
            env={**os.environ, "TMPDIR": str(canaries), "PYTHONPATH": os.getcwd()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        eventually(lambda: list(canaries.iterdir()) or process.poll() is not None)
        process.send_signal(number)
        process.communicate(timeout=5 * PATIENCE)
    assert list(canaries.iterdir()) == []
    assert sandboxes.tree(folder) == before
