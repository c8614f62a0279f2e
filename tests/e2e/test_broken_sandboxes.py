"""Sandboxes broken on purpose: `verify` must name the attempts meant for each, and no innocent one.

A verifier that cannot fail proves nothing.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from sandboxd.credentials.name import Name
from sandboxd.credentials.uses import decoy
from sandboxd.data import data_path
from sandboxd.engine.client import Engine
from sandboxd.host.facts import HostFacts
from tests.e2e import sandboxes
from tests.e2e.sandboxes import (
    CONTROL_ATTEMPTS,
    NO_APPARMOR,
    PIN_ATTEMPTS,
    ROOT,
    UNCONFINED,
    Change,
    attack,
    bind,
    capability,
    escaped,
    host_config,
    make_project,
    without_mounts,
    without_option,
)

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

UNMOUNT = {"pin-remount", "pin-unmount", "pin-uncover", "pin-pivot"}
# Whoever may remount can make a pinned file writable, and then set its mode.
SET_MODE = {"control-file-mode"}
HELPERS = {"proc-mount", "release-agent"}
# Whoever is root inside without a user namespace can leave root's setuid files behind.
AS_ROOT = {"setuid-plant"}
SURFACE = {
    "af-alg",
    "af-vsock",
    "bpf",
    "io-uring",
    "keyring",
    "perf-events",
    "user-namespace",
    "userfaultfd",
    "fanotify",
    "foreign-calls",
    "mount-api",
    "personality",
    "quota",
    "unfiltered-child",
}
NO_FILTER = {"pin-pivot", "user-namespace", "fanotify", "personality", "quota", "unfiltered-child"}
HARDWARE = {"io-ports", "kexec", "oom-score", "limit-raise"}


def read_data(*path: str) -> str:
    return Path(data_path("profiles", *path)).read_text()


# What must be found, and what else may be (it depends on the kernel's configuration).
BROKEN_UNDER_RUNC: dict[str, tuple[list[Change], set[str], set[str]]] = {
    "privileged": (
        [host_config(Privileged=True), ROOT],
        {
            "core-pattern",
            "proc-mount",
            "device-node",
            "image-device-node",
            "kernel-log",
            "mount-api",
            *UNMOUNT,
            *SET_MODE,
        }
        | {"accounting", "cgroup-write", "clock", "memory-lock", "priority", "swap", "sysctl-write"}
        | {*NO_FILTER, *AS_ROOT},
        {*SURFACE, *HELPERS, "shocker", "block-device", "kernel-memory", "kernel-module"}
        | {"sysrq", "setuid-program", "host-devices", "masked-files", *HARDWARE},
    ),
    "SYS_ADMIN and no seccomp": (
        [capability("SYS_ADMIN"), UNCONFINED, NO_APPARMOR, ROOT],
        {"proc-mount", "mount-api", "swap", *UNMOUNT, *SET_MODE, *NO_FILTER, *AS_ROOT},
        {*SURFACE, *HELPERS},
    ),
    "no seccomp": ([UNCONFINED], NO_FILTER, SURFACE),
    # Why `nested_sandbox` needs a private copy: the folder itself has pins.
    "the calls of bubblewrap on the folder itself": (
        [without_option("seccomp", "seccomp=" + read_data("seccomp", "dev-nested-runc.json"))],
        {"pin-pivot", "user-namespace"},
        set(),
    ),
    "no no-new-privileges": (
        [without_option("no-new"), ROOT],
        {"setuid-program", *AS_ROOT},
        set(),
    ),
    # A process of the host that has the sandbox's user id shows it more.
    "pid host": ([host_config(PidMode="host")], {"host-process-visible"}, {"proc-root"}),
    "pid host and SYS_PTRACE": (
        [host_config(PidMode="host"), capability("SYS_PTRACE"), NO_APPARMOR, ROOT],
        {"host-process-visible", "host-process-environ", "host-process-signal"}
        | {"host-process-ptrace", "proc-root", "leaked-descriptor", *AS_ROOT},
        set(),
    ),
    "host network": (
        [host_config(NetworkMode="host")],
        {"host-loopback", "abstract-socket"},
        set(),
    ),
    "host network and NET_RAW": (
        [host_config(NetworkMode="host"), capability("NET_RAW"), ROOT],
        {"host-loopback", "abstract-socket", "packet-socket", "raw-socket", *AS_ROOT},
        set(),
    ),
    "host uts and SYS_ADMIN": (
        [host_config(UTSMode="host"), capability("SYS_ADMIN"), NO_APPARMOR, ROOT],
        {"hostname", "proc-mount", *AS_ROOT},
        {*SURFACE, *HELPERS, *UNMOUNT, *SET_MODE, "swap"},
    ),
    "host ipc": ([host_config(IpcMode="host")], {"shared-memory"}, set()),
    "host network and NET_ADMIN": (
        [host_config(NetworkMode="host"), capability("NET_ADMIN"), ROOT],
        {"host-loopback", "abstract-socket", "network-admin", *AS_ROOT},
        {"netlink-audit"},
    ),
    "pid host and SYS_BOOT": (
        [host_config(PidMode="host"), capability("SYS_BOOT"), ROOT],
        {"host-process-visible", "host-process-signal", "reboot", *AS_ROOT},
        {"kexec", "proc-root", "leaked-descriptor", "host-process-environ", "host-process-ptrace"},
    ),
    "DAC_READ_SEARCH": ([capability("DAC_READ_SEARCH"), ROOT], {"shocker", *AS_ROOT}, set()),
    "SYSLOG": ([capability("SYSLOG"), ROOT], {"kernel-log", *AS_ROOT}, set()),
    "SYS_TIME": ([capability("SYS_TIME"), ROOT], {"clock", *AS_ROOT}, set()),
    "SYS_PACCT": ([capability("SYS_PACCT"), ROOT], {"accounting", *AS_ROOT}, set()),
    "SYS_NICE and IPC_LOCK": (
        [capability("SYS_NICE", "IPC_LOCK"), ROOT],
        {"priority", "memory-lock", *AS_ROOT},
        set(),
    ),
    "SYS_MODULE": ([capability("SYS_MODULE"), ROOT], AS_ROOT, {"kernel-module"}),
    "nothing masked": (
        [host_config(MaskedPaths=[], ReadonlyPaths=[]), ROOT],
        {"core-pattern", "masked-files", "sysctl-write", *AS_ROOT},
        {"sysrq", "kernel-memory"},
    ),
    "no limits": (
        [host_config(Memory=0, PidsLimit=-1)],
        {"memory-limit", "process-limit"},
        set(),
    ),
    "a token in the environment": (
        [lambda body: body["Env"].append("GITHUB_TOKEN=ghp_0123456789")],
        {"token-environment"},
        set(),
    ),
    "no pins": (
        [without_mounts("")],
        {*PIN_ATTEMPTS, *CONTROL_ATTEMPTS, "pin-link"},
        set(),
    ),
    "the host's own git directory": (
        [without_mounts("/.git")],
        {*PIN_ATTEMPTS, *CONTROL_ATTEMPTS, "pin-parent-rename"},
        {"pin-link"},
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
    verdict = attack(api, folder, host_facts, *changes, needed=needed)
    attempts = escaped(verdict)
    assert needed <= attempts
    assert attempts <= needed | possible
    assert verdict.exit_code == 6
    assert sandboxes.tree(folder) == before


def test_a_placeholder_of_a_credential_is_no_token(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    """A project with a credential holds: the secret itself is in its gateway alone."""
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    value = decoy(str(folder), Name("anthropic"))
    verdict = attack(
        api, folder, host_facts, lambda body: body["Env"].append(f"ANTHROPIC_API_KEY={value}")
    )
    assert escaped(verdict) == set()


def test_a_filter_that_compares_more_of_a_family_than_the_kernel_is_found(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    try:
        socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()
    except OSError:
        pytest.skip("this kernel has no AF_VSOCK")
    profile = json.loads(Path(data_path("profiles", "seccomp", "dev-runc.json")).read_text())
    above = {"index": 0, "value": 40, "op": "SCMP_CMP_GT"}
    profile["syscalls"].append({"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [above]})
    weak = without_option("seccomp", f"seccomp={json.dumps(profile)}")
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    attempts = escaped(attack(api, folder, host_facts, weak, needed={"af-vsock"}))
    assert "af-vsock" in attempts
    assert attempts <= {"af-vsock", "af-alg"}
    assert escaped(attack(api, folder, host_facts)) == set()


def test_the_engine_s_socket_is_found(
    api: Engine, engine: str, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "runc")
    mounted = bind(engine.removeprefix("unix://"), "/var/run/docker.sock")
    ways = {*AS_ROOT, "engine-socket", "host-socket"}
    assert escaped(attack(api, folder, host_facts, mounted, ROOT, needed=ways)) == ways


@pytest.mark.gvisor
def test_the_engine_s_socket_under_gvisor_only_with_host_uds(
    api: Engine, engine: str, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "gvisor")
    mounted = bind(engine.removeprefix("unix://"), "/var/run/docker.sock")
    assert escaped(attack(api, folder, host_facts, mounted, ROOT, needed=AS_ROOT)) == AS_ROOT
    opened = host_config(Annotations={"dev.gvisor.flag.host-uds": "open"})
    ways = {*AS_ROOT, "engine-socket", "host-socket"}
    assert escaped(attack(api, folder, host_facts, mounted, ROOT, opened, needed=ways)) == ways


def test_a_writable_host_folder_is_found_and_left_as_it_was(
    api: Engine, host_facts: HostFacts, tmp_path: Path, project: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    verdict = attack(api, project, host_facts, bind(data, "/data"), needed={"writable-mount"})
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
    ways = {"control-file-mode", "pin-truncate", "pin-truncate-reading", "pin-remount", "pin-pivot"}
    verdict = attack(api, folder, host_facts, host_config(Runtime="runsc"), needed=ways)
    assert escaped(verdict) == ways
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
    # A single file cannot be pinned by a volume, and nothing stops mounts in `exec`; the plan names both.
    assert escaped(attack(api, folder, facts)) == {"control-file-mode", "pin-pivot"}
    said = " ".join(d.why for d in sandboxes.plan_of(folder, facts).downgrades)
    assert "the mode of `" in said and "can move what is pinned away" in said
    # Only SYS_ADMIN can take such a pin away.
    assert escaped(attack(api, folder, facts, host_config(Privileged=True), ROOT)) == {
        *AS_ROOT,
        "control-file-mode",
        "pin-pivot",
        "pin-unmount",
        "process-limit",
    }


@pytest.mark.gvisor
@pytest.mark.parametrize(
    ("changes", "attempts"),
    [
        # The plan's limit under gVisor is one of the user, which does not bind a privileged root.
        (
            [host_config(Privileged=True), ROOT],
            {"pin-unmount", "pin-uncover", "process-limit", *AS_ROOT},
        ),
        ([host_config(PidMode="host")], set()),
        ([UNCONFINED], set()),
        ([host_config(NetworkMode="host")], {"host-loopback"}),
    ],
    ids=["privileged", "pid host", "no seccomp", "host network"],
)
def test_only_the_weakened_control_of_gvisor_lets_attempts_escape(
    api: Engine,
    host_facts: HostFacts,
    tmp_path: Path,
    busybox_image: str,
    changes: list[Change],
    attempts: set[str],
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, "gvisor")
    assert escaped(attack(api, folder, host_facts, *changes, needed=attempts)) == attempts
