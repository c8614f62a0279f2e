"""Programs of daily work through the gateway: none of them knows that there is one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sandboxd.engine.client import connect_from
from tests.e2e import client_image, client_services, outside, sandboxes
from tests.e2e.internet_of_engine import PLAIN, engine, left, private_engine
from tests.e2e.outside import Outside
from tests.integration.daemon.world import World

__all__ = ["engine", "private_engine"]

pytestmark = pytest.mark.engine

NAMES = {"code.test", "cache.test", "shell.test", "base.test", "evil.test"}
ALLOWED = '["code.test:443", "cache.test:6379", "shell.test:22", "base.test:5432"]'
CA = "/opt/ca.pem"
SSH = "ssh -F /dev/null -i /opt/user -o UserKnownHostsFile=/opt/known_hosts -o BatchMode=yes -o ConnectTimeout=60"


class Client(NamedTuple):
    """A line that is typed in a shell, what it prints where it works, and the name that it uses."""

    program: str
    line: str
    expected: str
    host: str = "code.test"
    knows_proxies: bool = True


CLIENTS = {
    "curl": Client("curl", f"curl -sS --cacert {CA} https://code.test/page.txt", "a page"),
    "git by https": Client(
        "git",
        f"git -c http.sslCAInfo={CA} clone -q https://code.test/repo.git /tmp/a-$$ && cat /tmp/a-$$/README",
        "a repository",
    ),
    "git by ssh": Client(
        "ssh",
        f"export GIT_SSH_COMMAND='{SSH}'; git clone -q root@shell.test:SITE/repo.git /tmp/b-$$ &&"
        " cd /tmp/b-$$ && git -c user.name=a -c user.email=a@b.test commit -qm more --allow-empty &&"
        " git push origin HEAD:refs/heads/new-$$ 2>&1",
        "new branch",
        "shell.test",
        False,
    ),
    "ssh": Client("ssh", f"{SSH} root@shell.test echo a shell", "a shell", "shell.test", False),
    "pip": Client(
        "git",  # Python is there wherever the tests run.
        f"PYTHONPATH=/opt/pip.whl python3 -m pip install -q --retries 0 --timeout 60 --disable-pip-version-check --cert {CA}"
        " --index-url https://code.test/simple/ --target /tmp/c-$$ --no-cache-dir tiny && cat /tmp/c-$$/tiny.py",
        "VALUE = 7",
    ),
    "uv": Client(
        "uv",
        f"UV_HTTP_RETRIES=0 UV_HTTP_TIMEOUT=60 SSL_CERT_FILE={CA} uv pip install -q --no-cache --no-config --python /usr/bin/python3 --target /tmp/d-$$"
        " --default-index https://code.test/simple/ tiny && cat /tmp/d-$$/tiny.py",
        "VALUE = 7",
    ),
    "npm ci": Client(
        "npm",
        f"cp -r /opt/project /tmp/e-$$ && cd /tmp/e-$$ && sed -i s/code[.]test/code.test/ package-lock.json && NODE_EXTRA_CA_CERTS={CA} node /opt/npm/bin/npm-cli.js ci"
        " --registry https://code.test/ --no-audit --no-fund --fetch-retries 0 --cache /tmp/f-$$ &&"
        " cat node_modules/tiny/index.js",
        "module.exports = 7",
    ),
    "go": Client(
        "go",
        f"export GOROOT=/opt/go GOPATH=$(mktemp -d) GOMODCACHE=$(mktemp -d) GOPROXY=https://code.test/go GOSUMDB=off GOTOOLCHAIN=local"
        f" SSL_CERT_FILE={CA}; cd /tmp; /opt/go/bin/go mod download -json example.test/tiny@v1.0.0",
        '"GoModSum"',
    ),
    # Its `fetch` gives up after ten seconds, which nobody can change from outside.
    "node": Client(
        "node",
        f"NODE_EXTRA_CA_CERTS={CA} node -e "
        "\"require('https').get('https://code.test/page.txt', r => r.pipe(process.stdout))\"",
        "a page",
        knows_proxies=False,
    ),
    "redis-cli": Client("redis-cli", "redis-cli -h cache.test ping", "PONG", "cache.test", False),
    "psql": Client(
        "psql", "psql -w -h base.test -U dev 2>&1", "a database of the tests", "base.test", False
    ),
    "a static binary": Client("static", "/opt/dial cache.test 6379", "PONG", "cache.test", False),
}


class Desk(NamedTuple):
    """A sandbox with the programs; `run` types into it and gives what is printed."""

    world: World
    project: Path
    internet: Outside
    site: Path

    def run(self, text: str) -> str:
        line = f"export HOME=/tmp; {text.replace('SITE', str(self.site))}"
        done = self.world.run("exec", "-n", "sh", "-c", line, cwd=self.project)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    client_services.authority(folder)
    client_services.keys(folder)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    client_services.make_site(folder)
    return folder


@pytest.fixture(scope="module")
def internet(engine: str, site: Path, secrets: Path) -> Iterator[Outside]:
    from sandboxd.verify import listeners

    with outside.outside(listeners.engine_pid(engine)) as there:
        there.names.update(NAMES)
        with client_services.served(there.pid, site, secrets):
            yield there


@pytest.fixture(scope="module")
def image(engine: str, secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return client_image.build(engine, tmp_path_factory.mktemp("clients"), secrets)


@pytest.fixture(scope="module", params=["runc", "gvisor"])
def desk(
    request: pytest.FixtureRequest, homes: Path, engine: str, image: str, internet: Outside, site: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:  # fmt: skip
    """One sandbox for all programs, as a person makes it."""
    api = connect_from({"DOCKER_HOST": engine})
    if request.param == "gvisor" and "runsc-sandboxd" not in api.info()["Runtimes"]:
        pytest.skip("no gVisor: the engine has no runtime `runsc-sandboxd`")
    home = Path(tempfile.mkdtemp(dir=homes))
    (home / "run").mkdir(mode=0o700)
    world = World(home)
    world.environ["DOCKER_HOST"] = engine
    folder = tmp_path_factory.mktemp("clients") / "ws"
    project = sandboxes.make_project(folder, image, request.param, granted=False)
    with (project / "sandboxd.toml").open("a") as file:
        file.write(f"[network]\nallow = {ALLOWED}\n")
    for words in (("trust", "add", "--yes"), ("up",)):
        done = world.run(*words, cwd=project)
        assert done.returncode == 0, done.stderr
    yield Desk(world, project, internet, site)
    world.run("down", "--discard", cwd=project)
    world.end()
    assert left(api) == []


@pytest.fixture(params=CLIENTS, ids=str)
def client(request: pytest.FixtureRequest) -> Client:
    chosen = CLIENTS[request.param]
    if chosen.program not in client_image.programs():
        pytest.skip(f"`{chosen.program}` is not installed")
    if chosen.host == "shell.test" and client_services.SSHD is None:
        pytest.skip("openssh-server is not installed")
    return chosen


def test_a_client_works_by_an_allowed_name_and_reaches_no_other(desk: Desk, client: Client) -> None:
    output = desk.run(PLAIN + client.line)
    assert client.expected in output
    # With the variables that the sandbox has, by the proxy.
    if client.knows_proxies:
        output = desk.run(client.line)
        assert client.expected in output
    # A name that is not allowed, and an allowed one at a port that is another's.
    other = "code.test" if client.host != "code.test" else "cache.test"
    for host in ("evil.test", other):
        output = desk.run(PLAIN + client.line.replace(client.host, host))
        assert client.expected not in output
    assert "evil.test" not in desk.internet.asked
