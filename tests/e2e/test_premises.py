"""The premises of the rules about runtime behaviour, on a real engine.

Each row says what the weak arguments of a rule allow inside and the fixed ones do not, and whether
the weak ones still do under gVisor, where severities are lower. All weak arguments that get along
share a container, so that the whole table takes a few starts.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.patience import eventually

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="system calls by number"),
]
OBSERVER = Path(__file__).with_name("premise_observer.py")


class Premise(NamedTuple):
    """`weak` arguments make `observation` true inside; without them, or with `fixed`, it is false."""

    rule: str
    weak: tuple[str, ...]
    observation: str
    fixed: tuple[str, ...] = ()
    gvisor: bool | None = False
    """What is seen with the weak arguments under gVisor; None where that is not told."""


ALONE = (
    # Kernels of test machines have no modules and no I/O ports: here the capability has to do.
    Premise("cap-add-sys-module", ("--cap-add=SYS_MODULE",), "capability:16", gvisor=None),
    Premise("cap-add-dac-read-search", ("--cap-add=DAC_READ_SEARCH",), "open_by_handle"),
    Premise("cap-add-sys-rawio", ("--cap-add=SYS_RAWIO",), "capability:17", gvisor=None),
    Premise("cap-add-sys-rawio", ("--cap-add=SYSLOG",), "kernel_log", gvisor=None),
    Premise("cap-add-bpf-perfmon", ("--cap-add=BPF",), "bpf_program"),
    Premise("cap-add-net-admin", ("--cap-add=NET_ADMIN",), "change_interface", gvisor=None),
    Premise("host-pid", ("--pid=host",), "sees_host_process"),
    Premise("host-ipc", ("--ipc=host",), "host_shared_memory", gvisor=True),
    Premise("host-network", ("--network=host",), "host_interfaces", gvisor=None),
    Premise("host-uts", ("--uts=host",), "host_name", gvisor=None),
    Premise(
        "host-cgroupns", ("--cgroupns=host",), "host_cgroup_path", ("--cgroupns=private",), None
    ),
    Premise(
        "systempaths-unconfined", ("--security-opt=systempaths=unconfined",), "kernel_settings"
    ),
    Premise("device-cgroup-rule-wide", ("--device-cgroup-rule=b *:* rwm",), "disk_by_its_number"),
    Premise("group-add-powerful", ("--group-add=6",), "in_group_disk", gvisor=True),
    Premise("rootfs-writable", (), "write_root", ("--read-only", "--tmpfs=/tmp"), gvisor=True),
    Premise(
        "host-system-directory-mounted",
        ("-v", "/proc:/host-proc"),
        "sees_host_process_by_mount",
        gvisor=True,
    ),
)
JOINED = (
    Premise("network-container", ("--network=container:{other}",), "other_loopback"),
    Premise("pid-shared", ("--pid=container:{other}",), "other_process"),
    Premise("volumes-from", ("--volumes-from={other}",), "other_volume"),
)
REFUSED = (
    ("cap-name-invalid", ["--cap-add=SYS_PTRCE"], "SYS_PTRCE"),
    ("security-opt-invalid", ["--security-opt=seccomp=default"], "seccomp profile"),
    ("security-opt-invalid", ["--security-opt=no_new_privileges"], "security-opt"),
    ("seccomp-file-missing", ["--security-opt=seccomp=nowhere.json"], "seccomp profile"),
    ("runtime-not-registered", ["--runtime=nowhere"], "runtime"),
    ("runargs-malformed", ["--cap-drop ALL"], "unknown flag"),
)


class World:
    """What the containers of this module are started with, and what is on the host for them."""

    def __init__(self, engine: str, image: str, folder: Path) -> None:
        self.engine, self.image, self.folder = engine, image, folder
        self.disk = _disk(folder / "node")
        self.marker = f"sandboxd-premise-{os.getpid()}"
        (folder / ".devcontainer").mkdir()
        (folder / ".devcontainer/devcontainer.json").write_text("{}\n")
        (folder / "deny-mkdir.json").write_text(
            '{"defaultAction": "SCMP_ACT_ALLOW",'
            ' "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}'
        )

    def docker(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["docker", *arguments],
            env={**os.environ, "DOCKER_HOST": self.engine},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def observe(self, arguments: list[str], names: list[str], user: str = "0") -> dict[str, bool]:
        """What can be done in a container with these arguments; it has the host's Python."""
        host: dict[str, Any] = {
            "pid": os.getpid(),
            "command": Path(f"/proc/{os.getpid()}/cmdline").read_text().split("\0")[0],
            "marker": self.marker,
            "name": socket.gethostname(),
            "disk": self.disk,
            "observations": names,
        }
        python = os.path.realpath(sys.executable)
        folders = ["/usr", "/lib", "/lib64", sys.base_prefix]
        mounts = [f"-v={f}:{f}:ro" for f in dict.fromkeys(folders) if os.path.isdir(f)]
        run = ["run", "--rm", "--init=false", f"--user={user}", *mounts, f"-v={OBSERVER}:/o.py:ro"]
        done = self.docker(*run, *arguments, self.image, python, "/o.py", json.dumps(host))
        observations: dict[str, bool] = json.loads(done.stdout)
        return observations


@pytest.fixture(scope="module")
def world(
    engine: str, busybox_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    result = World(engine, busybox_image, tmp_path_factory.mktemp("premises"))
    marker = Path("/dev/shm") / result.marker
    marker.touch()
    yield result
    marker.unlink()


def _disk(node: Path) -> list[int]:
    """The number of a block device that this machine itself may open, made at `node` to try."""
    for device in sorted(Path("/sys/block").iterdir()):
        major, minor = map(int, (device / "dev").read_text().split(":"))
        os.mknod(node, 0o060600, os.makedev(major, minor))
        try:
            os.close(os.open(node, os.O_RDONLY))
            return [major, minor]
        except OSError:
            continue
        finally:
            node.unlink()
    pytest.fail("this machine may open no block device")


def _mount(world: World) -> list[str]:
    return ["-v", f"{world.folder}:/m"]


def _weak(table: tuple[Premise, ...], **names: str) -> list[str]:
    return [word.format(**names) for row in table for word in row.weak]


def _fixed(table: tuple[Premise, ...]) -> list[str]:
    return [word for row in table for word in row.fixed]


def test_weak_arguments_open_what_their_rule_says_and_fixed_ones_do_not(world: World) -> None:
    names = [row.observation for row in ALONE]
    weak = world.observe([*_mount(world), *_weak(ALONE)], names)
    fixed = world.observe(["-v", f"{world.folder}:/m:ro", *_fixed(ALONE)], names)
    assert [row for row in ALONE if not weak[row.observation]] == []
    assert [row for row in ALONE if fixed[row.observation]] == []


@pytest.mark.gvisor
def test_gvisor_takes_from_them_what_the_severities_say(world: World, runsc: str) -> None:
    names = [row.observation for row in ALONE]
    weak = world.observe([f"--runtime={runsc}", *_mount(world), *_weak(ALONE)], names)
    assert [row for row in ALONE if row.gvisor not in (None, weak[row.observation])] == []


def test_what_joins_another_container_has_what_is_its(world: World) -> None:
    serve = "exec nc -ll -p 9099 -e echo x"
    other = f"{world.marker}-other"
    world.docker(
        "run", "-d", "--name", other, "-v", "/of-the-other", world.image, "sh", "-c", serve
    )
    try:
        listening = ("exec", other, "grep", "-q", ":238B ", "/proc/net/tcp", "/proc/net/tcp6")
        eventually(lambda: world.docker(*listening, check=False).returncode == 0)
        names = [row.observation for row in JOINED]
        joined = world.observe(_weak(JOINED, other=other), names)
    finally:
        world.docker("rm", "-f", "-v", other)
    assert [row for row in JOINED if not joined[row.observation]] == []
    apart = world.observe([], names)
    assert [row for row in JOINED if apart[row.observation]] == []


def test_the_engine_refuses_what_the_rules_call_invalid(world: World) -> None:
    for rule, arguments, message in REFUSED:
        done = world.docker("run", "--rm", *arguments, world.image, "true", check=False)
        assert done.returncode != 0, rule
        assert message in done.stderr, rule


def test_of_two_options_the_last_is_in_force(world: World) -> None:
    """security-opt-conflict, runtime-conflict; and cap-add-sys-ptrace: who debugs needs nothing."""
    profile = f"seccomp={world.folder}/deny-mkdir.json"
    last = ["--security-opt", profile, "--security-opt", "seccomp=unconfined"]
    names = ["syscalls_unfiltered", "make_folder"]
    assert world.observe([*last, "--runtime=nowhere", "--runtime=runc"], names) == {
        "syscalls_unfiltered": True,
        "make_folder": True,
    }
    first = ["--security-opt", profile, "--cap-drop=ALL", "--security-opt=no-new-privileges"]
    names = ["syscalls_unfiltered", "make_folder", "trace_child", "packet_socket"]
    assert world.observe(first, names, user="1000") == {
        "syscalls_unfiltered": False,
        "make_folder": False,
        "trace_child": True,
        "packet_socket": False,
    }


def test_a_word_among_the_options_is_the_image(world: World) -> None:
    """runargs-image-override; what is dropped beside all that is added (cap-drop-noop) as well."""
    output = world.docker(
        "create", "--cap-drop=ALL", "--cap-add=ALL", world.image, "--cap-drop=NET_RAW", "x:y"
    ).stdout.strip()
    try:
        shown = world.docker(
            "inspect", "-f", "{{json .HostConfig.CapDrop}} {{json .Config.Cmd}}", output
        ).stdout
    finally:
        world.docker("rm", output)
    assert shown == '["ALL"] ["--cap-drop=NET_RAW","x:y"]\n'
    names = ["capability:19", "capability:21"]
    both = world.observe(["--cap-drop=ALL", "--cap-add=ALL"], names)
    assert both == dict.fromkeys(names, True)


@pytest.mark.gvisor
def test_annotations_change_what_gvisor_does(world: World, runsc: str) -> None:
    """seccomp-ignored-by-runsc and gvisor-annotation-host-uds."""
    profile = f"--security-opt=seccomp={world.folder}/deny-mkdir.json"
    plain = [f"--runtime={runsc}", profile, *_mount(world)]
    annotated = [
        "--annotation=dev.gvisor.flag.oci-seccomp=true",
        "--annotation=dev.gvisor.flag.host-uds=open",
    ]
    names = ["make_folder", "connect_host_socket", "write_workspace_config"]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(world.folder / "host.sock"))
        server.listen()
        without = world.observe(plain, names)
        having = world.observe([*plain, *annotated], names)
    assert without == {
        "make_folder": True,
        "connect_host_socket": False,
        "write_workspace_config": True,
    }
    assert having == {
        "make_folder": False,
        "connect_host_socket": True,
        "write_workspace_config": True,
    }
