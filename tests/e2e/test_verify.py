"""`verify` on live sandboxes: ours hold, and each broken one is found by the attempts meant for it.

A verifier that cannot fail proves nothing, so most of this is sandboxes broken on purpose.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from sandboxd.host.facts import HostFacts
from sandboxd.sandbox import inside
from sandboxd.sandbox.engine import Engine, Exec
from sandboxd.sandbox.execute import run_quietly
from sandboxd.sandbox.verify import Verdict, verify
from tests.e2e import sandboxes
from tests.e2e.sandboxes import (
    Change,
    as_user,
    bind,
    capability,
    host_config,
    make_project,
    plan_of,
    without_mounts,
    without_option,
)

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

PINS = {"pin-truncate", "pin-truncate-reading", "pin-write", "pin-replace"}
CONTROL = {"control-file-create", "control-file-write", "pin-parent-rename"}
UNMOUNT = {"pin-remount", "pin-unmount"}
HELPERS = {"proc-mount", "release-agent"}
SURFACE = {
    "af-alg",
    "af-vsock",
    "bpf",
    "io-uring",
    "keyring",
    "perf-events",
    "user-namespace",
    "userfaultfd",
}
ROOT = as_user("0")
UNCONFINED = without_option("seccomp", "seccomp=unconfined")
# docker-default, where the kernel has AppArmor, would stop some of it a second time.
NO_APPARMOR = without_option("apparmor", "apparmor=unconfined")


def escaped(verdict: Verdict) -> set[str]:
    assert verdict.of("inconclusive") == []
    return {result.id for result in verdict.of("escaped")}


def attack(api: Engine, folder: Path, facts: HostFacts, *changes: Change) -> Verdict:
    plan = plan_of(folder, facts)
    with sandboxes.container(api, plan, *changes) as container:
        return verify(api, container, plan)


@pytest.mark.parametrize("profile", ["dev", "agent", "seed-baseline"])
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
    assert escaped(verdict) == set(), verdict.of("escaped")
    assert verdict.exit_code == 0
    # The guide's list lets every clone flag through, which is declared; `dev` is the answer.
    assert ("user-namespace" in open_ones) == (profile == "seed-baseline" and runtime == "runc")
    assert ("host-gateway" in open_ones) == (profile != "agent")
    assert len(verdict.of("held")) >= 35
    assert sandboxes.tree(folder) == before


# What must be found, and what else may be (it depends on the kernel's configuration).
BROKEN_UNDER_RUNC: dict[str, tuple[list[Change], set[str], set[str]]] = {
    "privileged": (
        [host_config(Privileged=True), ROOT],
        {"core-pattern", "proc-mount", "device-node", "kernel-log", "user-namespace", *UNMOUNT},
        {*SURFACE, *HELPERS, "shocker", "block-device", "kernel-memory", "kernel-module"}
        | {"sysrq", "setuid-program"},
    ),
    "SYS_ADMIN and no seccomp": (
        [capability("SYS_ADMIN"), UNCONFINED, NO_APPARMOR, ROOT],
        {"proc-mount", "user-namespace", *UNMOUNT},
        {*SURFACE, *HELPERS},
    ),
    "no seccomp": ([UNCONFINED], {"user-namespace"}, SURFACE),
    "no no-new-privileges": ([without_option("no-new"), ROOT], {"setuid-program"}, set()),
    "pid host": ([host_config(PidMode="host")], {"host-process-visible"}, set()),
    "pid host and SYS_PTRACE": (
        [host_config(PidMode="host"), capability("SYS_PTRACE"), NO_APPARMOR, ROOT],
        {"host-process-visible", "host-process-environ", "host-process-signal"}
        | {"host-process-ptrace", "proc-root"},
        set(),
    ),
    "host network": (
        [host_config(NetworkMode="host")],
        {"host-loopback", "abstract-socket"},
        set(),
    ),
    "host network and NET_RAW": (
        [host_config(NetworkMode="host"), capability("NET_RAW"), ROOT],
        {"host-loopback", "abstract-socket", "packet-socket"},
        set(),
    ),
    "host uts and SYS_ADMIN": (
        [host_config(UTSMode="host"), capability("SYS_ADMIN"), NO_APPARMOR, ROOT],
        {"hostname", "proc-mount"},
        {*SURFACE, *HELPERS, *UNMOUNT},
    ),
    "DAC_READ_SEARCH": ([capability("DAC_READ_SEARCH"), ROOT], {"shocker"}, set()),
    "SYSLOG": ([capability("SYSLOG"), ROOT], {"kernel-log"}, set()),
    "no pins": ([without_mounts("")], {*PINS, *CONTROL}, set()),
    "the pins' parent is no mount": (
        [without_mounts("/.git")],
        {"pin-parent-rename"},
        set(),
    ),
    "root mounted read-only": (
        [bind("/", "/host", read_only=True)],
        {"host-file"},
        {"host-socket"},
    ),
}


@pytest.mark.parametrize("name", BROKEN_UNDER_RUNC)
def test_each_broken_sandbox_is_found_under_runc(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str, name: str
) -> None:
    changes, needed, possible = BROKEN_UNDER_RUNC[name]
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    before = sandboxes.tree(folder)
    verdict = attack(api, folder, host_facts, *changes)
    found = escaped(verdict)
    assert needed <= found
    assert found <= needed | possible
    assert verdict.exit_code == 6
    assert sandboxes.tree(folder) == before


def test_the_engine_s_socket_is_found(
    api: Engine, engine: str, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    mounted = bind(engine.removeprefix("unix://"), "/var/run/docker.sock")
    assert escaped(attack(api, folder, host_facts, mounted, ROOT)) == {
        "engine-socket",
        "host-socket",
    }


@pytest.mark.gvisor
def test_the_engine_s_socket_under_gvisor_only_with_host_uds(
    api: Engine, engine: str, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "gvisor")
    mounted = bind(engine.removeprefix("unix://"), "/var/run/docker.sock")
    assert escaped(attack(api, folder, host_facts, mounted, ROOT)) == set()
    opened = host_config(Annotations={"dev.gvisor.flag.host-uds": "open"})
    assert escaped(attack(api, folder, host_facts, mounted, ROOT, opened)) == {
        "engine-socket",
        "host-socket",
    }


def test_a_writable_host_folder_is_found_and_left_as_it_was(
    api: Engine, host_facts: HostFacts, tmp_path: Path, project: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    verdict = attack(api, project, host_facts, bind(data, "/data"))
    assert escaped(verdict) == {"writable-mount"}
    assert f"`{data}`" in verdict.of("escaped")[0].evidence
    assert list(data.iterdir()) == []
    assert escaped(attack(api, project, host_facts, bind(data, "/data", read_only=True))) == set()


def test_a_mounted_home_is_found(
    api: Engine, host_facts: HostFacts, tmp_path: Path, project: Path
) -> None:
    key = tmp_path / "home/.ssh/id_ed25519"
    key.parent.mkdir(parents=True)
    key.write_text("a key\n")
    for mounted in (
        bind(tmp_path / "home", "/home/dev", read_only=True),
        bind(key, "/run/secrets/.ssh/id_ed25519", read_only=True),
    ):
        verdict = attack(api, project, host_facts, mounted)
        assert escaped(verdict) == {"credential-files"}
        assert f"`{key}`" in verdict.of("escaped")[0].evidence


@pytest.mark.gvisor
def test_stock_gvisor_lets_a_plain_pin_be_emptied(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    """The plan for `runsc-sandboxd` has plain pins; stock runsc has directfs on."""
    folder = make_project(tmp_path / "ws", busybox_image, "gvisor")
    before = sandboxes.tree(folder)
    verdict = attack(api, folder, host_facts, host_config(Runtime="runsc"))
    assert escaped(verdict) == {"pin-truncate", "pin-truncate-reading", "pin-remount"}
    assert sandboxes.tree(folder) == before


@pytest.mark.gvisor
def test_the_plan_for_stock_gvisor_pins_by_volumes_that_hold(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    assert host_facts.engine is not None
    stock = host_facts.engine.runtime("runsc")
    assert stock is not None
    facts = host_facts._replace(engine=host_facts.engine._replace(runtimes=(stock,)))
    folder = make_project(tmp_path / "ws", busybox_image, "gvisor")
    assert escaped(attack(api, folder, facts)) == set()
    # Only SYS_ADMIN can take such a pin away.
    assert escaped(attack(api, folder, facts, host_config(Privileged=True), ROOT)) == {
        "pin-unmount"
    }


@pytest.mark.gvisor
@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([host_config(Privileged=True), ROOT], {"pin-unmount"}),
        ([host_config(PidMode="host")], set()),
        ([UNCONFINED], set()),
        ([host_config(NetworkMode="host")], {"host-loopback"}),
    ],
    ids=["privileged", "pid host", "no seccomp", "host network"],
)
def test_what_weakens_gvisor_and_what_does_not(
    api: Engine,
    host_facts: HostFacts,
    tmp_path: Path,
    busybox_image: str,
    changes: list[Change],
    found: set[str],
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "gvisor")
    assert escaped(attack(api, folder, host_facts, *changes)) == found


def host_state() -> dict[str, Any]:
    """What an attempt could have changed on the host."""
    settings = ("kernel/core_pattern", "kernel/hostname", "kernel/sysrq", "kernel/modprobe")
    return {
        "settings": {
            s: Path("/proc/sys", s).read_text() for s in settings if Path("/proc/sys", s).exists()
        },
        "mounts": sorted(
            line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
        ),
        "modules": Path("/proc/modules").read_text() if Path("/proc/modules").exists() else "",
        "children": subprocess.run(
            ["pgrep", "-P", str(os.getpid()), "sh"], capture_output=True, text=True, check=False
        ).stdout,
    }


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
    before, files = host_state(), sandboxes.tree(folder)
    everything = [
        host_config(Privileged=True, PidMode="host", NetworkMode="host", IpcMode="host"),
        host_config(UTSMode="host", CgroupnsMode="host"),
        without_mounts(""),
        ROOT,
    ]
    verdict = attack(api, folder, host_facts, *everything)
    assert len(escaped(verdict)) > 20
    assert host_state() == before
    assert list(canaries.iterdir()) == []
    assert sandboxes.tree(folder) == files


def test_where_nothing_can_run_nothing_is_called_held(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    plan = plan_of(folder, host_facts)
    no_shell = Exec(["busybox", "rm", "/bin/sh"])
    # Docker's tmpfs is noexec, and so is /dev/shm.
    no_programs = host_config(ReadonlyRootfs=True, Tmpfs={"/tmp": ""})
    for change, command, words in (
        (ROOT, no_shell, "no shell"),
        (no_programs, None, "no folder inside can be written and may hold programs"),
    ):
        with sandboxes.container(api, plan, change) as container:
            if command is not None:
                assert run_quietly(api, container, command) == (0, b"")
            verdict = verify(api, container, plan)
        assert {result.outcome for result in verdict.results} == {"inconclusive"}
        assert words in verdict.results[0].evidence
        assert verdict.exit_code == 4


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


def test_the_command(engine: str, project: Path, runtime: str) -> None:
    assert sandboxes.run(engine, project, "up").returncode == 0
    try:
        done = sandboxes.run(engine, project, "verify")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "pin-truncate" in done.stdout
        assert "residual" in done.stdout
        assert "the sandbox held" in done.stderr
        done = sandboxes.run(engine, project, "verify", "--json")
        answer = json.loads(done.stdout)
        assert answer["version"] == 1
        assert answer["held"] is True
        assert answer["runtime"].startswith("runsc" if runtime == "gvisor" else "runc")
        assert {"id", "title", "outcome", "expected", "evidence"} == set(answer["attempts"][0])
    finally:
        assert sandboxes.run(engine, project, "down").returncode == 0


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
        found = {a["id"] for a in answer["attempts"] if a["outcome"] == "escaped"}
        assert found >= {*PINS, *CONTROL, "host-gateway", "setuid-program"}
        assert done.returncode == 6
        assert "THE SANDBOX DID NOT HOLD" in done.stderr
        assert answer["profile"] == ""
    finally:
        api.remove(container)
    done = sandboxes.run(engine, tmp_path, "verify", "--container", "nobody")
    assert done.returncode == 4
