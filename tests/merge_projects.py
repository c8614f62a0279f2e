"""The small projects of `tests/projects/merge-*`, one for each oddity of how a container is put together.

`made.json` of each is what `docker inspect` showed of the container that the dev container CLI made
of it (`pytest tests/e2e/test_merge_oracle.py --update` writes it); `settings` is what we read in its files.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from sandboxd.files import read_beside, read_source
from sandboxd.formats import devcontainer
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.variables import Variables
from sandboxd.model.container import Container
from sandboxd.model.files import Files
from sandboxd.model.image_facts import ImageFacts
from sandboxd.observe import inspection

PROJECTS = Path(__file__).resolve().parent / "projects"
NAMES = sorted(path.name.removeprefix("merge-") for path in PROJECTS.glob("merge-*"))
HOST = {"MERGE_SET": "from the host", "MERGE_EMPTY": ""}
_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_NOT_KNOWN = re.compile(r"^Not known: `(\w+)`: ", re.MULTILINE)


def recorded(name: str) -> dict[str, Any]:
    """`made.json` of a project."""
    record: dict[str, Any] = json.loads((PROJECTS / f"merge-{name}/made.json").read_text())
    return record


def images(record: dict[str, Any]) -> dict[str, ImageFacts]:
    return {name: ImageFacts(**facts) for name, facts in record["images"].items()}


def unknown(name: str) -> set[str]:
    """The settings that the project says nobody can know from its files."""
    return set(_NOT_KNOWN.findall((PROJECTS / f"merge-{name}/README.md").read_text()))


def lost(name: str) -> set[str]:
    """What the CLI merges, and docker then never sees."""
    text = (PROJECTS / f"merge-{name}/README.md").read_text()
    match = re.search(r"^Lost: (.*)$", text, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", match[1])) if match else set()


def read(folder: Path, known: dict[str, ImageFacts]) -> Container:
    """The effective container of a project, with what the CLI could know: environment, files, labels."""
    environ = HOST | {"HOME": "/home/nobody"}
    variables = Variables(environ, home=environ["HOME"], files=Files(load=read_beside))
    source = read_source(str(folder / ".devcontainer/devcontainer.json"))
    container = effective(devcontainer.parse(source), variables._replace(images=known))
    assert container is not None
    return container


def settings(folder: Path, container: Container) -> dict[str, Any]:
    """Our container as a table; what nobody sets is None, or empty."""
    table = {name: _value(getattr(container, name)) for name in SINGLE}
    table |= {
        "image": "built" if _is_built(folder, container) else _value(container.image),
        "user": _value(container.user) or _value(container.image_user) or "root",
        "remote_user": _remote_user(container),
        "security_opt": {o.value.name: _option(folder, o.value) for o in container.security_opt},
        "mounts": sorted(_mounts(folder, container)),
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
    text = json.dumps(table).replace(str(folder), "${PROJECT}")
    values: dict[str, Any] = json.loads(text)
    return values


SINGLE = (
    "runtime", "privileged", "read_only_rootfs", "init", "network", "pid", "ipc", "uts", "userns",
    "cgroupns", "cgroup_parent", "pids_limit", "working_dir", "gpus", "restart", "log_driver",
    "oom_score_adj",
)  # fmt: skip


def differences(ours: dict[str, Any], name: str, record: dict[str, Any]) -> dict[str, Any]:
    """Where we and the engine differ: (ours, its). What nobody sets may have its usual value."""
    plain = recorded("plain")["settings"]
    real = plain | record["settings"]
    real["env"] = {**plain["env"], **record["settings"].get("env", {})}
    mine = ours | {"env": {**plain["env"], **ours["env"]}}
    assert mine.keys() == real.keys(), name
    return {
        key: (mine[key], real[key])
        for key in mine
        if mine[key] != real[key]
        and not (mine[key] in (None, False) and real[key] in (None, False, plain[key]))
    }


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


def _value(value: Any) -> Any:
    return None if value is None else value.value


def _is_built(folder: Path, container: Container) -> bool:
    """Whether the tools make an image of their own: for a Dockerfile, Features, another uid."""
    keeps = (
        '"updateRemoteUserUID": false' in (folder / ".devcontainer/devcontainer.json").read_text()
    )
    label = container.image_label.value.text if container.image_label is not None else ""
    keeps = keeps or '"updateRemoteUserUID": false' in label
    other = _remote_user(container) not in ("root", "0", "1000") and not keeps
    return container.build is not None or bool(container.features) or other


def _remote_user(container: Container) -> str:
    user = container.remote_user or container.user or container.image_user
    return "root" if _value(user) in (None, "", "0") else str(_value(user))


def _option(folder: Path, option: Any) -> str:
    if option.name != "seccomp" or option.value == "unconfined":
        return str(option.value)
    return inspection.seccomp_identity((folder / option.value).read_text())


def _mounts(folder: Path, container: Container) -> list[list[Any]]:
    mounts: list[Any] = [tuple(value.value) for value in container.mounts]
    text = (folder / ".devcontainer/devcontainer.json").read_text()
    if not container.sidecars and "dockerComposeFile" not in text and "workspaceMount" not in text:
        # The tools' own mount of the project, which no file names: `Container.workspace`.
        name = os.path.basename(container.workspace or "")
        mounts.append(("bind", container.workspace, f"/workspaces/{name}", False, ()))
    return [[*mount[:4], options_of(mount[4])] for mount in mounts]


def options_of(options: tuple[str, ...]) -> list[str]:
    """Without what the engine does not show, or always says."""
    return [o for o in options if not o.startswith(("consistency=", "ro=")) and o != "cached"]


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
