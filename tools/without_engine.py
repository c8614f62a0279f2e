"""Tries what works without a container engine: `python -m tools.without_engine`, on any system.

Run by .github/workflows/other-systems.yml on macOS and Windows, and by a test here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.lsp_client import frame, read_message

ROOT = Path(__file__).parent.parent
_WEAK = '{\n  "image": "debian:13",\n  "runArgs": ["--privileged"]\n}\n'
_SECONDS = 120


def main() -> None:
    """Try everything.

    :raises AssertionError: something does not work
    """
    with tempfile.TemporaryDirectory() as home:
        project = Path(home).resolve() / "project"
        policy = project.parent / "config" / "sandboxd" / "policy.toml"
        policy.parent.mkdir(parents=True)
        policy.write_text("daemon = false\n", encoding="utf-8")
        (project / ".devcontainer").mkdir(parents=True)
        config = project / ".devcontainer" / "devcontainer.json"
        config.write_text(_WEAK, encoding="utf-8")
        for name, attempt in (
            ("check", _check),
            ("lsp", _lsp),
            ("init and generate", _generate),
            ("doctor and status", _look),
        ):
            attempt(project, config)
            print(f"{name}: works")


def _environ(project: Path) -> dict[str, str]:
    """A home of its own, and an address at which no engine is."""
    home = str(project.parent)
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HOME": home,
        "XDG_CONFIG_HOME": str(project.parent / "config"),
        "USERPROFILE": home,
        "DOCKER_HOST": "tcp://127.0.0.1:1",
    }


def _run(project: Path, *words: str, code: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sandboxd", *words],
        cwd=project,
        env=_environ(project),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_SECONDS,
        check=False,
    )
    said = f"`sandboxd {' '.join(words)}` ended with {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.returncode == code, said
    return done.stdout


def _check(project: Path, config: Path) -> None:
    report = json.loads(_run(project, "check", "--format", "json", code=1))
    found = [each for each in report["findings"] if each["rule"] == "privileged-container"]
    assert found and found[0]["line"] == 3, report
    assert Path(found[0]["path"]) == config.relative_to(project), "paths are relative to the folder"


def _lsp(project: Path, config: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sandboxd", "lsp"],
        cwd=project,
        env=_environ(project),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        document = {"uri": config.as_uri(), "languageId": "jsonc", "version": 1, "text": _WEAK}
        parameters: dict[str, Any] = {
            "processId": None,
            "rootUri": project.as_uri(),
            "capabilities": {},
        }
        first: tuple[dict[str, Any], ...] = (
            {"id": 1, "method": "initialize", "params": parameters},
            {"method": "initialized", "params": {}},
            {"method": "textDocument/didOpen", "params": {"textDocument": document}},
        )
        for message in first:
            server.stdin.write(frame({"jsonrpc": "2.0", **message}))
        server.stdin.flush()
        while (answer := read_message(server.stdout)) is not None:
            if answer.get("method") == "textDocument/publishDiagnostics":
                break
        assert answer is not None, "the server ended without a diagnostic"
        codes = [each["code"] for each in answer["params"]["diagnostics"]]
        assert "privileged-container" in codes, codes
        for message in ({"id": 2, "method": "shutdown"}, {"method": "exit"}):
            server.stdin.write(frame({"jsonrpc": "2.0", **message}))
        server.stdin.flush()
        server.stdout.read()


def _generate(project: Path, _config: Path) -> None:
    _run(project, "init", code=0)
    assert (project / "sandboxd.toml").exists()
    _run(project, "generate", code=0)
    _run(project, "generate", "--check", code=0)


def _look(project: Path, _config: Path) -> None:
    assert json.loads(_run(project, "doctor", "--json", code=4))["engine"]["error"]
    _run(project, "status", code=0)


if __name__ == "__main__":
    main()
