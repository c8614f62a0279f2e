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
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import sandboxes
from tests.e2e.test_forward import free_port
from tests.patience import PATIENCE
from tools import editors
from tools.engine import processes

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = Path(__file__).parent / "vscode"

SETTINGS = {
    "chat.disableAIFeatures": True,
    "editor.minimap.enabled": False,
    "extensions.autoCheckUpdates": False,
    "git.enabled": False,
    "json.schemaDownload.enable": False,
    "security.workspace.trust.startupPrompt": "always",
    "telemetry.telemetryLevel": "off",
    "terminal.integrated.gpuAcceleration": "off",  # its text is then in the page
    "window.autoDetectColorScheme": True,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}

pytestmark = pytest.mark.node


class CodeServer:
    """A running VS Code; every program named `sandboxd` that it starts is written down."""

    def __init__(self, base: Path, shots: Path, docker_host: str) -> None:
        self.base = base
        self.shots = shots
        self.calls = base / "calls"
        self.restricted = base / "unknown"
        self.settings = base / "data" / "User" / "settings.json"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._environ = self._environment(docker_host)

    def install(self, vsix: Path) -> None:
        self.settings.parent.mkdir(parents=True)
        self.settings.write_text(json.dumps(SETTINGS))
        done = subprocess.run(
            [*self._command(), "--install-extension", str(vsix)],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert "successfully installed" in done.stdout, done.stdout + done.stderr

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with (self.base / "log").open("w") as log:
            server = subprocess.Popen(
                [*self._command(), "--bind-addr", f"127.0.0.1:{self.port}", "--auth", "none"],
                env=self._environ,
                cwd=self.base,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait(server)
            yield
        finally:
            # Left alone it would keep its extension hosts for hours.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(PATIENCE)
            # What is ended may just have started another one.
            while ours := processes.with_home(str(self.base / "home")):
                processes.end(ours)

    def play(self, scenario: str, folder: Path, **more: Any) -> dict[str, Any]:
        """What `scenario` returns.

        :param more: what else it is to know
        """
        given = {
            **more,
            "port": self.port,
            "folder": str(folder),
            "shots": str(self.shots),
            "playwright": str(editors.PLAYWRIGHT),
            "chromium": shutil.which("chromium"),
        }
        done = subprocess.run(
            [str(editors.NODE), str(SCENARIOS / f"{scenario}.mjs")],
            env={**self._environ, "SCENARIO": json.dumps(given)},
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE,
            check=False,
        )
        self._close_windows()
        assert done.returncode == 0, f"{done.stderr}\npictures: {self.shots}\n{self._log()}"
        played: dict[str, Any] = json.loads(done.stdout)
        return played

    def run(self, *arguments: str, folder: Path) -> None:
        """`sandboxd` in the environment of the editor."""
        done = subprocess.run(
            [str(self.base / "bin" / "sandboxd"), *arguments],
            cwd=folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _close_windows(self) -> None:
        """End what belongs to the window: code-server waits for hours for it to come back."""
        ours = processes.with_home(str(self.base / "home"))
        processes.end(
            [pid for pid in ours if "--type=extensionHost" in " ".join(processes.command_line(pid))]
        )

    def _log(self) -> str:
        """What the extension wrote, and what it started."""
        logs = [path.read_text() for path in sorted(self.base.rglob("*sandboxd*.log"))]
        return "\n".join([*logs, "called:", *self.called()])

    def called(self) -> list[str]:
        """Folder and arguments of each call of `sandboxd` so far."""
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def _command(self) -> list[str]:
        folders = ["--user-data-dir", str(self.base / "data")]
        folders += ["--extensions-dir", str(self.base / "extensions")]
        quiet = ["--config", str(self.base / "config.yaml")]
        quiet += ["--disable-telemetry", "--disable-update-check"]
        return [str(editors.NODE), str(editors.CODE_SERVER), *quiet, *folders]

    def _environment(self, docker_host: str) -> dict[str, str]:
        tools = self.base / "bin"
        tools.mkdir()
        program = Path(sys.executable).parent / "sandboxd"
        script(tools / "sandboxd", f'echo "$PWD $*" >> "{self.calls}"\nexec "{program}" "$@"')
        home = self.base / "home"
        runtime = home / "run"
        runtime.mkdir(parents=True)
        runtime.chmod(0o700)
        # A program inside the folder comes first, as a careless shell configuration would have it.
        folders = [str(self.restricted / "bin"), str(tools), str(editors.NODE.parent)]
        path = os.pathsep.join([*folders, "/usr/bin", "/bin"])
        # VS Code asks a login shell for the environment, and /etc/profile sets PATH anew.
        (home / ".profile").write_text(f'export PATH="{path}"\n')
        return {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "PATH": path,
            "SHELL": "/bin/sh",
            "LANG": "C.UTF-8",
            "DOCKER_HOST": docker_host,
        }

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and server.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2).close()
                return
            time.sleep(0.1)
        pytest.fail(f"code-server does not answer: {(self.base / 'log').read_text()[-2000:]}")


def script(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = os.environ.get("SANDBOXD_SCREENSHOTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def code(request: pytest.FixtureRequest, homes: Path, shots: Path) -> Iterator[CodeServer]:
    reason = editors.lacks("vscode", "extension", "chromium")
    if reason:
        pytest.skip(f"no VS Code for tests: {reason}")
    try:
        docker_host = str(request.getfixturevalue("engine"))
    except pytest.skip.Exception:
        docker_host = f"unix://{homes}/no-engine.sock"
    base = Path(tempfile.mkdtemp(dir=homes))
    server = CodeServer(base, shots, docker_host)
    server.install(packaged())
    with server.running():
        yield server


def packaged() -> Path:
    """The extension, packaged as for a release."""
    done = subprocess.run(
        ["npm", "run", "package"],
        cwd=editors.EXTENSION,
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return editors.EXTENSION / "dist" / "sandboxd.vsix"


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


@pytest.mark.engine
def test_ports_are_seen_opened_and_closed(
    code: CodeServer, tmp_path: Path, busybox_image: str
) -> None:
    project = sandboxes.make_project(tmp_path / "weather", busybox_image, "runc", granted=False)
    (project / "index.html").write_text("sunny\n")
    code.run("trust", "add", folder=project)
    port = free_port()
    try:
        code.run("up", folder=project)
        code.run("exec", "--", "httpd", "-p", f"127.0.0.1:{port}", "-h", ".", folder=project)
        played = code.play("ports", project, number=port)
        row, opened, closed = played["rows"]
        assert row == closed == f"{port}httpd, inside only"
        address = played["address"].removeprefix("http://")
        assert opened == f"{port}{address} httpd"
        assert played["page"] == "sunny\n"
        # Only this machine reaches it, and a browser is sent to nothing else.
        assert re.fullmatch(r"127\.0\.0\.1:\d+", address)
        assert address.rpartition(":")[2] in played["browser"]
    finally:
        code.run("down", folder=project)


@pytest.mark.engine
@pytest.mark.gvisor
def test_what_an_agent_did_is_seen_and_brought(
    code: CodeServer, demo_project: Path, busybox_image: str
) -> None:
    (demo_project / "sandboxd.toml").write_text('profile = "agent"\n')
    for path in (demo_project, *demo_project.rglob("*")):
        os.chown(path, 1000, 1000)
    change = "echo 'echo and sunny' >> weather.sh; mkdir .github; echo on: push > .github/x.yml"
    try:
        code.run("up", folder=demo_project)
        code.run("exec", "--", "sh", "-c", change, folder=demo_project)
        played = code.play("agent", demo_project)
        assert ".github/x.yml" in played["marked"]
        assert (demo_project / "weather.sh").read_text().endswith("echo and sunny\n")
        assert not (demo_project / ".github").exists()
    finally:
        code.run("down", "--discard", folder=demo_project)
