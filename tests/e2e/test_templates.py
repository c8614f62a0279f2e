"""Projects made from templates, on a real engine: their samples work, and their sandboxes hold."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd import templates
from tests.e2e import devcontainer_cli, sandboxes, template_image

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

OVERRIDE = ".devcontainer/sandboxd/docker-compose.sandboxd.yml"
SERVICES = {"db": "postgres", "cache": "redis"}
LOGIN = 'PGPASSWORD=$(cat "$DATABASE_PASSWORD_FILE") psql -h db -U app -d app -Atc "select 6 * 7"'


@pytest.fixture(scope="module")
def image(engine: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return template_image.build(engine, tmp_path_factory.mktemp("image"))


def own(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 1000, 1000)


def ok(host: str, folder: Path, *words: str) -> str:
    done = sandboxes.run(host, folder, *words)
    assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr[-2000:])
    return str(done.stdout)


def start(host: str, folder: Path, name: str, runtime: str, *options: str) -> None:
    """A project from the template, as the user types it, with a runtime of the test's choice."""
    folder.mkdir()
    words = [word for option in options for word in ("--option", option)]
    ok(host, folder, "init", "--template", name, *words)
    config = folder / "sandboxd.toml"
    assert 'runtime = "auto"' in config.read_text()
    config.write_text(config.read_text().replace('"auto"', f'"{runtime}"'))
    own(folder)
    sandboxes.grant(folder)


@contextlib.contextmanager
def up(host: str, folder: Path) -> Iterator[None]:
    ok(host, folder, "up")
    try:
        yield
    finally:
        ok(host, folder, "down")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("python", ["hello, sandbox"]),
        ("node", ["hello, sandbox", "# pass 1"]),
        ("go", ["hello, sandbox", "ok  \texample.com/greeting"]),
    ],
)
def test_the_sample_is_built_and_tested(
    name: str, says: list[str], runtime: str, tmp_path: Path, engine: str, image: str
) -> None:
    root = tmp_path / name
    start(engine, root, name, runtime, f"image={image}")
    with up(engine, root):
        output = ok(engine, root, "exec", "--", "sh", "sample/test.sh")
        assert [line for line in says if line not in output] == [], output
        if name == "python":
            verdict = json.loads(ok(engine, root, "verify", "--json"))
            assert verdict["held"] is True
            kernel = {"gvisor": "runsc-sandboxd", "runc": "runc"}[runtime]
            assert verdict["runtime"].startswith(kernel)


def test_minimal_is_a_shell_that_is_not_root(
    runtime: str, tmp_path: Path, engine: str, image: str
) -> None:
    root = tmp_path / "small"
    start(engine, root, "minimal", runtime, f"image={image}")
    with up(engine, root):
        script = "id -u; echo made > inside.txt; git init -q . ; echo bad > sandboxd.toml"
        done = sandboxes.run(engine, root, "exec", "--", "sh", "-c", script)
        assert (done.returncode, done.stdout) == (2, "1000\n"), done.stderr
        assert (root / "inside.txt").read_text() == "made\n"
        assert "bad" not in (root / "sandboxd.toml").read_text()


def docker(host: str, folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["docker", *words],
        cwd=folder,
        env=os.environ | {"DOCKER_HOST": host},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, (words, done.stdout[-1500:], done.stderr[-2500:])
    return done.stdout


def test_a_web_application_with_its_services(
    runtime: str, tmp_path: Path, engine: str, image: str
) -> None:
    root = tmp_path / "shop"
    options = [f"{name}={image}" for name in ("image", "postgresImage", "redisImage")]
    start(engine, root, "compose-web", runtime, *options, "user=dev")
    ok(engine, root, "generate")
    own(root)
    compose = ["compose", "-p", root.name, "-f", ".devcontainer/docker-compose.yml"]
    compose += ["-f", OVERRIDE]
    try:
        docker(engine, root, *compose, "up", "-d", "--wait")
        output = docker(engine, root, *compose, "exec", "-T", "app", "sh", "-c", LOGIN)
        assert output == "42\n"
        ok(engine, root, "exec", "--", "sh", "sample/test.sh")
        check_services(engine, root, compose)
        (app,) = inspect(engine, root, compose, "app")
        assert app["HostConfig"]["Runtime"].startswith("runsc" if runtime == "gvisor" else "runc")
        assert app["Config"]["User"] == "dev" and app["HostConfig"]["CapDrop"] == ["ALL"]
    finally:
        docker(engine, root, *compose, "down", "--volumes", "--timeout", "1")


def inspect(host: str, folder: Path, compose: list[str], service: str) -> list[dict[str, Any]]:
    name = docker(host, folder, *compose, "ps", "--quiet", service).strip()
    return list(json.loads(docker(host, folder, "inspect", name)))


def check_services(host: str, folder: Path, compose: list[str]) -> None:
    for service, user in SERVICES.items():
        (only,) = inspect(host, folder, compose, service)
        settings = only["HostConfig"]
        assert only["Config"]["User"] == user
        assert settings["CapDrop"] == ["ALL"] and settings["ReadonlyRootfs"] is True
        assert "no-new-privileges=true" in settings["SecurityOpt"]
        assert settings["Memory"] == settings["MemorySwap"] > 0 and settings["PidsLimit"] > 0
        assert not any(settings["PortBindings"].values())
        assert not any("PASSWORD=" in variable for variable in only["Config"]["Env"])
        (network,) = only["NetworkSettings"]["Networks"]
        assert json.loads(docker(host, folder, "network", "inspect", network))[0]["Internal"]


@pytest.mark.node
def test_a_tool_that_knows_no_sandboxd_makes_a_hardened_container(
    tmp_path: Path, engine: str, image: str
) -> None:
    root = tmp_path / "plain"
    python = templates.load("python")
    for file in templates.files(python, templates.values(python, {"image": image, "user": "dev"})):
        (root / file.path).parent.mkdir(parents=True, exist_ok=True)
        (root / file.path).write_text(file.text)
    own(root)
    for path in (tmp_path, *tmp_path.parents[:-1]):
        path.chmod(path.stat().st_mode | 0o055)
    words = [
        devcontainer_cli.program(),
        "up",
        "--workspace-folder",
        str(root),
        "--docker-path",
        "docker",
    ]
    environ = os.environ | {"DOCKER_HOST": engine}
    done = subprocess.run(
        words, capture_output=True, text=True, env=environ, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    name = json.loads(done.stdout.splitlines()[-1])["containerId"]
    try:
        script = "id -un; grep -E 'CapBnd|NoNewPrivs|Seccomp:' /proc/self/status; sh sample/test.sh"
        output = docker(engine, root, "exec", name, "sh", "-c", script)
        assert output.splitlines() == [
            "dev", "CapBnd:\t00000000000000cb", "NoNewPrivs:\t1", "Seccomp:\t2", "hello, sandbox",
        ]  # fmt: skip
        attack = "echo bad >> .devcontainer/devcontainer.json || echo bad >> sandboxd.toml"
        done = subprocess.run(
            ["docker", "exec", name, "sh", "-c", attack], env=environ, check=False
        )
        assert done.returncode != 0
    finally:
        docker(engine, root, "rm", "--force", name)
