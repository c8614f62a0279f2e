"""The generated devcontainer.json with the real dev container CLI: it starts, and its pins hold."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from sandboxd.engine.client import connect_from
from sandboxd.host.probe import probe
from sandboxd.operations.gateway_start import make_network
from sandboxd.plan.container_name import container_name
from sandboxd.plan.grants import Grants
from sandboxd.plan.writers import engine as engine_writer
from sandboxd.project import Project
from tests.e2e import devcontainer_cli
from tests.e2e.sandboxes import grant, run

pytestmark = [pytest.mark.engine, pytest.mark.node]

ATTACK = """
id -u
echo broken | tee .git/hooks/pre-commit >/dev/null
mv .git moved
echo broken >> sandboxd.toml
touch made-inside
"""


class Workspace:
    def __init__(self, root: Path, engine: str) -> None:
        self.root = root
        self.environ = os.environ | {"DOCKER_HOST": engine}

    def project(self) -> Project:
        return Project.open(str(self.root), self.environ)

    def make_network(self) -> None:
        """Make the network that the generated file names."""
        make_network(connect_from(self.environ), str(self.root), self.environ)

    def cli(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = [devcontainer_cli.program(), command, "--workspace-folder", str(self.root)]
        return subprocess.run(
            [*words, "--docker-path", "docker", *arguments],
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=300,
            check=False,
        )


@pytest.fixture(params=["weather"])
def workspace(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, busybox_image: str
) -> Iterator[Workspace]:
    root = tmp_path / request.param
    (root / ".git/hooks").mkdir(parents=True)
    (root / ".git/hooks/pre-commit").write_text("intact")
    (root / ".git/config").write_text("[core]\n")
    (root / "sandboxd.toml").write_text(f'image = "{busybox_image}"\n')
    for path in (tmp_path, *root.parents[: len(root.parents) - 2]):
        path.chmod(path.stat().st_mode | 0o055)
    for path in (root, *root.rglob("*")):
        os.chown(path, 1000, 1000)
    result = Workspace(root, engine)
    yield result
    with contextlib.closing(docker.DockerClient(base_url=engine)) as client:
        label = {"label": f"dev.sandboxd.project={root}"}
        for container in client.containers.list(all=True, filters=label):
            container.remove(force=True, v=True)


def check_holds(workspace: Workspace) -> None:
    up = workspace.cli("up", "--remove-existing-container")
    assert up.returncode == 0, up.stderr[-2000:]
    assert json.loads(up.stdout.splitlines()[-1])["outcome"] == "success"
    done = workspace.cli("exec", "sh", "-c", ATTACK)
    assert done.stdout.split()[:1] == ["1000"], done.stderr[-2000:]
    root = workspace.root
    assert (root / ".git/hooks/pre-commit").read_text() == "intact"
    assert "broken" not in (root / "sandboxd.toml").read_text()
    assert not (root / "moved").exists()
    assert (root / "made-inside").exists()


# The CLI loses mounts of a path with a comma unless they are written for it.
@pytest.mark.parametrize("workspace", ["weather", "a, b"], indirect=True)
@pytest.mark.gvisor
def test_under_gvisor(workspace: Workspace, engine: str, runsc: str) -> None:
    project = workspace.project()
    host = probe(workspace.environ, trial=True)
    project.generate(host)
    workspace.make_network()
    check_holds(workspace)
    with contextlib.closing(docker.DockerClient(base_url=engine)) as client:
        label = {"label": f"dev.sandboxd.project={workspace.root}"}
        (container,) = client.containers.list(filters=label)
    config = container.attrs["HostConfig"]
    # What lasts is of `sandboxd up` alone.
    body = engine_writer.arguments(project.plan(host)._replace(lasting=()))["HostConfig"]
    for key in ("Runtime", "CapDrop", "CapAdd", "Memory", "Annotations", "Ulimits"):
        assert sorted_(config[key]) == sorted_(body[key]), key
    assert config["NetworkMode"] == container_name(str(workspace.root))
    # One names the gateway as the name server.
    assert len(config["Mounts"]) == len(body["Mounts"]) + 1


def test_under_runc(workspace: Workspace) -> None:
    config = workspace.root / "sandboxd.toml"
    text = 'profile = "agent"\nruntime = "runc"\n' + config.read_text()
    config.write_text(text + '[workspace]\nlayout = "bind"\n')
    grants = Grants(allow_runc=True, trusted=True)
    workspace.project().generate(probe(workspace.environ, trial=True), grants)
    workspace.make_network()
    check_holds(workspace)
    status = workspace.cli("exec", "cat", "/proc/self/status").stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["CapBnd"] == "0000000000000000"
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


# Each is what docs/dev-containers.md says of it, by what the engine then has.
SAME = (
    ("--mount-git-worktree-common-dir",),
    ("--mount-workspace-git-root=false",),
    ("--workspace-mount-consistency", "delegated"),
    ("--gpu-availability", "all"),
    ("--update-remote-user-uid-default", "on"),
    ("--remote-env", "A=b"),
    ("--oci-auth-hardening",),
    ("--frozen-lockfile",),
    ("--skip-post-create",),
)


def test_the_options_of_the_cli_on_the_generated_file(
    workspace: Workspace, engine: str, busybox_image: str, tmp_path: Path, own_home: Path
) -> None:
    config = workspace.root / "sandboxd.toml"
    config.write_text('runtime = "runc"\n' + config.read_text())
    grant(workspace.root)
    grants = Grants(allow_runc=True, trusted=True)
    workspace.project().generate(probe(workspace.environ, trial=True), grants)
    workspace.make_network()

    with contextlib.closing(docker.DockerClient(base_url=engine)) as client:

        def made_with(*options: str) -> dict[str, object]:
            up = workspace.cli("up", "--remove-existing-container", *options)
            assert up.returncode == 0, up.stderr[-2000:]
            made = json.loads(up.stdout.splitlines()[-1])["containerId"]
            host = client.containers.get(made).attrs["HostConfig"]
            return {key: sorted_(value) for key, value in host.items() if key != "ContainerIDFile"}

        usual = made_with()
        assert usual["CapDrop"] == ["ALL"]
        for words in SAME:
            assert made_with(*words) == usual, words
        # One more folder of the host, and nothing else; `drift` names it.
        mount = f"type=bind,source={tmp_path},target=/more"
        mounted = made_with("--mount", mount)
        differs = {key for key in usual if mounted[key] != usual[key]}
        assert differs == {"Mounts"}
        drift = run(engine, workspace.root, "drift")
        assert "mount /more" in drift.stdout and drift.returncode == 6
        # Another file in place of ours: nothing of it holds.
        other = tmp_path / "other.json"
        other.write_text(json.dumps({"image": busybox_image}))
        replaced = made_with("--override-config", str(other))
        assert not replaced["CapDrop"] and not replaced["SecurityOpt"] and not replaced["Memory"]


def sorted_(value: object) -> object:
    return sorted(value, key=str) if isinstance(value, list) else value
