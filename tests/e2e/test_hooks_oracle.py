"""Hooks of Features, a label and a config: `sandboxd up` runs them as the dev container CLI does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT
from sandboxd.plan.lasting import Lasting, variables
from tests.e2e import sandboxes
from tests.e2e.merge_oracle import Runner
from tests.e2e.rich_image import Rich

pytestmark = [pytest.mark.engine, pytest.mark.node, pytest.mark.usefixtures("shared_cache")]

LABELLED = "sandboxd-hooks-labelled:1"
STAGES = (
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)
CACHES = variables([Lasting("caches", "", "")], [])
OWN = {
    *("HOSTNAME", "SANDBOXD_HOOK", "TERM", "SHLVL", "_", "OLDPWD"),
    *(line.partition("=")[0] for line in CACHES),
}
"""Of each way to run: the container's id, our mark, a terminal, the shells that were in between."""


def hooks(source: str) -> dict[str, Any]:
    """Each stage writes who it is of, with where, as whom, and the environment."""
    script = "echo {}; pwd; id -un; env | sort; echo"
    return {stage: f"({script.format(f'{stage} {source}')}) >> ../hooks.log" for stage in STAGES}


@pytest.fixture(scope="module")
def labelled(engine: str, rich: Rich, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with hooks in its label, and with shells that have an environment of their own."""
    folder = tmp_path_factory.mktemp("labelled")
    label = json.dumps([{**hooks("label"), "remoteEnv": {"A": "label", "B": "label"}}])
    (folder / "Dockerfile").write_text(
        f"FROM {rich.image}\n"
        "RUN echo 'export FROM_PROFILE=yes PATH=/home/dev/bin:/usr/bin' >/home/dev/.profile && "
        "echo 'export FROM_RC=yes' >/home/dev/.bashrc\n"
        "ENV FROM_IMAGE=yes PATH=/opt/tool/bin:/usr/bin\n"
        f"LABEL devcontainer.metadata='{label}'\n"
    )
    words = ["docker", "-H", engine, "build", "-q", "-t", LABELLED, str(folder)]
    subprocess.run(words, check=True, capture_output=True)
    return LABELLED


def make(folder: Path, image: str, runtime: str) -> Path:
    """The same project for both; the user exists in the image by name."""
    sandboxes.make_project(folder, image, runtime)
    (folder / "sandboxd.toml").write_text(f'runtime = "{runtime}"\n')
    (folder / "app").mkdir()
    feature = folder / ".devcontainer/own"
    feature.mkdir()
    (feature / "install.sh").write_text("#!/bin/sh\ntrue\n")
    description = {"id": "own", "version": "1.0.0", "name": "Own", **hooks("feature")}
    (feature / "devcontainer-feature.json").write_text(json.dumps(description))
    config = {
        "image": image,
        "workspaceFolder": "/workspaces/${localWorkspaceFolderBasename}/app",
        "features": {"./own": {}},
        "remoteUser": "dev",
        "containerUser": "dev",
        "updateRemoteUserUID": False,
        "containerEnv": {"FROM_CONFIG": "yes"},
        "remoteEnv": {"B": "file", "C": "${containerEnv:FROM_IMAGE}-${containerEnv:NO:none}"},
        **hooks("file"),
    }
    (folder / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
    sandboxes.give_to_user(folder)
    return folder


@pytest.fixture
def reference(engine: str, labelled: str, tmp_path: Path) -> Iterator[str]:
    """What the dev container CLI's hooks wrote."""
    runner = Runner(engine, tmp_path)
    folder = make(tmp_path / "reference/ws", labelled, "runc")
    up = runner.run(runner.cli, "up", "--workspace-folder", str(folder))
    yield (folder / "hooks.log").read_text()
    runner.run("docker", "rm", "-f", json.loads(up.stdout.splitlines()[-1])["containerId"])


def parsed(log: str) -> list[tuple[str, str, str, dict[str, str]]]:
    """Of each hook: its name, folder, user, and environment without what a plan adds for its own sake."""
    runs = []
    for block in log.strip().split("\n\n"):
        name, folder, user, *env = block.splitlines()
        variables = dict(line.partition("=")[::2] for line in env)
        own = {
            name: value
            for name, value in variables.items()
            if name not in OWN and "proxy" not in name.lower() and not name.startswith("GIT_CONFIG")
        }
        runs.append((name, folder, user, own))
    return runs


def test_order_folder_user_and_environment_are_the_same(
    engine: str, api: Engine, labelled: str, reference: str, tmp_path: Path, runtime: str
) -> None:
    folder = make(tmp_path / "ours/ws", labelled, runtime)
    if runtime == "runc":
        sandboxes.grant(folder)
    try:
        assert sandboxes.run(engine, folder, "trust", "add", "--yes").returncode == 0
        done = sandboxes.run(engine, folder, "up")
        assert done.returncode == 0, done.stderr
        ours, theirs = parsed((folder / "hooks.log").read_text()), parsed(reference)
        assert [run[0] for run in theirs] == [
            f"{stage} {source}" for stage in STAGES for source in ("label", "feature", "file")
        ]
        for mine, reference_run in zip(ours, theirs, strict=True):
            # The CLI changes files of the image for it; we change none, and put folders in.
            path, other = (run[3].pop("PATH").split(":") for run in (mine, reference_run))
            assert [folder for folder in path if folder in other] == other
        assert ours == theirs
        env = ours[0][3]
        assert (env["FROM_PROFILE"], env["FROM_CONFIG"]) == ("yes", "yes")
        assert (env["A"], env["B"], env["C"]) == ("label", "file", "yes-none")
    finally:
        sandboxes.run(engine, folder, "down")
    assert api.containers(f"{PROJECT}={folder}") == []


ODD = {
    "SPACES": "  value with  lots of spaces. ",
    "QUOTES": "value with \"quotes\" and 'single ones'",
    "DOLLAR": "value with $dollar, ${brace} and $$two",
    "BACKSLASH": "C:\\temp\\new\\",
    "SHELL_MARKS": "`id`;a/t?h&^%#@!*|>x",
    "LINES": '{\n  "fo$o": "ba\'r"\n}',
    "EMPTY": "",
}
"""Values that a shell, a command line or a Dockerfile would read as something else."""


def make_odd(folder: Path, image: str) -> Path:
    """A project whose hooks, several side by side, write what they see of variables of such values."""
    sandboxes.make_project(folder, image, "runc")
    (folder / "sandboxd.toml").write_text('runtime = "runc"\n')
    config = {
        "image": image,
        "remoteUser": "dev",
        "containerUser": "dev",
        "updateRemoteUserUID": False,
        "runArgs": ["-e", "OF_ARGUMENT=of an argument"],
        "containerEnv": ODD,
        "remoteEnv": {
            **{f"REMOTE_{name}": value for name, value in ODD.items()},
            "COPIED": "${containerEnv:OF_ARGUMENT} ${containerEnv:SPACES}",
        },
        "postCreateCommand": {
            "text": "env -0 >text.log",
            "list": ["sh", "-c", "env -0 >list.log"],
        },
    }
    (folder / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
    sandboxes.give_to_user(folder)
    return folder


@pytest.mark.parametrize("runtime", ["runc"], indirect=True)
@pytest.mark.usefixtures("runtime")
def test_values_arrive_as_they_are_written_whatever_is_in_them(
    engine: str, rich: Rich, tmp_path: Path
) -> None:
    runner = Runner(engine, tmp_path)
    theirs = make_odd(tmp_path / "reference/ws", rich.image)
    up = runner.run(runner.cli, "up", "--workspace-folder", str(theirs))
    runner.run("docker", "rm", "-f", json.loads(up.stdout.splitlines()[-1])["containerId"])
    ours = make_odd(tmp_path / "ours/ws", rich.image)
    sandboxes.grant(ours)
    try:
        assert sandboxes.run(engine, ours, "trust", "add", "--yes").returncode == 0
        done = sandboxes.run(engine, ours, "up")
        assert done.returncode == 0, done.stderr
        for name in ("text.log", "list.log"):
            assert values(ours / name) == values(theirs / name)
        seen = values(ours / "text.log")
        assert {name: seen[name] for name in ODD} == ODD
        assert {name: seen[f"REMOTE_{name}"] for name in ODD} == ODD
        assert seen["COPIED"] == f"of an argument {ODD['SPACES']}"
    finally:
        sandboxes.run(engine, ours, "down")


def values(log: Path) -> dict[str, str]:
    """The variables of the config that a hook had, as `env -0` wrote them."""
    variables = (entry.partition("=") for entry in log.read_text().split("\0"))
    ours = {*ODD, *(f"REMOTE_{name}" for name in ODD), "OF_ARGUMENT", "COPIED"}
    return {name: value for name, _, value in variables if name in ours}
