"""One plan, four writers, one container: what the engine makes of each is the same.

`engine` is what `sandboxd up` sends, `argv` the printed `docker run` line, `devcontainer` the
generated file as the dev container CLI
and `devcontainer-rs` use it, `compose` the generated service as `docker compose`
does. What differs is named in DIFFERENCES, with the reason, and nothing else may.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine
from sandboxd.host.facts import HostFacts
from sandboxd.life import find, up_down
from sandboxd.model.labels import PROFILE, PROJECT
from sandboxd.operations.gateway import end_unused
from sandboxd.operations.gateway_start import make_network
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.writers import argv
from sandboxd.project import Project
from sandboxd.state.subnets import subnet_of
from tests.e2e import devcontainer_cli, sandboxes, taken_addresses

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

RS = os.path.join(os.path.dirname(sys.executable), "devcontainer")

# Settings whose value is another under a writer, and why that is no loss.
_BY_A_FILE = {
    "mount /etc/resolv.conf": "a generated file in place of one of the state folder",
    "mount /usr/local/bin/sandboxd-ask": "only `up` brings it",
    "env npm_config_noproxy": "only `up` knows which names its gateway lets through",
}
# Volumes that belong to a user are made by `up` alone, and a generated file lies in the repository,
# where a name and an e-mail address are no one's business.
_ONLY_UP = {
    "mount /sandboxd/caches": "a volume of this sandbox",
    "env PIP_CACHE_DIR": "a folder of that volume",
    "env UV_CACHE_DIR": "a folder of that volume",
    "env npm_config_cache": "a folder of that volume",
    "env CARGO_HOME": "a folder of that volume",
    "env GOMODCACHE": "a folder of that volume",
    "env GOCACHE": "a folder of that volume",
    "env MAVEN_ARGS": "a folder of that volume",
    "env HISTFILE": "a file of that volume",
    "git safe.directory": "it stands beside the name and the e-mail of the user's git",
}
DIFFERENCES: dict[str, dict[str, str]] = {
    "argv": {**_BY_A_FILE, **_ONLY_UP},
    "devcontainer": {
        **_BY_A_FILE,
        **_ONLY_UP,
        "Config.Cmd": "the CLI keeps the container alive by a loop of its own",
        "Config.Entrypoint": "the CLI keeps the container alive by a loop of its own",
    },
    "devcontainer-rs": {
        **_BY_A_FILE,
        **_ONLY_UP,
        "Config.Cmd": "it keeps the container alive by a loop of its own",
    },
    "compose": {
        **_ONLY_UP,
        "HostConfig.NetworkMode": "a network of the project, so that its services meet",
    },
}

# What `docker run` sends whatever it is told, or what only names the container.
_NOISE = {
    "HostConfig.AutoRemove", "HostConfig.ConsoleSize", "HostConfig.ContainerIDFile",
    "HostConfig.LogConfig", "HostConfig.RestartPolicy", "HostConfig.Binds", "HostConfig.Mounts",
    "HostConfig.PortBindings", "HostConfig.CgroupnsMode", "Config.Hostname", "Config.Labels",
    "Config.AttachStdout", "Config.AttachStderr", "Config.OpenStdin", "Config.StdinOnce",
    "Config.Env",
}  # fmt: skip


@pytest.fixture
def asked_for_is_taken(tmp_path: Path, own_home: Path, api: Engine) -> Iterator[None]:
    """The addresses that the project of this test asks for first are another network's."""
    with taken_addresses.taken(api, subnet_of(os.environ, str(tmp_path / "w"))):
        yield


@pytest.fixture
def project(
    tmp_path: Path, busybox_image: str, runtime: str, api: Engine, asked_for_is_taken: None
) -> Iterator[Project]:
    root = sandboxes.make_project(tmp_path / "w", busybox_image, runtime, "untrusted")
    (root / "sandboxd.toml").write_text(
        f'image = "{busybox_image}"\nruntime = "{runtime}"\n[environment]\nA = "costs $5 {{x}}"\n'
    )
    sandboxes.grant(root)
    (root / ".devcontainer/devcontainer.json").unlink()
    # Under gVisor its tree is kept in memory: a mount that all writers have to make alike.
    (root / "package.json").write_text("{}")
    for path in (tmp_path, *root.parents[: len(root.parents) - 2]):
        path.chmod(path.stat().st_mode | 0o055)
    # Of this environment: the state folder has the subnet that the engine gave.
    yield Project.open(str(root), os.environ)
    end_unused(api, str(root), os.environ, forget=True)


def docker(host: str, *words: str, cwd: str | None = None) -> str:
    own = os.path.dirname(sys.executable)
    environ = os.environ | {"DOCKER_HOST": host, "PATH": f"{own}:{os.environ['PATH']}"}
    done = subprocess.run(
        words, env=environ, cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, (words, done.stderr[-1500:])
    return done.stdout


def flat(inspect: dict[str, Any]) -> dict[str, str]:
    """What counts, by name; mounts by their target, as the engine made them."""
    values = {}
    for part in ("HostConfig", "Config"):
        for key, value in inspect[part].items():
            name = f"{part}.{key}"
            if value not in (None, "", [], {}, 0, False) and name not in _NOISE:
                values[name] = shown(value)
    for mount in inspect["Mounts"]:
        keys = ("Type", "Name" if mount["Type"] == "volume" else "Source", "RW")
        # A volume, as of a part of the workspace, has none of its own: the engine takes its default.
        spread = mount.get("Propagation") or "rprivate"
        row = {key: mount.get(key) for key in keys} | {"Propagation": spread}
        values[f"mount {mount['Destination']}"] = shown(row)
    env = dict(variable.split("=", 1) for variable in inspect["Config"]["Env"])
    for number in range(int(env.pop("GIT_CONFIG_COUNT", "0"))):
        setting = env.pop(f"GIT_CONFIG_KEY_{number}")
        values[f"git {setting}"] = env.pop(f"GIT_CONFIG_VALUE_{number}")
    values.update((f"env {name}", value) for name, value in env.items())
    for name, value in inspect["Config"]["Labels"].items():
        if name in (PROJECT, PROFILE):
            values[f"label {name}"] = value
    return values


def shown(value: Any) -> str:
    if isinstance(value, list):
        value = sorted(value, key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(value, list) and value and str(value[-1]).startswith("seccomp="):
        value[-1] = "seccomp=" + json.dumps(json.loads(value[-1][8:]), sort_keys=True)
    return json.dumps(value, sort_keys=True)


def plan_on_network(project: Project, api: Engine, facts: HostFacts) -> Plan:
    """The plan once the project's network is there, whose addresses no other network can take.

    Before that the plan names those that are asked for, and the engine may give others.
    """
    plan = project.plan(facts, Grants(allow_runc=True))
    if plan.inner is None:
        return plan
    make_network(api, project.workspace, os.environ)
    return project.plan(facts, Grants(allow_runc=True))


def made_by(writer: str, project: Project, api: Engine, facts: HostFacts) -> dict[str, str]:
    plan = plan_on_network(project, api, facts)
    if plan.compose is not None:
        # There only `up` makes a gateway; compared is what both make.
        plan = plan._replace(egress=None)
    root, name = project.workspace, plan.container.name
    if writer == "engine":
        running = sandboxes.up(api, plan, lambda _: None)
        try:
            return flat(api.inspect(running.id))
        finally:
            up_down.down(api, root, lambda _: None)
    if writer == "argv":
        lines = printed(api.host, project.workspace)
        container = docker(api.host, "sh", "-c", lines).strip()
        assert shlex.split(lines.splitlines()[-1]) == argv.render(plan)
        try:
            return flat(api.inspect(container))
        finally:
            api.remove(container)
    project.generate(facts, Grants(allow_runc=True))
    if writer.startswith("devcontainer"):
        client = [devcontainer_cli.program()] if writer == "devcontainer" else [RS]
        words = [*client, "up", "--workspace-folder", root, "--docker-path", "docker"]
        container = json.loads(docker(api.host, *words).splitlines()[-1])["containerId"]
        try:
            return flat(api.inspect(container))
        finally:
            api.remove(container)
    files = ["-f", "docker-compose.yml", "-f", ".devcontainer/sandboxd/docker-compose.sandboxd.yml"]
    compose = ["docker", "compose", "-p", name.lower(), *files]
    docker(api.host, *compose, "up", "-d", cwd=root)
    try:
        container = docker(api.host, *compose, "ps", "-q", "app", cwd=root).strip()
        return flat(api.inspect(container))
    finally:
        docker(api.host, *compose, "down", "-t", "1", cwd=root)


def printed(host: str, root: str) -> str:
    """What `sandboxd explain-plan --docker-run` prints: what the mounts need, then the container."""
    done = sandboxes.run(host, Path(root), "explain-plan", "--docker-run")
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def use_compose(root: Path) -> None:
    (root / ".devcontainer/devcontainer.json").write_text(
        '{"dockerComposeFile": "../docker-compose.yml", "service": "app", "workspaceFolder": "/w"}'
    )
    (root / "docker-compose.yml").write_text(
        "services:\n  app:\n    image: ignored\n    privileged: true\n    pid: host\n"
        "    cap_add: [SYS_ADMIN]\n    command: sleep 999\n"
        "    volumes: ['.:/w', '/var/run/docker.sock:/s']\n"
    )


@pytest.mark.node
@pytest.mark.parametrize("writer", DIFFERENCES)
def test_writers_agree(writer: str, project: Project, api: Engine, host_facts: HostFacts) -> None:
    if writer == "compose":
        use_compose(Path(project.workspace))
    # As long as a generated file names the network, `down` leaves it with its addresses.
    project.generate(host_facts, Grants(allow_runc=True))
    expected = made_by("engine", project, api, host_facts)
    values = made_by(writer, project, api, host_facts)
    different = {
        key: (expected.get(key), values.get(key))
        for key in expected.keys() | values.keys()
        if expected.get(key) != values.get(key)
    }
    assert different.keys() == DIFFERENCES[writer].keys(), different


# One of each: the CLI takes seconds, and the runtimes were compared above.
@pytest.mark.node
@pytest.mark.parametrize("runtime", [pytest.param("gvisor", marks=pytest.mark.gvisor)])
def test_the_editors_way_to_a_copy(
    project: Project, api: Engine, host_facts: HostFacts, runtime: str
) -> None:
    """Profile `untrusted` by the dev container CLI: the copy is made before anything else runs."""
    root = Path(project.workspace)
    text = (root / "sandboxd.toml").read_text()
    (root / "sandboxd.toml").write_text('profile = "untrusted"\n' + text)
    (root / ".devcontainer/devcontainer.json").write_text(
        '{"onCreateCommand": "cat main.py > first", "postCreateCommand": "touch ~/second"}'
    )
    project = Project.open(str(root), os.environ)
    project.generate(host_facts, Grants(allow_runc=True))
    before = sandboxes.tree(root)
    config_file = str(root / ".devcontainer/sandboxd/devcontainer.json")
    client = [devcontainer_cli.program()]
    where = ["--workspace-folder", str(root), "--config", config_file, "--docker-path", "docker"]
    docker(api.host, *client, "up", *where)
    try:
        script = "cat first; ls ~; pwd; id -u; echo bad > main.py"
        output = docker(api.host, *client, "exec", *where, "sh", "-c", script)
        assert output.split() == ["print('hello')", "second", "/workspaces/w", "1000"]
        assert sandboxes.tree(root) == before
    finally:
        for container in find.project_containers(api, str(root)):
            api.remove(container.id)


@pytest.mark.node
@pytest.mark.parametrize("runtime", ["runc"])
def test_the_editors_way_to_a_compose_service(
    project: Project, api: Engine, host_facts: HostFacts, runtime: str
) -> None:
    root = Path(project.workspace)
    use_compose(root)
    project.generate(host_facts, Grants(allow_runc=True))
    config_file = str(root / ".devcontainer/sandboxd/devcontainer.json")
    client = [devcontainer_cli.program()]
    where = ["--workspace-folder", str(root), "--config", config_file, "--docker-path", "docker"]
    # First, for nothing starts beside a sandbox that can write the same folder.
    expected = made_by("engine", project, api, host_facts)
    output = docker(api.host, *client, "up", *where)
    answer = json.loads(output.splitlines()[-1])
    try:
        values = flat(api.inspect(answer["containerId"]))
        different = {k for k in expected.keys() | values.keys() if expected.get(k) != values.get(k)}
        assert different == {"Config.Entrypoint", "HostConfig.NetworkMode", *_ONLY_UP}
        attack = "id -u; echo x > .git/hooks/pre-commit; mv .git g; touch new"
        inside = docker(api.host, *client, "exec", *where, "sh", "-c", f"({attack}) 2>/dev/null")
        assert inside.split() == ["1000"]
        assert (root / "new").exists() and not (root / "g").exists()
        assert list((root / ".git/hooks").iterdir()) == []
    finally:
        api.remove(answer["containerId"])
        docker(api.host, "docker", "network", "rm", f"{answer['composeProjectName']}_default")
