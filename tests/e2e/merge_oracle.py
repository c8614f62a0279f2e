"""Runs the projects of `tests/projects/merge-*` with the real dev container CLI, and says what it made.

`made` is what `docker inspect` shows, `said` what we read in the files: one table of settings each.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from sandboxd.effective.container import effective
from sandboxd.effective.variables import Variables
from sandboxd.files import read_beside, read_source
from sandboxd.kinds import devcontainer
from sandboxd.model.container import Container
from sandboxd.model.files import Files
from sandboxd.model.image_facts import ImageFacts
from sandboxd.sandbox import observe

PROJECTS = Path(__file__).resolve().parents[1] / "projects"
NAMES = sorted(path.name.removeprefix("merge-") for path in PROJECTS.glob("merge-*"))
CLI = "@devcontainers/cli@0.89.0"
HOST = {"MERGE_SET": "from the host", "MERGE_EMPTY": ""}
_LOCAL, _CONFIG = "devcontainer.local_folder", "devcontainer.config_file"
_PROJECT = "com.docker.compose.project"
_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


class Ran(NamedTuple):
    """What the CLI made of a project: its answer, its merged configuration, the containers."""

    folder: Path
    answer: dict[str, Any]
    merged: dict[str, Any]
    inspect: dict[str, Any]
    services: tuple[str, ...]
    images: dict[str, ImageFacts]


class Runner:
    """Makes the containers of all projects in one engine, two at a time."""

    def __init__(self, docker_host: str, folder: Path) -> None:
        self.folder = folder
        self.environ = os.environ | HOST | {"DOCKER_HOST": docker_host}
        for name in [name for name in self.environ if name.startswith("COMPOSE_")]:
            del self.environ[name]
        found = self.run(
            "npm", "exec", "--yes", f"--package={CLI}", "-c", "command -v devcontainer"
        )
        self.cli = found.stdout.strip().splitlines()[-1]

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            words, env=self.environ, capture_output=True, text=True, check=False, timeout=180
        )
        assert not check or done.returncode == 0, (words, done.stderr[-3000:])
        return done

    def all(self) -> dict[str, Ran | AssertionError]:
        """Each project by its name; what went wrong belongs to its own tests."""
        # Features go through an image whose name all projects share: one after the other.
        one = [name for name in NAMES if name.startswith("feature") or name == "compose-feature"]
        two = [name for name in NAMES if name not in one]
        half = (len(NAMES) // 2) - len(one)
        with ThreadPoolExecutor(2) as pool:
            queues = [one + two[:half], two[half:]]
            done = pool.map(lambda names: [(name, self.tried(name)) for name in names], queues)
            return {name: ran for part in done for name, ran in part}

    def tried(self, name: str) -> Ran | AssertionError:
        try:
            return self.one(name)
        except AssertionError as error:
            return error

    def one(self, name: str) -> Ran:
        folder = self.folder / f"merge-{name}"
        shutil.copytree(PROJECTS / folder.name, folder)
        tag = f"sandboxd-merge-{name}:1"
        if (folder / "base/Dockerfile").is_file():
            self.run("docker", "build", "-q", "-t", tag, str(folder / "base"))
        where = ("--workspace-folder", str(folder), "--docker-path", "docker")
        read = self.run(
            self.cli, "read-configuration", "--include-merged-configuration", *where
        ).stdout
        up = self.run(self.cli, "up", *where)
        answer = json.loads(up.stdout.splitlines()[-1])
        inspect = self.json("inspect", answer["containerId"])[0]
        project = inspect["Config"]["Labels"].get(_PROJECT)
        services = self.services(project) if project else ()
        images = {}
        if (folder / "base/Dockerfile").is_file():
            config = self.json("image", "inspect", tag)[0]["Config"]
            label = (config.get("Labels") or {}).get("devcontainer.metadata", "")
            images[tag] = ImageFacts(config.get("User") or "", label)
        merged = json.loads(read)["mergedConfiguration"]
        return Ran(folder, answer, merged, inspect, services, images)

    def services(self, project: str) -> tuple[str, ...]:
        ids = self.run(
            "docker", "ps", "-q", "--filter", f"label={_PROJECT}={project}"
        ).stdout.split()
        labels = [found["Config"]["Labels"] for found in self.json("inspect", *ids)]
        return tuple(sorted(label["com.docker.compose.service"] for label in labels))

    def json(self, *words: str) -> Any:
        return json.loads(self.run("docker", *words).stdout)

    def remove(self, ran: dict[str, Ran | AssertionError]) -> None:
        inspects = [r.inspect for r in ran.values() if isinstance(r, Ran)]
        projects = {i["Config"]["Labels"].get(_PROJECT) for i in inspects} - {None}
        ids = [inspect["Id"] for inspect in inspects]
        for project in projects:
            label = f"label={_PROJECT}={project}"
            ids += self.run("docker", "ps", "-aq", "--no-trunc", "--filter", label).stdout.split()
        self.run("docker", "rm", "-fv", *sorted(set(ids)), check=False)
        for project in projects:
            label = f"label={_PROJECT}={project}"
            self.run("docker", "network", "prune", "-f", "--filter", label, check=False)


def read(ran: Ran) -> Container:
    """The effective container of the project, with what the CLI could know: environment, files, label."""
    environ = HOST | {"HOME": os.environ["HOME"]}
    known = Variables(environ, home=environ["HOME"], files=Files(load=read_beside))
    source = read_source(str(ran.folder / ".devcontainer/devcontainer.json"))
    found = effective(devcontainer.parse(source), known._replace(images=ran.images))
    assert found is not None
    return found


def said(ran: Ran, container: Container) -> dict[str, Any]:
    """Our container as a table; what nobody sets is None, or empty."""
    table = {name: _value(getattr(container, name)) for name in SINGLE}
    table |= {
        "image": "built" if _is_built(ran, container) else _value(container.image),
        "user": _value(container.user) or _value(container.image_user) or "root",
        "remote_user": _remote_user(container),
        "security_opt": {o.value.name: _option(ran, o.value) for o in container.security_opt},
        "mounts": sorted(_mounts(ran, container)),
        "devices": sorted(tuple(device.value) for device in container.devices),
        "env": {pair.value.name: pair.value.value for pair in container.env},
        "ports": sorted(port for value in container.ports for port in _port(value.value)),
        "memory": _bytes(_value(container.memory)),
        "shm_size": _bytes(_value(container.shm_size)),
        "cpus": None if container.cpus is None else float(container.cpus.value),
        "entrypoints": [value.value for value in container.entrypoints],
        "services": sorted(sidecar.name for sidecar in container.sidecars),
    }
    for name in ("annotations", "labels", "ulimits", "sysctls", "extra_hosts"):
        table[name] = sorted(tuple(pair.value) for pair in getattr(container, name))
    for name in ("group_add", "device_cgroup_rules", "volumes_from"):
        table[name] = sorted(value.value for value in getattr(container, name))
    added, dropped = (
        {cap.value for cap in caps} for caps in (container.cap_add, container.cap_drop)
    )
    table |= {"cap_add": sorted(added), "cap_drop": sorted(dropped - added)}
    if table["privileged"] or "host" in (table["pid"], table["ipc"]):
        # The engine's own word for the same: no SELinux label keeps such a container in.
        table["security_opt"].setdefault("label", "disable")
    return table


SINGLE = (
    "runtime", "privileged", "read_only_rootfs", "init", "network", "pid", "ipc", "uts", "userns",
    "cgroupns", "cgroup_parent", "pids_limit", "working_dir", "gpus", "restart", "log_driver",
    "oom_score_adj",
)  # fmt: skip


def made(ran: Ran, plain: dict[str, Any]) -> dict[str, Any]:
    """The engine's container as a table; `plain` is one with nothing set, whose values are defaults."""
    config, host = ran.inspect["Config"], ran.inspect["HostConfig"]
    live = observe.container(ran.inspect)
    labels = config["Labels"]
    added, dropped = ({cap.value for cap in caps} for caps in (live.cap_add, live.cap_drop))
    table: dict[str, Any] = {
        "image": config["Image"],
        "user": config["User"] or "root",
        "remote_user": ran.answer["remoteUser"],
        "security_opt": {o.value.name: o.value.value for o in live.security_opt},
        "mounts": sorted(_live_mount(ran, value.value) for value in live.mounts),
        "devices": sorted(tuple(device.value) for device in live.devices),
        "env": dict(pair.split("=", 1) for pair in config["Env"]),
        "ports": sorted(
            (end["HostIp"], end["HostPort"], inside)
            for inside, ends in (host.get("PortBindings") or {}).items()
            for end in ends
        ),
        "memory": host["Memory"] or None,
        "shm_size": host["ShmSize"],
        "cpus": host["NanoCpus"] / 1e9 or None,
        "pids_limit": host["PidsLimit"] or None,
        "oom_score_adj": host["OomScoreAdj"] or None,
        "working_dir": config["WorkingDir"] or None,
        "cgroup_parent": host["CgroupParent"] or None,
        "gpus": "all" if host.get("DeviceRequests") else None,
        "restart": host["RestartPolicy"]["Name"],
        "log_driver": host["LogConfig"]["Type"],
        "init": host.get("Init") or None,
        "privileged": host["Privileged"] or None,
        "read_only_rootfs": host["ReadonlyRootfs"] or None,
        "network": host["NetworkMode"],
        "runtime": host["Runtime"],
        "pid": host["PidMode"] or None,
        "ipc": host["IpcMode"],
        "uts": host["UTSMode"] or None,
        "userns": host["UsernsMode"] or None,
        "cgroupns": host["CgroupnsMode"],
        "annotations": sorted((host.get("Annotations") or {}).items()),
        "labels": sorted(
            (name, value)
            for name, value in labels.items()
            if not name.startswith(("devcontainer.", "com.docker.compose."))
        ),
        "ulimits": sorted(
            (u["Name"], f"{u['Soft']}:{u['Hard']}") for u in host.get("Ulimits") or ()
        ),
        "sysctls": sorted((host.get("Sysctls") or {}).items()),
        "extra_hosts": sorted(tuple(h.split(":", 1)) for h in host.get("ExtraHosts") or ()),
        "group_add": sorted(host.get("GroupAdd") or ()),
        "device_cgroup_rules": sorted(host.get("DeviceCgroupRules") or ()),
        "volumes_from": sorted(host.get("VolumesFrom") or ()),
        "cap_add": sorted(added),
        # The engine keeps what is named in both, and gives it.
        "cap_drop": sorted(dropped - added),
        "entrypoints": _entrypoints(config),
        "services": sorted(set(ran.services) - {labels.get("com.docker.compose.service")}),
    }
    project = labels.get(_PROJECT)
    if project and table["network"] == f"{project}_default":
        table["network"] = plain.get("network")
    if table["image"].startswith(("vsc-", f"{project}-")):
        table["image"] = "built"
    return table


def differences(
    ours: dict[str, Any], theirs: dict[str, Any], plain: dict[str, Any]
) -> dict[str, Any]:
    """Where the two differ. What we leave to the engine may have the value that it always has."""
    assert ours.keys() == theirs.keys()
    found = {}
    for name, mine in ours.items():
        real = theirs[name]
        if name == "env":
            real = {
                key: value
                for key, value in real.items()
                if (key, value) not in plain["env"].items() or key in mine
            }
        if mine != real and not (mine in (None, False) and real in (None, False, plain.get(name))):
            found[name] = (mine, real)
    return found


def merged(container: Container) -> dict[str, Any]:
    """What of our container the CLI has in its merged configuration, by its names there."""

    def of(values: Any, key: str) -> list[Any]:
        kinds = ("file", "label", "feature")
        return [v for v in values if v.origin.key == key and v.origin.kind in kinds]

    env = [v for v in of(container.env, "containerEnv") if v.origin.kind != "feature"]
    caps = [cap.written for cap in of(container.cap_add, "capAdd")]
    return {
        "privileged": bool(of([v for v in (container.privileged,) if v], "privileged")),
        "init": bool(of([v for v in (container.init,) if v], "init")),
        "capAdd": list(dict.fromkeys(caps)),
        "securityOpt": [option.written for option in of(container.security_opt, "securityOpt")],
        "mounts": [mount.value.target for mount in of(container.mounts, "mounts")],
        "containerEnv": {pair.value.name: pair.value.value for pair in env},
        "remoteEnv": {pair.value.name: pair.value.value for pair in container.remote_env},
        "remoteUser": _value(container.remote_user),
        "entrypoints": [value.value for value in container.entrypoints],
    }


def as_merged(answer: dict[str, Any]) -> dict[str, Any]:
    """The CLI's merged configuration in the shape of :func:`merged`."""
    empty: dict[str, Any] = {"capAdd": [], "securityOpt": [], "mounts": [], "entrypoints": []}
    names = (*empty, "privileged", "init", "containerEnv", "remoteEnv", "remoteUser")
    found = {name: answer.get(name, empty.get(name)) for name in names}
    found["mounts"] = [_target(mount) for mount in found["mounts"]]
    return found


def _target(mount: Any) -> str:
    if isinstance(mount, dict):
        return str(mount["target"])
    match = re.search(r"(?:target|dst|destination)=([^,]*)", mount)
    return match[1] if match else ""


def _value(value: Any) -> Any:
    return None if value is None else value.value


def _is_built(ran: Ran, container: Container) -> bool:
    """Whether the tools make an image of their own: for a Dockerfile, Features, another uid."""
    keeps = (
        '"updateRemoteUserUID": false'
        in (ran.folder / ".devcontainer/devcontainer.json").read_text()
    )
    keeps = keeps or any(
        '"updateRemoteUserUID": false' in (f.metadata or "") for f in ran.images.values()
    )
    other = _remote_user(container) not in ("root", "0", "1000") and not keeps
    return container.build is not None or bool(container.features) or other


def _remote_user(container: Container) -> str:
    user = container.remote_user or container.user or container.image_user
    return "root" if _value(user) in (None, "", "0") else str(_value(user))


def _option(ran: Ran, option: Any) -> str:
    if option.name != "seccomp" or option.value == "unconfined":
        return str(option.value)
    return observe.seccomp_identity((ran.folder / option.value).read_text())


def _mounts(ran: Ran, container: Container) -> list[tuple[Any, ...]]:
    found = [tuple(value.value) for value in container.mounts]
    text = (ran.folder / ".devcontainer/devcontainer.json").read_text()
    if not container.sidecars and "dockerComposeFile" not in text and "workspaceMount" not in text:
        # The tools' own mount of the project, which no file names: `Container.workspace`.
        name = os.path.basename(container.workspace or "")
        found.append(("bind", container.workspace, f"/workspaces/{name}", False, ()))
    labels = ran.inspect["Config"]["Labels"]
    number = _number({key: labels[key] for key in (_CONFIG, _LOCAL)})
    return [
        (kind, source.replace("${devcontainerId}", number), target, read_only, _options(options))
        for kind, source, target, read_only, options in found
    ]


def _options(options: tuple[str, ...]) -> tuple[str, ...]:
    """Without what the engine does not show, or always says."""
    return tuple(o for o in options if not o.startswith(("consistency=", "ro=")) and o != "cached")


def _live_mount(ran: Ran, mount: Any) -> tuple[Any, ...]:
    project = ran.inspect["Config"]["Labels"].get(_PROJECT)
    source = mount.source.removeprefix(f"{project}_") if mount.type == "volume" else mount.source
    if mount.type == "volume" and re.fullmatch(r"[0-9a-f]{64}", source):
        source = ""
    return (mount.type, source, mount.target, mount.read_only, _options(mount.options))


def _number(labels: dict[str, str]) -> str:
    """`${devcontainerId}`: a hash of the labels that the CLI finds the container by, in base 32."""
    digest = hashlib.sha256(json.dumps(labels, separators=(",", ":"), sort_keys=True).encode())
    number, text = int(digest.hexdigest(), 16), ""
    while number:
        number, digit = divmod(number, 32)
        text = "0123456789abcdefghijklmnopqrstuv"[digit] + text
    return text.rjust(52, "0")


def _port(text: str) -> list[tuple[str, str, str]]:
    """The bindings of `[[address:]outside:]inside`, ranges one by one."""
    *address, inside = text.split(":")
    outside = address.pop() if address else ""
    inner, outer = _range(inside), _range(outside) if outside else []
    return [
        (address[0] if address else "", outer[at] if outer else "", f"{port}/tcp")
        for at, port in enumerate(inner)
    ]


def _range(text: str) -> list[str]:
    first, _, last = text.partition("-")
    return [str(number) for number in range(int(first), int(last or first) + 1)]


def _bytes(text: str | None) -> int | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)([bkmg]?)", text)
    assert match is not None, text
    return int(match[1]) * _UNITS[match[2]]


def _entrypoints(config: dict[str, Any]) -> list[str]:
    """Those in the script with which the CLI keeps a container alive."""
    words = [*(config["Entrypoint"] or ()), *(config["Cmd"] or ())]
    script = next(word for word in words if 'exec "$@"' in word)
    between = script.split('trap "exit 0" 15')[1].split('exec "$@"')[0]
    return [line.strip() for line in between.splitlines() if line.strip()]
