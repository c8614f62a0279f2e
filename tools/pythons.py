"""Run the unit tests on every Python that is supported: `./dev test-pythons [PYTEST ARGUMENT ...]`.

An interpreter is taken from the PATH, from pyenv, or from uv, which downloads it where it can. One that
cannot be had is named at the end: what was not run was not shown.
"""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import programs

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
OWN = ".".join(map(str, sys.version_info[:2]))
TESTS = ("tests/unit", "-q", "-p", "no:cacheprovider")


def others(uv: str) -> dict[str, str]:
    """The path of each supported Python but the one that runs, '' for one that cannot be had."""
    return {version: find(version, uv) for version in VERSIONS if version != OWN}


def find(version: str, uv: str) -> str:
    """The path of an interpreter of `version`, '' when none can be had."""
    name = f"python{version}"
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    folders = [*os.get_exec_path(), *sorted(glob.glob(f"{pyenv}/versions/{version}.*/bin"))]
    for folder in folders:
        if _is(f"{folder}/{name}", version):
            return f"{folder}/{name}"
    command = [uv, "python", "install", "-q", "--install-dir", str(ROOT / ".dev" / "pythons")]
    done = subprocess.run([*command, version], capture_output=True, check=False)
    paths = sorted(glob.glob(f"{ROOT}/.dev/pythons/*/bin/{name}"))
    return paths[0] if done.returncode == 0 and paths else ""


def _is(program: str, version: str) -> bool:
    """Whether it runs and is what its name says: a version manager puts up names of what is not there."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([program, "-c", ask], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def environment(version: str, python: str, uv: str) -> Path:
    """An environment for `version` with what the tests need, brought up to date."""
    folder = ROOT / ".dev" / f"python-{version}"
    program = folder / "bin" / "python"
    if not _is(str(program), version):
        command = [uv, "venv", "-q", "--clear", "--no-project", "--python", python, str(folder)]
        subprocess.run(command, check=True)
    pip = [uv, "pip"]
    into = ["-q", "--python", str(program)]
    lock = ["--require-hashes", "requirements/dev.txt"]
    subprocess.run([*pip, "sync", *into, *lock], cwd=ROOT, check=True)
    own = ["--no-deps", "--no-build-isolation", "--offline", "-e", "."]
    subprocess.run([*pip, "install", *into, *own], cwd=ROOT, check=True)
    return program


def _run(program: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    command = [str(program), "-m", "pytest", *words]
    return subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def main(arguments: list[str]) -> int:
    """Run; 1 when a test fails, 4 when there is no uv to make environments."""
    uv = programs.uv()
    if not uv:
        print("error: there is no uv\nhint: install uv, or run `./dev setup`", file=sys.stderr)
        return 4
    outcomes: dict[str, str] = {OWN: "is that of .venv: `./dev test`"}
    tested = {}
    for version, python in others(uv).items():
        if python:
            tested[version] = environment(version, python, uv)
        else:
            outcomes[version] = "NOT CHECKED: it cannot be had on this machine"
    words = arguments or list(TESTS)
    with ThreadPoolExecutor() as pool:
        for version, done in zip(
            tested, pool.map(lambda program: _run(program, words), tested.values()), strict=True
        ):
            print(f"== Python {version}\n{done.stdout}", flush=True)
            outcomes[version] = "FAILED" if done.returncode else "passed"
    for version, outcome in sorted(outcomes.items()):
        print(f"Python {version}: {outcome}")
    return 1 if "FAILED" in outcomes.values() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
