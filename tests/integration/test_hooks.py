"""The hook for pre-commit and the GitHub Action: they call what there is, on files that are ours."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sandboxd import formats
from sandboxd.cli.main import build_parser, load_command

ROOT = Path(__file__).resolve().parents[2]
HOOK = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())[0]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())


@pytest.mark.parametrize(
    "name",
    [
        ".devcontainer/devcontainer.json", ".devcontainer.json", "sandboxd.toml",
        "docker-compose.yml", "compose.override.yaml", "Dockerfile", "docker/dev.Dockerfile",
        "seccomp/my-seccomp.json", ".devcontainer/devcontainer-lock.json",
        "src/tool/devcontainer-feature.json", "etc/docker/daemon.json",
    ],
)  # fmt: skip
def test_the_hook_runs_on_files_of_ours(name: str) -> None:
    assert re.search(HOOK["files"], name)
    assert formats.find(name) is not None


@pytest.mark.parametrize("name", ["package.json", "my-devcontainer.json.md", "src/main.py"])
def test_the_hook_leaves_others_alone(name: str) -> None:
    assert not re.search(HOOK["files"], name)


def test_the_hook_is_a_command_line_that_there_is() -> None:
    program, command, *_ = shlex.split(HOOK["entry"])
    assert program == "sandboxd"
    build_parser(command, load_command(command)).parse_args(["a", "b"])


def test_the_action_checks(tmp_path: Path) -> None:
    """Its second step, run as a runner would, with the program of this checkout."""
    (tmp_path / "devcontainer.json").write_text('{"image": "a", "privileged": true}')
    program = tmp_path / "runner" / "sandboxd" / "bin" / "sandboxd"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sandboxd "$@"\n')
    program.chmod(0o755)
    step = ACTION["runs"]["steps"][1]
    defaults = {name: given["default"] for name, given in ACTION["inputs"].items()}
    environ = dict(os.environ, RUNNER_TEMP=str(tmp_path / "runner"))
    for name, value in step["env"].items():
        environ[name] = defaults[value.removeprefix("${{ inputs.").removesuffix(" }}")]
    environ["PATHS"] = "devcontainer.json"
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error file=devcontainer.json,line=1,")


def test_no_input_is_pasted_into_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
