"""Runs the projects of `tests/projects/merge-*` with the real dev container CLI, and says what it made."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sandboxd.model.image_facts import ImageFacts
from sandboxd.observe import inspection
from tests.e2e import devcontainer_cli
from tests.merge_projects import HOST, NAMES, PROJECTS, options_of

if TYPE_CHECKING:
    from sandboxd.model.engine_answers import Inspected

_LABELS = ("devcontainer.config_file", "devcontainer.local_folder")
_PROJECT = "com.docker.compose.project"
DEFAULTS = ("cgroupns", "ipc", "log_driver", "network", "restart", "runtime", "shm_size")
"""Settings that an engine has a value for when nobody names one."""


class Ran(NamedTuple):
    """What the CLI made of a project: its answer, its merged configuration, the containers."""

    folder: Path
    answer: dict[str, Any]
    merged: dict[str, Any]
    inspect: dict[str, Any]
    services: tuple[str, ...]
    images: dict[str, ImageFacts]


class Runner:
    """Makes the containers of all projects in one engine, a few at a time."""

    def __init__(self, docker_host: str, folder: Path) -> None:
        self.folder = folder
        self.environ = os.environ | HOST | {"DOCKER_HOST": docker_host}
        for name in [name for name in self.environ if name.startswith("COMPOSE_")]:
            del self.environ[name]
        self.cli = devcontainer_cli.program()

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            words, env=self.environ, capture_output=True, text=True, check=False, timeout=300
        )
        assert not check or done.returncode == 0, (words, done.stderr[-3000:])
        return done

    def all(self) -> dict[str, Ran | AssertionError]:
        """Each project by its name; what went wrong belongs to its own tests."""
        # Features go through an image whose name all projects share: one after the other.
        one = [name for name in NAMES if name.startswith("feature") or name == "compose-feature"]
        rest = [name for name in NAMES if name not in one]
        with ThreadPoolExecutor(3) as pool:
            first = pool.submit(lambda: [self.tried(name) for name in one])
            others = list(pool.map(self.tried, rest))
            return dict(zip([*one, *rest], [*first.result(), *others], strict=True))

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
        labels = [container["Config"]["Labels"] for container in self.json("inspect", *ids)]
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


def create_request(ran: Ran) -> dict[str, Any]:
    """The engine's container as a table, with the keys of `merge_projects.settings`."""
    config, host = ran.inspect["Config"], ran.inspect["HostConfig"]
    live = inspection.container(cast("Inspected", ran.inspect))
    labels = config["Labels"]
    added, dropped = ({cap.value for cap in caps} for caps in (live.cap_add, live.cap_drop))
    table: dict[str, Any] = {
        "image": config["Image"],
        "user": config["User"] or "root",
        "remote_user": ran.answer["remoteUser"],
        "security_opt": {o.value.name: o.value.value for o in live.security_opt},
        "mounts": sorted(_mount(ran, value.value) for value in live.mounts),
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
        # A network of the project's own is what Compose has for a default.
        table["network"] = None
    if table["image"].startswith(("vsc-", f"{project}-")):
        table["image"] = "built"
    return table


def record(ran: Ran, plain: dict[str, Any]) -> dict[str, Any]:
    """What is kept of it: the images, the merged configuration, the settings that no plain one has."""
    table = create_request(ran)
    settings = {
        name: value for name, value in table.items() if name not in plain or value != plain[name]
    }
    if "env" in settings:
        settings["env"] = {
            k: v for k, v in table["env"].items() if plain.get("env", {}).get(k) != v
        }
    values = {
        "images": {name: facts._asdict() for name, facts in ran.images.items()},
        "merged": as_merged(ran.merged),
        "settings": settings,
    }
    portable: dict[str, Any] = json.loads(json.dumps(values).replace(str(ran.folder), "${PROJECT}"))
    return portable


def as_merged(answer: dict[str, Any]) -> dict[str, Any]:
    """The CLI's merged configuration in the shape of :func:`merged`."""
    empty: dict[str, Any] = {"capAdd": [], "securityOpt": [], "mounts": [], "entrypoints": []}
    names = (*empty, "privileged", "init", "containerEnv", "remoteEnv", "remoteUser")
    merged = {name: answer.get(name, empty.get(name)) for name in names}
    merged["mounts"] = [_target(mount) for mount in merged["mounts"] or ()]
    return merged


def _target(mount: Any) -> str:
    if isinstance(mount, dict):
        return str(mount["target"])
    match = re.search(r"(?:target|dst|destination)=([^,]*)", mount)
    return match[1] if match else ""


def _mount(ran: Ran, mount: Any) -> list[Any]:
    """A mount without what is another one at each run: names that Compose and the CLI put together."""
    labels = ran.inspect["Config"]["Labels"]
    source = mount.source
    if mount.type == "volume":
        source = source.removeprefix(f"{labels.get(_PROJECT)}_")
        number = _number({key: labels[key] for key in _LABELS})
        source = (
            ""
            if re.fullmatch(r"[0-9a-f]{64}", source)
            else source.replace(number, "${devcontainerId}")
        )
    return [mount.type, source, mount.target, mount.read_only, options_of(mount.options)]


def _number(labels: dict[str, str]) -> str:
    """`${devcontainerId}`: a hash of the labels that the CLI finds the container by, in base 32."""
    digest = hashlib.sha256(json.dumps(labels, separators=(",", ":"), sort_keys=True).encode())
    number, text = int(digest.hexdigest(), 16), ""
    while number:
        number, digit = divmod(number, 32)
        text = "0123456789abcdefghijklmnopqrstuv"[digit] + text
    return text.rjust(52, "0")


def _entrypoints(config: dict[str, Any]) -> list[str]:
    """Those in the script with which the CLI keeps a container alive."""
    words = [*(config["Entrypoint"] or ()), *(config["Cmd"] or ())]
    script = next(word for word in words if 'exec "$@"' in word)
    between = script.split('trap "exit 0" 15')[1].split('exec "$@"')[0]
    return [line.strip() for line in between.splitlines() if line.strip()]
