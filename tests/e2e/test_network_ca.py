"""A company's proxy that opens TLS as the only way out: programs inside verify what it says, and refuse it without
`network_ca`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import connect_from
from tests.e2e import client_image, client_services, intercepting_proxy, outside, sandboxes
from tests.e2e.internet_of_engine import PLAIN, engine, internet, left, private_engine, runtime
from tests.e2e.outside import Outside
from tests.integration.daemon.world import World

__all__ = ["engine", "internet", "private_engine", "runtime"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAMES: set[str] = set()
"""The name server knows none: only the proxy does."""
HOST = client_services.HOST
CLIENTS = {
    "curl": (f"curl -sS https://{HOST}/page.txt", "a page"),
    "python": (
        "python3 -c 'import urllib.request as r; "
        f"print(r.urlopen(\"https://{HOST}/page.txt\").read().decode())'",
        "a page",
    ),
    # It knows no proxy by its variables: the gateway leads it there.
    "node": (
        f"node -e \"require('https').get('https://{HOST}/page.txt', r => r.pipe(process.stdout))\"",
        "a page",
    ),
    "git": (f"git clone -q https://{HOST}/repo.git /tmp/a-$$ && cat /tmp/a-$$/README", "a repository"),
}  # fmt: skip


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    intercepting_proxy.authority(folder, HOST)
    client_services.keys(folder)
    return folder


@pytest.fixture(scope="module")
def image(engine: str, secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return client_image.build(engine, tmp_path_factory.mktemp("clients"), secrets)


@pytest.fixture(scope="module")
def asked(
    internet: Outside, secrets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[str]]:
    site = tmp_path_factory.mktemp("site")
    client_services.make_site(site)
    with intercepting_proxy.served(internet.pid, site, secrets) as names:
        yield names


def test_programs_trust_what_opens_their_connections_by_the_policy_alone(
    tmp_path: Path, engine: str, runtime: str, image: str, secrets: Path, asked: list[str], world: World
) -> None:  # fmt: skip
    project = sandboxes.make_project(tmp_path / "ws", image, runtime, granted=False)
    with (project / "sandboxd.toml").open("a") as file:
        file.write(f'[network]\nallow = ["{HOST}:443"]\n')
    policy = Path(world.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml"
    policy.parent.mkdir(parents=True, exist_ok=True)
    proxy = f'network_proxy = "http://{outside.ADDRESS}:{intercepting_proxy.PORT}"\n'

    def run(*words: str) -> str:
        done = world.run(*words, cwd=project)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    def outputs() -> dict[str, str]:
        """What each program prints, by the proxy and without."""
        return {
            f"{before}{line}": run("exec", "-n", "sh", "-c", f"export HOME=/tmp; {before}{line}")
            for before in (PLAIN, "")
            for line, _ in CLIENTS.values()
        }

    expected = {
        f"{before}{line}": text for before in (PLAIN, "") for line, text in CLIENTS.values()
    }
    policy.write_text(proxy)
    try:
        assert run("trust", "add", "--yes").startswith("0")
        assert run("up").startswith("0")
        asked.clear()
        for line, output in outputs().items():
            assert expected[line] not in output and "certificate" in output.lower(), output
        assert len(asked) == len(expected), "all of them met the proxy"

        policy.write_text(f'{proxy}network_ca = "{secrets}/ca.pem"\n')
        assert "removing" in run("up")
        for line, output in outputs().items():
            assert output.startswith("0") and expected[line] in output, output
    finally:
        world.run("down", "--discard", cwd=project)
    assert left(connect_from({"DOCKER_HOST": engine})) == []


def test_a_build_goes_out_by_the_proxy_and_trusts_it_by_the_policy_alone(
    tmp_path: Path, engine: str, image: str, secrets: Path, asked: list[str], world: World
) -> None:
    project = sandboxes.make_project(tmp_path / "built there", image, "runc", granted=False)
    (project / "sandboxd.toml").write_text('runtime = "runc"\n')
    (project / ".devcontainer/devcontainer.json").write_text(
        '{"build": {"dockerfile": "Dockerfile"}}'
    )
    fetch = f"curl -sS https://{HOST}/page.txt -o /page"
    (project / ".devcontainer/Dockerfile").write_text(f"FROM {image}\nRUN {fetch}\n")
    (project / ".devcontainer/.dockerignore").write_text("*\n")
    policy = Path(world.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml"
    policy.parent.mkdir(parents=True, exist_ok=True)
    proxy = f'network_proxy = "http://{outside.ADDRESS}:{intercepting_proxy.PORT}"\n'

    def run(*words: str) -> str:
        done = world.run(*words, cwd=project)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    policy.write_text(proxy)
    asked.clear()
    try:
        assert run("trust", "add", "--yes").startswith("0")
        refused = run("up")
        assert refused.startswith("4") and "certificate" in refused, refused
        assert set(asked) == {f"{HOST}:443"}

        policy.write_text(f'{proxy}network_ca = "{secrets}/ca.pem"\n')
        built = run("up")
        assert built.startswith("0"), built
        assert "a page" in run("exec", "-n", "cat", "/page")
    finally:
        world.run("down", "--discard", cwd=project)
    assert left(connect_from({"DOCKER_HOST": engine})) == []
