"""What users install: the wheel in an empty environment, away from the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandboxd
from tests.integration import packaging
from tools import installed_files
from tools.lsp_client import frame

NOBODY = 65534


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    built = packaging.build(packaging.copy_sources(folder / "sources"), folder / "dist", "wheel")
    (path,) = built.glob("sandboxd-*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path) -> Iterator[Path]:
    """Not below `tmp_path`, which others may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="sbx-wheel-"))
    folder.chmod(0o755)
    yield packaging.install(wheel, folder / "env")
    shutil.rmtree(folder)


def run(
    environment: Path, folder: Path, *words: str, **options: object
) -> subprocess.CompletedProcess[str]:
    environ = {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PATH": f"{environment}/bin:/usr/bin:/bin",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    }
    return subprocess.run(
        ["sandboxd", *words],
        cwd=folder,
        env=environ,
        executable=str(environment / "bin" / "sandboxd"),
        capture_output=True,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )


def test_it_holds_the_data_and_no_tools(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    version = sandboxd.__version__
    assert tops == {"sandboxd", f"sandboxd-{version}.dist-info", f"sandboxd-{version}.data"}
    data = packaging.ROOT
    for folder in ("profiles", "devcontainer-templates"):
        for path in (data / folder).rglob("*"):
            if path.is_file():
                assert f"sandboxd/_data/{path.relative_to(data)}" in names
    installed = {name.partition(".data/data/")[2] for name in names if ".data/data/" in name}
    assert installed == set(installed_files.files())


def test_it_needs_nothing_but_what_the_index_has(wheel: Path) -> None:
    (name,) = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/METADATA")]
    text = zipfile.ZipFile(wheel).read(name).decode()
    needed = [line for line in text.splitlines() if line.startswith("Requires-Dist")]
    always = [line for line in needed if "extra ==" not in line]
    assert {line.split()[1].split("<")[0].split(">")[0] for line in always} == {
        "docker",
        "h11",
        "inotify-simple",
        "pygls",
        "pyyaml",
        "tomli-w",
        "watchfiles",
    }
    assert " @ " not in "".join(needed)
    assert wheel.name.endswith("-py3-none-any.whl")


def test_the_first_minutes(environment: Path, tmp_path: Path) -> None:
    shown = run(environment, tmp_path, "--version")
    assert (shown.returncode, shown.stdout) == (0, f"sandboxd {sandboxd.__version__}\n")
    tested = run(environment, tmp_path, "self-test", "--json")
    assert (tested.returncode, tested.stderr) == (0, ""), tested.stdout
    looks = {look["name"]: look for look in json.loads(tested.stdout)["looks"]}
    assert f"{environment}/" in looks["data"]["detail"]

    config = tmp_path / ".devcontainer" / "devcontainer.json"
    config.parent.mkdir()
    config.write_text('{"image": "debian:13", "runArgs": ["--privileged"]}')
    checked = run(environment, tmp_path, "check")
    assert (checked.returncode, checked.stderr) == (1, "")
    assert "error[privileged-container]" in checked.stdout
    assert run(environment, tmp_path, "init").returncode == 0
    assert run(environment, tmp_path, "generate").returncode == 0
    folder = config.parent / "sandboxd"
    assert "--cap-drop=ALL" in (folder / "devcontainer.json").read_text()
    assert (folder / "seccomp.json").exists()


def test_a_project_from_a_template(environment: Path, tmp_path: Path) -> None:
    assert run(environment, tmp_path, "init", "--template", "python").returncode == 0
    assert (tmp_path / "sample" / "test.sh").exists()
    assert not list(tmp_path.rglob("__pycache__"))
    assert run(environment, tmp_path, "check", "--pedantic", "--fail-on", "hint").returncode == 0


def test_the_language_server_over_stdio(environment: Path, tmp_path: Path) -> None:
    messages = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "capabilities": {}}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    ]
    text = b"".join(frame({"jsonrpc": "2.0", **message}) for message in messages).decode()
    for words in (["lsp", "--no-daemon"], ["lsp", "--stdio"]):
        done = run(environment, tmp_path, *words, input=text)
        assert done.returncode == 0, done.stderr
        assert '"textDocumentSync"' in done.stdout
    assert run(environment, tmp_path, "daemon", "stop").returncode == 0


def test_what_is_installed_is_what_the_program_prints(environment: Path, tmp_path: Path) -> None:
    for path, words in {
        "share/bash-completion/completions/sandboxd": ["completion", "bash"],
        "share/fish/vendor_completions.d/sandboxd.fish": ["completion", "fish"],
        "share/zsh/site-functions/_sandboxd": ["completion", "zsh"],
        "share/sandboxd/sandboxd.schema.json": ["schema"],
    }.items():
        assert (environment / path).read_text() == run(environment, tmp_path, *words).stdout
    assert (environment / "share/man/man1/sandboxd.1").read_text().startswith(".TH SANDBOXD 1")


IMPORT_ALL = """
import pkgutil, sandboxd
for module in pkgutil.walk_packages(sandboxd.__path__, "sandboxd."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
"""


def test_importing_it_writes_nothing(environment: Path, tmp_path: Path) -> None:
    (package,) = environment.glob("lib/python3.*/site-packages/sandboxd")
    before = {path: path.stat().st_mtime_ns for path in package.rglob("*.py")}
    done = subprocess.run(
        [environment / "bin" / "python", "-I", "-B", "-c", IMPORT_ALL],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in package.rglob("*.py")} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="to become another user takes root")
def test_it_works_for_a_user_who_cannot_write_it(environment: Path) -> None:
    home = Path(tempfile.mkdtemp(prefix="sbx-nobody-"))
    try:
        os.chown(home, NOBODY, NOBODY)
        other = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        try:
            run(environment, home, "--version", **other)
        except PermissionError:
            pytest.skip(f"other users cannot reach the Python at {sys.base_prefix}")
        tested = run(environment, home, "self-test", **other)
        assert (tested.returncode, tested.stderr) == (0, ""), tested.stdout
        assert run(environment, home, "init", **other).returncode == 0
        assert run(environment, home, "check", **other).returncode == 0
    finally:
        shutil.rmtree(home)


def test_uvx(wheel: Path, tmp_path: Path) -> None:
    program = packaging.uv()
    if program is None:
        pytest.skip("no `uv`: `uvx` is not tried")
    command = [program, "tool", "run", "--python", sys.executable]
    environ = {**os.environ, **packaging.caches(), "UV_TOOL_DIR": str(tmp_path)}
    done = subprocess.run(
        [*command, "--from", str(wheel), "sandboxd", "--version"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"sandboxd {sandboxd.__version__}\n"), done.stderr


def test_pipx(wheel: Path, tmp_path: Path) -> None:
    if shutil.which("pipx") is None:
        pytest.skip("no `pipx`: it is not tried")
    environ = {
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_MAN_DIR": str(tmp_path / "man"),
        **os.environ,
    }
    command = ["pipx", "install", "--python", sys.executable, str(wheel)]
    subprocess.run(command, env=environ, check=True, capture_output=True)
    command = [str(tmp_path / "bin" / "sandboxd"), "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown == f"sandboxd {sandboxd.__version__}\n"
    assert (tmp_path / "man" / "man1" / "sandboxd.1").exists()
