"""What Compose itself makes of a project is what we read in it, service by service."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandboxd.files import read_beside, read_source
from sandboxd.formats import compose
from sandboxd.formats.resolved.container import containers
from sandboxd.formats.resolved.variables import Variables
from sandboxd.model.container import Build, Container
from sandboxd.model.files import Files
from tests.e2e.compose_projects import PROJECTS
from tests.spellings import respelled

COMPOSE = shutil.which("docker-compose")
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
ENVIRON = {"HOME": "/home/dev", "TAG": "7", "PATH": os.environ["PATH"]}

# Our field -> Compose's key, for what has one value.
TEXTS = {
    "image": "image",
    "user": "user",
    "pid": "pid",
    "ipc": "ipc",
    "uts": "uts",
    "network": "network_mode",
    "userns": "userns_mode",
    "cgroupns": "cgroup",
    "runtime": "runtime",
    "working_dir": "working_dir",
    "privileged": "privileged",
    "read_only_rootfs": "read_only",
    "init": "init",
}


def ours(container: Container) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for field, key in TEXTS.items():
        value = getattr(container, field)
        if value is not None and value.value not in (False, ""):
            settings[key] = value.value
    for field in ("cap_add", "cap_drop", "group_add"):
        values = [str(value.value) for value in getattr(container, field)]
        if values:
            settings[field] = sorted(set(values))
    settings["security_opt"] = sorted(
        {f"{o.value.name}={o.value.value}" for o in container.security_opt}
    )
    # We leave a home `~`, since rules speak of whoever's it is.
    sources = [m.value.source.replace("~", ENVIRON["HOME"], 1) for m in container.mounts]
    settings["volumes"] = sorted(
        (m.value.type, source if m.value.type == "bind" else "", m.value.target)
        for m, source in zip(container.mounts, sources, strict=True)
        if m.origin.key == "volumes"
    )
    settings["read-only"] = sorted(m.value.target for m in container.mounts if m.value.read_only)
    settings["env"] = sorted(pair.value.name for pair in container.env)
    settings["devices"] = sorted((d.value.source, d.value.target) for d in container.devices)
    settings["annotations"] = sorted(pair.value for pair in container.annotations)
    settings["labels"] = sorted(pair.value for pair in container.labels)
    settings["ports"] = sorted(port.value for port in container.ports)
    settings["ulimits"] = sorted(pair.value for pair in container.ulimits)
    for field in ("pids_limit", "oom_score_adj"):
        value = getattr(container, field)
        settings[field] = None if value is None else value.value
    settings["extra_hosts"] = sorted(tuple(host.value) for host in container.extra_hosts)
    driver = container.log_driver
    options = sorted(tuple(option.value) for option in container.log_options)
    settings["logging"] = (None if driver is None else driver.value, options)
    build = container.build.value if container.build is not None else Build()
    # We keep a variable that only the host knows.
    args = [(name, "" if value == f"${{{name}}}" else value) for (name, value), *_ in build.args]
    settings["build args"] = sorted(args)
    words = dict(option.value for option in build.options)
    settings["build network"] = words.get("network")
    settings["build privileged"] = words.get("allow") == "security.insecure"
    return settings


def theirs(service: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key in TEXTS.values():
        if service.get(key) not in (None, False, ""):
            values[key] = service[key]
    for key in ("cap_add", "cap_drop", "group_add"):
        if service.get(key):
            values[key] = sorted({str(item).removeprefix("CAP_") for item in service[key]})
    values["security_opt"] = sorted(
        {option.replace(":", "=", 1) for option in service.get("security_opt", ())}
    )
    volumes = service.get("volumes", ())
    values["volumes"] = sorted(
        (v["type"], v.get("source", "") if v["type"] == "bind" else "", v["target"])
        for v in volumes
    )
    values["read-only"] = sorted(v["target"] for v in volumes if v.get("read_only"))
    values["env"] = sorted(service.get("environment") or ())
    values["devices"] = sorted((d["source"], d["target"]) for d in service.get("devices", ()))
    values["annotations"] = sorted((service.get("annotations") or {}).items())
    # `config` writes a file that may be read again, so a `$` is doubled once more.
    labels = (service.get("labels") or {}).items()
    values["labels"] = sorted((name, value.replace("$$", "$")) for name, value in labels)
    values["ports"] = sorted(_port(port) for port in service.get("ports", ()))
    limits = service.get("ulimits", {}).items()
    values["ulimits"] = sorted(
        (name, f"{v['soft']}:{v['hard']}" if isinstance(v, dict) else str(v)) for name, v in limits
    )
    values["oom_score_adj"] = service.get("oom_score_adj")
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    values["pids_limit"] = service.get("pids_limit", limits.get("pids"))
    values["extra_hosts"] = sorted(
        {tuple(host.replace("=", ":", 1).split(":", 1)) for host in service.get("extra_hosts", ())}
    )
    logging = service.get("logging", {})
    values["logging"] = (logging.get("driver"), sorted((logging.get("options") or {}).items()))
    values["build args"] = sorted((service.get("build", {}).get("args") or {}).items())
    values["build network"] = service.get("build", {}).get("network")
    values["build privileged"] = bool(service.get("build", {}).get("privileged"))
    return values


def _port(port: dict[str, Any]) -> str:
    ends = (port.get("host_ip"), port.get("published"), str(port["target"]))
    protocol = "" if port["protocol"] == "tcp" else f"/{port['protocol']}"
    return ":".join(end for end in ends if end) + protocol


def config(path: Path) -> dict[str, Any] | None:
    """Compose's own answer, None where it refuses the project."""
    if COMPOSE is None:
        pytest.skip("docker-compose is not installed: `apt-get install docker-compose`")
    done = subprocess.run(
        [COMPOSE, "--profile", "*", "config", "--format", "json"],
        cwd=path.parent,
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return json.loads(done.stdout)["services"] if done.returncode == 0 else None


def read(path: Path) -> dict[str, Container]:
    variables = Variables(ENVIRON, home=ENVIRON["HOME"], files=Files(load=read_beside))
    variables = variables._replace(realpath=None)
    document = compose.parse(read_source(str(path)))
    return {container.name: container for container in containers(document, variables)}


def difference(path: Path) -> dict[str, Any] | None:
    """What we and Compose read differently; None where Compose refuses the project."""
    asked = config(path)
    if asked is None:
        return None
    services = read(path)
    differs: dict[str, Any] = {}
    if set(services) != set(asked):
        differs["services"] = (sorted(services), sorted(asked))
    for name in set(services) & set(asked):
        mine, its = ours(services[name]), theirs(asked[name])
        # What only an environment file or a Dockerfile adds is read by neither alone.
        for key in sorted({*mine, *its}):
            if mine.get(key) != its.get(key):
                differs[f"{name}.{key}"] = (mine.get(key), its.get(key))
    return differs


@pytest.mark.parametrize("name", PROJECTS)
def test_compose_reads_the_project_as_we_do(name: str, tmp_path: Path) -> None:
    folder = tmp_path.resolve() / "project"
    for path, text in PROJECTS[name].items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / ".git").mkdir()
    assert difference(folder / next(iter(PROJECTS[name]))) == {}


@pytest.mark.parametrize("seed", range(int(os.environ.get("SANDBOXD_MUTATIONS", "2"))))
def test_compose_reads_other_spellings_as_we_do(seed: int, tmp_path: Path) -> None:
    compared = 0
    for number, (name, files) in enumerate(PROJECTS.items()):
        chance = random.Random(f"{name}/{seed}")
        folder = tmp_path.resolve() / str(number) / "project"
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(respelled(text, "compose", chance, 3) if "yml" in path else text)
        (folder / ".git").mkdir()
        first = folder / next(iter(files))
        first.write_text(respelled(files[first.name], "compose", chance, 3))
        differs = difference(first)
        if differs is not None:
            compared += 1
            assert differs == {}, first.read_text()
    assert compared > len(PROJECTS) / 3


def test_compose_reads_real_projects_as_we_do(tmp_path: Path) -> None:
    if not CORPUS.is_dir():
        pytest.skip("no corpus of real projects beside the checkout")
    compared = 0
    for index, path in enumerate(sorted(CORPUS.rglob("docker-compose.yml"))[::2]):
        folder = tmp_path.resolve() / str(index) / "p" / ".devcontainer"
        shutil.copytree(path.parent, folder)
        differs = difference(folder / path.name)
        if differs is not None:
            compared += 1
            left = {
                key: value
                for key, value in differs.items()
                if not key.endswith((".env", ".user", ".working_dir"))
            }
            assert left == {}, path
    assert compared >= 8
