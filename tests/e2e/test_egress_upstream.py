"""A company's proxy as the only way out of a live engine: what is allowed passes it, and nobody inside knows how."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, connect_from
from sandboxd.life import gateway
from sandboxd.life.find import sandboxes_of_up
from sandboxd.verify import listeners
from tests.e2e import outside, sandboxes
from tests.e2e.internet_of_engine import PLAIN, engine, internet, left, private_engine, runtime
from tests.e2e.outside import Outside
from tests.integration.daemon.world import World
from tests.integration.egress.company import Company
from tests.patience import eventually
from tools.private_engine import import_busybox_image

__all__ = ["engine", "internet", "private_engine", "runtime"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAMES: set[str] = set()
"""The name server knows none: only the proxy does."""
PORT, LOGIN = 3128, "me:pass word"
SECRETS = ("pass word", "bWU6cGFzcyB3b3Jk")
PAGE = "wget -T 60 -q -O - http://allowed.test/"


@pytest.fixture(scope="module")
def company(internet: Outside) -> Iterator[Company]:
    def open_socket() -> socket.socket:
        with listeners.network_of(internet.pid):
            return socket.socket()

    proxy, listener = Company(open_socket, outside.ADDRESS), open_socket()
    listener.bind((outside.ADDRESS, PORT))
    listener.listen()

    def use(client: socket.socket) -> None:
        with client:
            proxy.serve(client)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=use, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield proxy
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def project(tmp_path: Path, engine: str, runtime: str, world: World) -> Path:
    """A project whose user has a proxy, and the right to reach one name."""
    folder = sandboxes.make_project(
        tmp_path / "ws", import_busybox_image(engine), runtime, granted=False
    )
    with (folder / "sandboxd.toml").open("a") as file:
        file.write('[network]\nallow = ["allowed.test:80"]\n')
    config = Path(world.environ["XDG_CONFIG_HOME"]) / "sandboxd"
    config.mkdir(parents=True, exist_ok=True)
    (config / "policy.toml").write_text(f'network_proxy = "http://{outside.ADDRESS}:{PORT}"\n')
    return folder


def test_an_allowed_name_passes_the_proxy_and_its_credentials_stay_outside(
    engine: str, company: Company, world: World, project: Path
) -> None:
    api = connect_from({"DOCKER_HOST": engine})
    company.heads.clear()
    company.login = LOGIN

    def type_in(*words: str) -> subprocess.CompletedProcess[str]:
        return world.run(*words, cwd=project)

    try:
        assert type_in("trust", "add", "--yes").returncode == 0
        done = type_in("up")
        assert done.returncode == 0, done.stderr
        # Nobody gave credentials yet: said inside and outside, and nothing is reached.
        refused = type_in("exec", "-n", "sh", "-c", PAGE)
        assert refused.returncode != 0 and "502" in refused.stderr
        hint = "`user:password` into the file `proxy-credentials`"
        eventually(lambda: hint in type_in("egress", "log").stdout)

        credentials = Path(world.environ["XDG_CONFIG_HOME"]) / "sandboxd/proxy-credentials"
        credentials.write_text(f"{LOGIN}\n")
        credentials.chmod(0o600)
        assert type_in("up").returncode == 0
        for before in (PLAIN, ""):
            done = type_in("exec", "-n", "sh", "-c", before + PAGE)
            assert done.stdout == "outside for allowed.test\n", done.stderr
        assert company.heads[-1].startswith(b"GET http://allowed.test/ HTTP/1.1\r\n")
        evil = type_in("exec", "-n", "sh", "-c", PAGE.replace("allowed", "evil"))
        assert "403" in evil.stderr
        assert not any(b"evil" in head for head in company.heads)
        assert no_secret(api, str(project), type_in), "credentials can be read"
    finally:
        type_in("down", "--discard")
    assert left(api) == []


def no_secret(api: Engine, workspace: str, type_in: object) -> bool:
    """Whether what is inside, what the engine tells, and what commands print hold no credentials."""
    assert callable(type_in)
    (container,) = sandboxes_of_up(api, workspace)
    search = "cat /proc/*/environ /proc/*/cmdline /etc/resolv.conf /etc/hosts 2>/dev/null; env"
    texts = [
        type_in("exec", "-n", "sh", "-c", search).stdout,
        type_in("status", "--json").stdout,
        type_in("explain-plan", "--json").stdout,
        type_in("egress", "list").stdout,
        type_in("policy").stdout,
        str(api.inspect(container.id)),
        str(api.inspect(gateway.name_of(workspace))),
    ]
    assert all(texts)
    return not any(secret in text for secret in SECRETS for text in texts)
