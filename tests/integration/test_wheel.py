"""What users install: the wheel holds the data, and works without the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("sandboxd-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from sandboxd.__main__ import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(installed), "HOME": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_holds_the_profiles_and_no_tools(installed: Path) -> None:
    assert list((installed / "sandboxd" / "_data" / "profiles" / "hardening").glob("*.toml"))
    assert list((installed / "sandboxd" / "_data" / "profiles" / "seccomp").glob("*.json"))
    assert {path.name for path in installed.iterdir() if "dist-info" not in path.name} == {
        "sandboxd"
    }


def test_it_checks_and_generates(installed: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / ".devcontainer").mkdir(parents=True)
    config = project / ".devcontainer" / "devcontainer.json"
    config.write_text('{"image": "debian:13", "runArgs": ["--privileged"]}')
    checked = run(installed, project, "check")
    assert (checked.returncode, checked.stderr) == (1, "")
    assert "error[privileged-container]" in checked.stdout
    assert run(installed, project, "init").returncode == 0
    assert run(installed, project, "generate").returncode == 0
    made = (project / ".devcontainer" / "sandboxd" / "devcontainer.json").read_text()
    assert "--cap-drop=ALL" in made
    assert (project / ".devcontainer" / "sandboxd" / "seccomp.json").exists()
