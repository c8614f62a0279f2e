"""A real VS Code with the packaged extension, used by hand in a browser.

The scenarios are in tests/e2e/vscode. Pictures of what they saw are in SANDBOXD_SCREENSHOTS, or
below the temporary folder; docs/images has two of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.e2e import devcontainer_cli, sandboxes
from tests.e2e.code_server import CodeServer, code, script, shots
from tests.patience import PATIENCE
from tests.ports import pick_port
from tools import editors

__all__ = ["code", "shots"]

pytestmark = pytest.mark.node


def test_the_units_of_the_extension() -> None:
    reason = editors.lacks("extension")
    if reason:
        pytest.skip(f"no extension to test: {reason}")
    done = subprocess.run(
        ["npm", "test"], cwd=editors.EXTENSION, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


WEAK = """{
  "image": "debian:13",
  "remoteUser": "dev",
  "runArgs": [
    "--privileged", // for the tests
    "--memory=2g"
  ],
  // the API needs it
  "mounts": ["source=/var/run/docker.sock,target=/var/run/docker.sock,type=bind"]
}
"""


def test_a_weak_project_is_fixed_until_no_problem_is_left(code: CodeServer, tmp_path: Path) -> None:
    file = tmp_path / "weak" / ".devcontainer" / "devcontainer.json"
    file.parent.mkdir(parents=True)
    file.write_text(WEAK)
    played = code.play("fix", file.parents[1])
    assert len(played["before"]) == len(played["titles"]) == 2
    assert "every capability and every device" in played["hover"]
    assert (played["after"], played["squiggles"]) == ([], 0)
    assert played["text"] == file.read_text()
    assert "docker.sock" not in played["text"] and "--privileged" not in played["text"]
    assert "// the API needs it" in played["text"] and '"--memory=2g"' in played["text"]
    assert "no sandbox" in played["shield"]


def test_an_untrusted_folder_is_checked_and_nothing_runs(code: CodeServer) -> None:
    folder = code.restricted
    evil = f'echo "evil: $0" >> "{code.calls}"'
    for place in ("bin", ".venv/bin", "node_modules/.bin"):
        script(folder / place / "sandboxd", evil)
    settings = {"sandboxd.path": str(folder / "bin" / "sandboxd")}
    (folder / ".vscode").mkdir()
    (folder / ".vscode/settings.json").write_text(json.dumps(settings))
    (folder / ".devcontainer").mkdir()
    (folder / ".devcontainer/devcontainer.json").write_text('{"runArgs": ["--privileged"]}\n')
    try:
        played = code.play("restricted", folder)
        called = code.called()
    finally:
        shutil.rmtree(folder)
    assert f"{code.base / 'home'} lsp --stdio --no-daemon" in called
    assert [call for call in called if "evil" in call or str(folder) in call] == []
    assert played["squiggles"] >= 1
    assert "no sandbox is started" in played["welcome"]
    assert "sandboxd: Show Log" in played["offered"]
    assert not {"Start Sandbox", "Create sandboxd.toml", "Verify Sandbox"} & {
        title.removeprefix("sandboxd: ") for title in played["offered"]
    }
    assert "restricted" in played["shield"]


@pytest.mark.engine
@pytest.mark.gvisor
def test_the_shield_follows_what_runs(
    code: CodeServer, demo_project: Path, busybox_image: str
) -> None:
    assert busybox_image in (demo_project / ".devcontainer/devcontainer.json").read_text()
    # A workspace of root's keeps root inside, and then not every attempt is held.
    for path in (demo_project, *demo_project.rglob("*")):
        os.chown(path, 1000, 1000)
    for path in demo_project.parents[: len(demo_project.parents) - 2]:
        path.chmod(path.stat().st_mode | 0o055)
    played = code.play("sandbox", demo_project)
    assert "gVisor" in played["running"]
    held = played["hover"].partition("In force: ")[2].partition("\n")[0]
    assert "own kernel" in held.split(", ")
    rows = played["rows"]
    # What was shown first, then what is not well, what is in order last.
    words = ("Held", "control files", "Findings", "In force")
    places = [next(n for n, row in enumerate(rows) if row.startswith(word)) for word in words]
    assert places == sorted(places)
    assert [row for row in rows if row.startswith("read-only /")] == []
    assert played["headline"] == "The sandbox held against every attempt that applies"
    assert played["attempts"] > 40


@pytest.fixture
def weather(code: CodeServer, tmp_path: Path, busybox_image: str) -> Iterator[Path]:
    """A project whose sandbox runs, on the host's kernel."""
    project = sandboxes.make_project(tmp_path / "weather", busybox_image, "runc", granted=False)
    code.run("trust", "add", "--yes", folder=project)
    code.run("up", folder=project)
    try:
        yield project
    finally:
        code.run("down", folder=project)


@pytest.mark.engine
def test_ports_are_seen_opened_and_closed(code: CodeServer, weather: Path) -> None:
    (weather / "index.html").write_text("sunny\n")
    port = pick_port()
    code.run("exec", "--", "httpd", "-p", f"127.0.0.1:{port}", "-h", ".", folder=weather)
    played = code.play("ports", weather, number=port)
    row, opened, closed = played["rows"]
    assert row == closed == f"{port}httpd, inside only"
    address = played["address"].removeprefix("http://")
    assert opened == f"{port}{address} httpd"
    assert played["page"] == "sunny\n"
    # Only this machine reaches it, and a browser is sent to nothing else.
    assert re.fullmatch(r"127\.0\.0\.1:\d+", address)
    assert address.rpartition(":")[2] in played["browser"]


@pytest.fixture
def config(code: CodeServer, weather: Path) -> Path:
    """The file that is generated beside the one that a person wrote."""
    code.run("down", folder=weather)
    assert (weather / ".devcontainer/devcontainer.json").read_text() == "{}\n"
    return weather / ".devcontainer/sandboxd/devcontainer.json"


@pytest.mark.engine
def test_reopening_starts_the_generated_file_by_the_reference_cli(
    code: CodeServer, weather: Path, config: Path, engine: str
) -> None:
    devcontainer_cli.program()
    played = code.play(
        "reopen",
        weather,
        name="reopen-cli",
        question="Start the dev container of weather?",
        answer="the dev container of weather runs",
    )
    assert "which would move it inside, is not installed" in played["asked"]
    with contextlib.closing(docker.DockerClient(base_url=engine, timeout=PATIENCE)) as client:
        label = f"devcontainer.config_file={config}"
        (container,) = client.containers.list(filters={"label": label})
        try:
            assert "no-new-privileges" in str(container.attrs["HostConfig"]["SecurityOpt"])
        finally:
            container.remove(force=True)


DEV_CONTAINERS = """
const vscode = require('vscode');
exports.activate = () => vscode.commands.registerCommand('remote-containers.reopenInContainer', async (...given) => {
    const found = await vscode.workspace.findFiles('.devcontainer/sandboxd/devcontainer.json');
    void vscode.window.showInformationMessage(`stand-in: ${given.length} arguments, ${found.length} generated`);
});
"""
"""Stands for the extension Dev Containers, which is in no registry of packages: its command, and how it is called."""


@pytest.mark.engine
def test_reopening_is_left_to_dev_containers_where_it_is(
    code: CodeServer, weather: Path, config: Path, tmp_path: Path
) -> None:
    manifest = {"name": "remote-containers", "publisher": "ms-vscode-remote", "version": "0.1.0"}
    manifest |= {"engines": {"vscode": "^1.91.0"}, "main": "main.js", "activationEvents": ["*"]}
    vsix = tmp_path / "stand-in.vsix"
    with zipfile.ZipFile(vsix, "w") as archive:
        archive.writestr("extension/package.json", json.dumps(manifest))
        archive.writestr("extension/main.js", DEV_CONTAINERS)
    code.install(vsix)
    try:
        played = code.play(
            "reopen",
            weather,
            name="reopen-dev-containers",
            question="Reopen in the sandbox?",
            answer="stand-in:",
        )
    finally:
        code.uninstall("ms-vscode-remote.remote-containers")
    # Two files are there, so a person is told which one is the sandbox.
    assert "Choose the configuration that sandboxd wrote" in played["asked"]
    assert "stand-in: 0 arguments, 1 generated" in played["said"]
    assert config.read_text().startswith("// Generated by sandboxd")


@pytest.mark.engine
def test_output_is_followed_until_the_sandbox_ends(code: CodeServer, weather: Path) -> None:
    # The main process sleeps; what is written to its stream is its output.
    ticks = "n=0; while n=$((n+1)); do printf '\\033[31mtick\\033[0m %d\\n' $n; sleep 1; done"
    loop = f"({ticks}) > /proc/1/fd/1 2>&1 < /dev/null &"
    code.run("exec", "-n", "--", "sh", "-c", loop, folder=weather)
    played = code.play("logs", weather)
    first, later = played["ticks"]
    assert later > first
    assert (
        played["last"]
        == '-- sandboxd: the sandbox ended; "sandboxd: Show Logs of Sandbox" looks again'
    )
    assert not [line for line in played["lines"] if "[31m" in line]


def test_trust_is_given_to_what_was_shown(code: CodeServer, tmp_path: Path) -> None:
    project = tmp_path / "weather"
    project.mkdir()
    config = 'image = "img:1"\nprofile = "trusted"\n'
    (project / "sandboxd.toml").write_text(config)
    played = code.play("trust", project)
    assert re.search(r"no new privileges\n +true\n", played["before"])
    assert re.search(r"no new privileges\n +false\n", played["after"])
    assert "does not ask for what was looked at" in played["refused"]
    # Grants of other projects are no business of this one.
    before, after = (
        [line for line in text.splitlines() if line.startswith(f"{project}:")]
        for text in played["listed"]
    )
    assert (before, after) == ([], [f"{project}: profile trusted: in force"])
    assert (project / "sandboxd.toml").read_text() == config


FORECASTER = """
title = "Forecaster"
source = "https://example.org/forecaster"
program = "sh"

[command]
start = ["-c", "true"]
print = ["-c", '''
echo "task: $1"
echo "echo and sunny" >> weather.sh
echo new > added.txt
mkdir -p .github/workflows
echo "on: push" > .github/workflows/x.yml
while sleep 1; do :; done
''', "sh", "{task}"]
"""


@pytest.mark.engine
@pytest.mark.gvisor
def test_what_an_agent_did_is_seen_and_brought(
    code: CodeServer, demo_project: Path, busybox_image: str
) -> None:
    (demo_project / "sandboxd.toml").write_text('profile = "agent"\n')
    for path in (demo_project, *demo_project.rglob("*")):
        os.chown(path, 1000, 1000)
    agents = code.base / "home/.config/sandboxd/agents"
    agents.mkdir(parents=True)
    (agents / "forecaster.toml").write_text(FORECASTER)
    try:
        played = code.play("agent", demo_project)
        assert "at work for" in played["working"]
        # What acts on the host comes first, and is not chosen.
        listed = ("Acts on this machine0 of 1", "x.ymlCI", "Files2 of 2", "added.txt", "weather.sh")
        rows = played["rows"][-len(listed) :]
        assert [
            row for row, text in zip(rows, listed, strict=True) if not row.startswith(text)
        ] == []
        assert played["brought"].endswith("echo and sunny\n")
        assert "not those that were looked at" in played["refused"].replace("\n", " ")
        assert (demo_project / "weather.sh").read_text() == played["brought"]
        assert not (demo_project / "added.txt").exists()
        assert not (demo_project / ".github").exists()
    finally:
        code.run("down", "--name", "forecaster", "--discard", folder=demo_project)
