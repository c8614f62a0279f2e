"""Programs of daily work through the gateway: none of them knows that there is one."""

from __future__ import annotations

import base64
import functools
import glob
import hashlib
import http.server
import io
import os
import shutil
import socket
import ssl
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.engine.client import connect_from
from sandboxd.life import up_down
from sandboxd.model.labels import GATEWAY, PROJECT
from sandboxd.verify import listeners
from tests.e2e import outside, rich_image, sandboxes
from tests.e2e.outside import Outside
from tools.engine import private

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

PROXIES = "http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY"
CA = "/opt/ca.pem"
ALLOWED = Policy(
    rules=tuple(
        Rule(pattern(name), (port,), source="test")
        for name, port in (
            ("code.test", 443),
            ("cache.test", 6379),
            ("shell.test", 22),
            ("base.test", 5432),
        )
    )
)

# Each line is typed in a shell; what it prints has to hold what is beside it.
CLIENTS = {
    "curl": (f"curl -sS --cacert {CA} https://code.test/page.txt", "a page"),
    "git": (
        f"git -c http.sslCAInfo={CA} clone -q https://code.test/repo.git /tmp/repo-$$"
        " && cat /tmp/repo-$$/README",
        "a repository",
    ),
    "pip": (
        f"PYTHONPATH=/opt/pip.whl python3 -m pip install -q --disable-pip-version-check --cert {CA}"
        " --index-url https://code.test/simple/ --target /tmp/pip-$$ --no-cache-dir tiny"
        " && cat /tmp/pip-$$/tiny.py",
        "VALUE = 7",
    ),
    "node": (
        f"NODE_EXTRA_CA_CERTS={CA} node -e "
        "\"fetch('https://code.test/page.txt').then(r => r.text()).then(console.log)\"",
        "a page",
    ),
    "redis-cli": ("redis-cli -h cache.test ping", "PONG"),
    "psql": ("psql -w -h base.test -U dev 2>&1", "a database of the tests"),
    "ssh": ("ssh -v -o BatchMode=yes dev@shell.test 2>&1", "remote software version stub"),
}


@pytest.fixture(scope="module")
def engine(own_engines: None) -> Iterator[str]:
    started = private.start(
        f"clients-{os.getpid()}", owner=os.getpid(), arguments=[f"--dns={outside.ADDRESS}"]
    )
    try:
        yield started.docker_host
    finally:
        private.stop(started.folder)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for `code.test` that vouches for itself."""
    folder = tmp_path_factory.mktemp("authority")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            "key.pem",
            "-out",
            "ca.pem",
            "-subj",
            "/CN=code.test",
            "-addext",
            "subjectAltName=DNS:code.test",
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture(scope="module")
def internet(
    engine: str, authority: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outside]:
    """A web server with a repository and an index of packages, a cache, and a shell's greeting."""
    folder = tmp_path_factory.mktemp("site")
    make_site(folder)
    with outside.outside(listeners.engine_pid(engine)) as served:
        served.names.update({"code.test", "cache.test", "shell.test", "base.test", "evil.test"})
        web = https(served.pid, folder, authority)
        lines = [
            answering(served.pid, 6379, lambda data: b"+PONG\r\n" if data else b""),
            answering(served.pid, 22, greeting),
            answering(served.pid, 5432, database),
        ]
        try:
            yield served
        finally:
            web.shutdown()
            web.server_close()
            for line in lines:
                line.close()


def make_site(folder: Path) -> None:
    (folder / "page.txt").write_text("a page\n")
    work = folder / "work"
    work.mkdir()
    (work / "README").write_text("a repository\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.test"]
    for command in (
        ["git", "init", "-q", str(work)],
        ["git", "-C", str(work), "add", "."],
        ["git", "-C", str(work), *identity, "commit", "-qm", "first"],
        ["git", "clone", "-q", "--bare", str(work), str(folder / "repo.git")],
        ["git", "-C", str(folder / "repo.git"), "update-server-info"],
    ):
        subprocess.run(command, check=True)
    index = folder / "simple/tiny"
    index.mkdir(parents=True)
    name = "tiny-1.0-py3-none-any.whl"
    (index / name).write_bytes(wheel())
    (index / "index.html").write_text(f'<a href="{name}">{name}</a>')


def wheel() -> bytes:
    """The smallest package that pip installs."""
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": b"VALUE = 7\n",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}"
        for name, data in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return archive.getvalue()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def https(pid: int, folder: Path, authority: Path) -> http.server.ThreadingHTTPServer:
    handler = functools.partial(Quiet, directory=str(folder))
    with listeners.network_of(pid):
        server = http.server.ThreadingHTTPServer((outside.ADDRESS, 443), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "ca.pem", authority / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def greeting(data: bytes) -> bytes:
    return b"" if data else b"SSH-2.0-stub\r\n"


def database(data: bytes) -> bytes:
    """No to TLS, and to a log-in a refusal with words (PostgreSQL's protocol, version 3)."""
    if len(data) == 8:
        return b"N"
    fields = b"SFATAL\0C28000\0Ma database of the tests\0\0"
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields if data else b""


def answering(pid: int, port: int, reply: Callable[[bytes], bytes]) -> socket.socket:
    """A listener that says `reply(b"")` first, then one reply to each piece, and hangs up where there is none."""
    with listeners.network_of(pid):
        listener = socket.socket()
    listener.bind((outside.ADDRESS, port))
    listener.listen()

    def talk(connection: socket.socket) -> None:
        with connection:
            connection.sendall(reply(b""))
            while answer := reply(connection.recv(4096)):
                connection.sendall(answer)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.fixture(scope="module")
def image(engine: str, authority: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    def more(root: Path) -> list[str]:
        import ensurepip

        (packed,) = Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")
        (root / "opt").mkdir()
        shutil.copy2(packed, root / "opt/pip.whl")
        shutil.copy2(authority / "ca.pem", root / CA.lstrip("/"))
        programs = []
        for name in ("curl", "redis-cli", "ssh", "git-core/git-remote-http"):
            source = shutil.which(name) or f"/usr/lib/{name}"
            if os.path.exists(source):
                target = root / ("usr/lib/git-core" if "/" in name else "usr/bin")
                shutil.copy2(os.path.realpath(source), target / os.path.basename(name))
                programs.append(os.path.realpath(source))
        # What is in the PATH is a script that looks for this one.
        for source in sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))[-1:]:
            shutil.copy2(source, root / "usr/bin/psql")
            programs.append(source)
        (root / "usr/lib/git-core/git-remote-https").symlink_to("git-remote-http")
        return [*programs, *name_services(root)]

    folder = tmp_path_factory.mktemp("clients")
    return rich_image.build(engine, folder, "sandboxd-clients:1", more).image


def name_services(root: Path) -> list[str]:
    """What the C library opens by name to look names up; with newer ones it is built in."""
    copied = []
    for path in Path("/usr/lib").glob("*-linux-gnu/libnss_dns.so.2"):
        target = root / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
        copied.append(str(path))
    return copied


@pytest.fixture
def runtime(request: pytest.FixtureRequest, engine: str) -> str:
    name = str(request.param)
    runtimes = connect_from({"DOCKER_HOST": engine}).info()["Runtimes"]
    if name == "gvisor" and "runsc-sandboxd" not in runtimes:
        pytest.skip("no gVisor: the engine has no runtime `runsc-sandboxd`")
    return name


@pytest.mark.parametrize("runtime", ["runc", "gvisor"], indirect=True)
def test_programs_work_by_allowed_names_and_reach_no_other(
    engine: str, image: str, internet: Outside, tmp_path: Path, runtime: str
) -> None:
    api = connect_from({"DOCKER_HOST": engine})
    project = sandboxes.make_project(tmp_path / "ws", image, runtime)
    plan = sandboxes.plan_of(project, sandboxes.facts_of(engine))._replace(egress=ALLOWED)
    up_down.up(api, plan, lambda _text: None)

    def inside(text: str) -> str:
        words = ["exec", "-n", "sh", "-c", f"export HOME=/tmp; {text}"]
        done = sandboxes.run(engine, project, *words)
        return str(done.stdout) + str(done.stderr)

    try:
        for name, (command, expected) in CLIENTS.items():
            if not shutil.which(name) and name != "pip":
                continue
            output = inside(f"unset {PROXIES}; {command}")
            assert expected in output, f"{name}: {output}"
        # With the variables that the sandbox has, by the proxy.
        for name in ("curl", "git", "pip"):
            command, expected = CLIENTS[name]
            output = inside(command)
            assert expected in output, f"{name} by the proxy: {output}"
        for name, (command, _) in CLIENTS.items():
            denied = command.replace("code.test", "evil.test").replace("cache.test", "code.test")
            denied = denied.replace("base.test", "code.test")
            output = inside(f"unset {PROXIES}; {denied.replace('shell.test', 'cache.test')}")
            assert not any(expected in output for _, expected in CLIENTS.values()), name
        assert "evil.test" not in internet.asked
    finally:
        up_down.down(api, plan.workspace, lambda _text: None, discard=True)
    assert [*api.containers(PROJECT), *api.containers(GATEWAY)] == []
