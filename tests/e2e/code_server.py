"""A real VS Code with the packaged extension, in a browser: the server, and what plays a scenario in it.

The scenarios are in tests/e2e/vscode.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE, eventually
from tests.ports import pick_port
from tools import editors
from tools.engine import processes

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


class CodeServer:
    """A running VS Code; every program named `sandboxd` that it starts is written down."""

    def __init__(self, base: Path, shots: Path, docker_host: str) -> None:
        self.base = base
        self.shots = shots
        self.calls = base / "calls"
        self.restricted = base / "unknown"
        self.settings = base / "data" / "User" / "settings.json"
        self.port = pick_port()
        self._environ = self._environment(docker_host)

        self.settings.parent.mkdir(parents=True)
        self.settings.write_text(json.dumps(SETTINGS))

    def install(self, vsix: Path) -> None:
        assert "successfully installed" in self._extensions("--install-extension", str(vsix))

    def uninstall(self, extension: str) -> None:
        assert "successfully uninstalled" in self._extensions("--uninstall-extension", extension)

    def _extensions(self, *words: str) -> str:
        done = subprocess.run(
            [*self._command(), *words],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        return done.stdout + done.stderr

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
            timeout=10 * PATIENCE,
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
        script(tools / "devcontainer", f'exec "{editors.DEVCONTAINER}" "$@"')
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
        def log() -> str:
            return (self.base / "log").read_text()[-2000:]

        def answers() -> bool:
            assert server.poll() is None, log()
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=20).close()
                return True
            return False

        eventually(answers, log, 5 * PATIENCE)


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
