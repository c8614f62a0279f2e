"""Run the benchmarks: start-up of `check` and of `status` with a running daemon.

Exit 1 with `--strict` when a budget is not kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

from benchmarks.measure import Command, compare, table

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="measurements of each command")
    parser.add_argument("--strict", action="store_true", help="a missed budget is a failure")
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sandboxd-bench-")
    sandboxd = os.path.join(os.path.dirname(sys.executable), "sandboxd")
    try:
        project = shutil.copytree(f"{ROOT}/tools/demo/project", f"{folder}/weather")
        environment = _environment(folder)
        _quiet([sandboxd, "init"], environment, project)
        _quiet([sandboxd, "daemon", "start"], environment, project)
        try:
            results = compare(_commands(sandboxd), environment, project, args.rounds)
        finally:
            _quiet([sandboxd, "daemon", "stop"], environment, project)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table(results))
    return 1 if args.strict and not all(result.kept for result in results) else 0


def _commands(sandboxd: str) -> list[Command]:
    file = ".devcontainer/devcontainer.json"
    return [
        Command("python -c pass", (sys.executable, "-c", "pass")),
        Command("sandboxd --version", (sandboxd, "--version")),
        Command("sandboxd check FILE", (sandboxd, "check", file), budget=2.5, expect=(1,)),
        Command("sandboxd status", (sandboxd, "status"), budget=1.6),
    ]


def _environment(folder: str) -> dict[str, str]:
    os.makedirs(f"{folder}/run", mode=0o700)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": folder,
        "XDG_RUNTIME_DIR": f"{folder}/run",
        "DOCKER_HOST": f"unix://{folder}/no-engine.sock",
    }


def _quiet(command: list[str], environment: dict[str, str], folder: str) -> None:
    subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main())
