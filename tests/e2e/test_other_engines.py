"""Rootless Docker and Podman 5, started for real where this machine can; else the missing fact is named.

Each lives in a mount namespace of its own, where a user with subordinate ids exists that the
machine does not have.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sandboxd.engine.client import Engine, connect_from
from sandboxd.engine.contexts import Identity
from tests.e2e import sandboxes
from tests.e2e.test_private_engine import ROOT
from tests.patience import PATIENCE, eventually
from tools.engine import processes
from tools.engine.image import import_busybox_image
from tools.engine.packages import find_program

USER = 61_000
ROOTLESS = "/usr/share/docker.io/contrib/dockerd-rootless.sh"

# A user for this namespace only: newuidmap asks these files.
NAMESPACE = """
set -e
mount --make-rprivate /
for file in passwd group subuid subgid; do
    cp /etc/$file $HOME/etc-$file
    case $file in
        passwd) echo "sandboxd-test:x:{user}:{user}::$HOME:/bin/sh" >>$HOME/etc-$file ;;
        group) echo "sandboxd-test:x:{user}:" >>$HOME/etc-$file ;;
        *) echo "sandboxd-test:2000000:65536" >>$HOME/etc-$file ;;
    esac
    mount --bind $HOME/etc-$file /etc/$file
done
# Not every machine lets a new user write there.
mount -t tmpfs -o mode=1777 tmpfs /tmp
if [ -e /dev/net/tun ]; then
    mknod $HOME/tun c 10 200 && chmod 666 $HOME/tun && mount --bind $HOME/tun /dev/net/tun
fi
for path in {ours}; do
    mkdir -p $HOME/opened$path
    mount --bind $path $HOME/opened$path
done
# What runs the tests may be in root's home, which that user cannot enter.
[ ! -d $HOME/opened/root ] || mount --rbind $HOME/opened/root /root
exec setpriv --reuid={user} --regid={user} --clear-groups -- "$@"
"""


class Started(NamedTuple):
    host: str
    folder: Path
    log: Path
    pid: int

    def facts(self) -> dict[str, Any]:
        shown = subprocess.run(
            [sys.executable, "-m", "sandboxd", "doctor", "--json"],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, "DOCKER_HOST": self.host},
        )
        facts: dict[str, Any] = json.loads(shown.stdout)
        return facts

    def as_its_user(self, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """`sandboxd WORDS` as the user whose engine it is, with the files that this user sees."""
        home = self.folder / "home"
        if not home.exists():
            home.mkdir()
            os.chown(home, USER, USER)
        return subprocess.run(
            [
                *("nsenter", "--mount", f"--target={self.pid}", f"--wd={project}", "--", "setpriv"),
                *(f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--"),
                *(sys.executable, "-m", "sandboxd", *words),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=5 * PATIENCE,
            env={
                "HOME": str(home),
                "XDG_RUNTIME_DIR": str(self.folder / "run"),
                "PATH": "/usr/sbin:/sbin:/usr/bin:/bin",
                "DOCKER_HOST": self.host,
            },
        )

    def running(self) -> list[str]:
        """The names of all containers."""
        identity = Identity(self.host)
        return [each.name for each in Engine(identity).containers()]


def missing_fact(*programs: str) -> str:
    """What this machine lacks, '' if nothing."""
    if os.geteuid() != 0:
        return "only root can give a test user its subordinate ids"
    for program in programs:
        if find_program(program) is None and not Path(program).exists():
            return f"`{program}` is not installed"
    limit = Path("/proc/sys/user/max_user_namespaces")
    if not limit.exists() or limit.read_text().strip() == "0":
        return "this kernel makes no user namespaces (user.max_user_namespaces)"
    clone = Path("/proc/sys/kernel/unprivileged_userns_clone")
    if clone.exists() and clone.read_text().strip() == "0":
        return "users may make no user namespaces (kernel.unprivileged_userns_clone)"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    return ""


@contextlib.contextmanager
def started(folder: Path, command: list[str], socket: Path, user: bool) -> Iterator[Started]:
    """A daemon with `folder` as its home, until the end of the block."""
    (folder / "run").mkdir(mode=0o700)
    if user:
        for path in (folder, folder / "run"):
            os.chown(path, USER, USER)
        ours = [str(path) for path in (ROOT, sys.base_prefix) if str(path).startswith("/root/")]
        script = NAMESPACE.format(user=USER, ours=" ".join(ours))
        command = ["unshare", "--mount", "sh", "-c", script, "sh", *command]
    environ = {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "PATH": "/usr/sbin:/sbin:/usr/bin:/bin",
    }
    log = folder / "log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            command, env=environ, stdout=output, stderr=output, cwd="/", start_new_session=True
        )
    try:
        engine = connect_from({"DOCKER_HOST": f"unix://{socket}"})
        eventually(
            lambda: daemon.poll() is not None or engine.answers(),
            lambda: log.read_text()[-2000:],
            3 * PATIENCE,
        )
        assert daemon.poll() is None, log.read_text()[-2000:]
        yield Started(f"unix://{socket}", folder, log, daemon.pid)
    finally:
        processes.end(processes.with_home(str(folder)), signal.SIGTERM)
        processes.wait_until(lambda: not processes.with_home(str(folder)), 60)
        processes.end(processes.with_home(str(folder)))
        daemon.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short, and readable for every user: a socket's path may have 107 bytes."""
    path = Path(f"/var/tmp/sbx-{os.getpid()}-{os.urandom(3).hex()}")
    path.mkdir(mode=0o755)
    return path


def usable(facts: dict[str, Any]) -> dict[str, bool | None]:
    return {runtime["name"]: runtime["usable"] for runtime in facts["runtimes"]}


def test_rootless_docker(home: Path) -> None:
    reason = missing_fact("dockerd", ROOTLESS, "rootlesskit", "slirp4netns", "newuidmap")
    if reason:
        pytest.skip(f"no rootless Docker: {reason}")
    runsc = find_program("runsc")
    arguments = ["--directfs=false", "--network=host"]
    runtimes = {
        "runsc-sandboxd": {"path": runsc, "runtimeArgs": [*arguments, "--ignore-cgroups"]},
        "runsc-cgroups": {"path": runsc, "runtimeArgs": arguments},
    }
    (home / "daemon.json").write_text(json.dumps({"runtimes": runtimes if runsc else {}}))
    command = [
        *("sh", ROOTLESS, f"--data-root={home}/data", f"--exec-root={home}/run/docker"),
        f"--config-file={home}/daemon.json",
    ]
    with started(home, command, home / "run" / "docker.sock", user=True) as engine:
        facts = engine.facts()
        assert facts["platform"] == "rootless" and facts["engine"]["rootless"] is True
        assert usable(facts)["runc"] is True, engine.log.read_text()[-2000:]
        if not runsc:
            return
        gvisor = next(r for r in facts["runtimes"] if r["name"] == "runsc-sandboxd")
        assert gvisor["usable"] is True, gvisor["why"]
        if facts["cgroup_version"] == "1":
            broken = next(r for r in facts["runtimes"] if r["name"] == "runsc-cgroups")
            assert broken["usable"] is False and "--ignore-cgroups" in broken["fix"]
        image = import_busybox_image(engine.host)
        project = sandboxes.make_project(home / "project", image, "gvisor")
        for path in (project, *project.rglob("*")):
            os.chown(path, USER, USER)
        up = sandboxes.run(engine.host, project, "up")
        assert up.returncode == 0, up.stderr
        shown = sandboxes.run(engine.host, project, "exec", "--", "cat", "/proc/version")
        assert "Linux version 4.4.0" in shown.stdout, shown.stderr
        # Its gateway is as it has to be, and tells what it denies.
        denied = sandboxes.run(
            engine.host, project, "exec", "-n", "--", "wget", "-q", "-O", "-", "http://denied.test/"
        )
        assert "403" in denied.stderr
        assert "denied.test" in sandboxes.run(engine.host, project, "egress", "log").stdout
        drift = json.loads(sandboxes.run(engine.host, project, "drift", "--json").stdout)
        (network,) = [each for each in drift["controls"] if each["name"] == "network"]
        assert network["state"] == "in force", network["why"]
        sandboxes.run(engine.host, project, "down")


@pytest.mark.parametrize("user", [False, True], ids=["rootful", "rootless"])
def test_podman(home: Path, user: bool) -> None:
    """A sandbox with a gateway, from `doctor` to `down`."""
    reason = missing_fact("podman", "runc", "nft", *(("newuidmap", "pasta") if user else ()))
    if reason:
        pytest.skip(f"no Podman: {reason}")
    with started(home, podman(home, "--runtime", "runc"), home / "podman.sock", user) as engine:
        facts = engine.facts()
        assert facts["platform"] == "podman" and facts["engine"]["rootless"] is user
        assert facts["engine"]["version"].split(".")[0] >= "5"
        default = facts["engine"]["default_runtime"].rsplit("/", 1)[-1]
        assert usable(facts) == {default: True}, "a container cannot be given another runtime"
        image = import_busybox_image(engine.host)
        project = sandboxes.make_project(home / "project", image, "runc")
        if user:
            for path in (project, *project.rglob("*")):
                os.chown(path, USER, USER)
            trusted = engine.as_its_user(project, "trust", "add", "--yes")
            assert trusted.returncode == 0, trusted.stderr
            walk(engine, functools.partial(engine.as_its_user, project), uid="0")
        else:
            walk(engine, functools.partial(sandboxes.run, engine.host, project), uid="1000")


def walk(
    engine: Started, sandboxd: Callable[..., subprocess.CompletedProcess[str]], uid: str
) -> None:
    """A sandbox with a gateway starts, is as planned, tells what it denies, holds, and leaves nothing.

    :param sandboxd: runs a command in its project
    :param uid: of who owns the workspace, inside
    """

    up = sandboxd("up")
    assert up.returncode == 0, up.stderr
    inside = sandboxd("exec", "-n", "--", "sh", "-c", "id -u; echo >x; ip -6 addr show dev eth0")
    assert (inside.returncode, inside.stdout) == (0, f"{uid}\n"), inside.stderr
    denied = sandboxd("exec", "-n", "--", "wget", "-q", "-O", "-", "http://denied.test/")
    assert "403" in denied.stderr, denied.stderr
    assert "denied.test" in sandboxd("egress", "log").stdout
    drift = json.loads(sandboxd("drift", "--json").stdout)
    assert drift["drift"] == []
    seen = {each["name"]: each["state"] for each in drift["controls"]}
    assert seen["seccomp"] == seen["capabilities"] == seen["network"] == "in force"
    again = sandboxd("up")
    assert again.stdout.startswith("already running") or "already running" in again.stderr
    assert "made anew" not in again.stderr
    verified = json.loads(sandboxd("verify", "--json").stdout)
    bad = [each for each in verified["attempts"] if each["outcome"] in ("escaped", "inconclusive")]
    assert verified["held"] is True and not bad, bad
    down = sandboxd("down")
    assert down.returncode == 0, down.stderr
    assert engine.running() == []


@pytest.mark.parametrize("profile", ["dev", "untrusted", "review"])
def test_a_sandbox_without_a_network_lives_on_podman(home: Path, profile: str) -> None:
    reason = missing_fact("podman", "runc")
    if reason:
        pytest.skip(f"no Podman: {reason}")
    command = podman(home, "--runtime", "runc")
    with started(home, command, home / "podman.sock", user=False) as engine:
        image = import_busybox_image(engine.host)
        project = sandboxes.make_project(home / "project", image, "runc", profile)
        with (project / "sandboxd.toml").open("a") as config:
            config.write('[network]\nmode = "none"\n')
        sandboxes.grant(project)
        up = sandboxes.run(engine.host, project, "up", "--allow-runc")
        assert up.returncode == 0, up.stderr
        inside = sandboxes.run(engine.host, project, "exec", "--", "sh", "-c", "id -u; echo >~/x")
        assert (inside.returncode, inside.stdout) == (0, "1000\n"), inside.stderr
        drift = json.loads(sandboxes.run(engine.host, project, "drift", "--json").stdout)
        assert drift["drift"] == []
        seen = {each["name"]: each["state"] for each in drift["controls"]}
        assert seen["seccomp"] == seen["capabilities"] == seen["network"] == "in force"
        verified = json.loads(sandboxes.run(engine.host, project, "verify", "--json").stdout)
        outcomes = {each["id"]: each["outcome"] for each in verified["attempts"]}
        assert verified["held"] is True, outcomes
        assert "inconclusive" not in outcomes.values()
        down = sandboxes.run(engine.host, project, "down")
        assert down.returncode == 0, down.stderr
        assert engine.running() == []


def test_podman_with_gvisor_as_its_own_runtime(home: Path) -> None:
    reason = missing_fact("podman", "runsc")
    if reason:
        pytest.skip(f"no Podman with gVisor: {reason}")
    runsc = find_program("runsc")
    flags = [
        "--runtime",
        str(runsc),
        "--runtime-flag",
        "network=host",
        "--runtime-flag",
        "directfs=false",
    ]
    with started(home, podman(home, *flags), home / "podman.sock", user=False) as engine:
        facts = engine.facts()
        assert facts["gvisor"] == "runsc"
        image = import_busybox_image(engine.host)
        project = sandboxes.make_project(home / "project", image, "auto")
        refused = sandboxes.run(engine.host, project, "up")
        assert refused.returncode == 4
        assert "error: this Podman runs every container in gVisor" in refused.stderr
        assert '`[network] mode = "none"`' in refused.stderr
        assert "making the gateway's image" not in refused.stderr, "it is refused at once"
        listed = sandboxes.run(engine.host, project, "list")
        assert str(project) not in listed.stdout, "nothing of the attempt is left"


def podman(home: Path, *flags: str) -> list[str]:
    return [
        *("podman", f"--root={home}/root", f"--runroot={home}/run/podman"),
        f"--network-config-dir={home}/networks",
        *("--cgroup-manager=cgroupfs", "--events-backend=file", *flags),
        *("system", "service", "--time=0", f"unix://{home}/podman.sock"),
    ]
