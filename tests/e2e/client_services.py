"""What programs of daily work find in an internet of the tests: a forge, registries, a cache, a database."""

from __future__ import annotations

import functools
import http.server
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandboxd.verify import listeners
from tests import certificates
from tests.e2e import https_server, outside, tiny_packages
from tests.patience import eventually

HOST = "code.test"
"""Of all that is reached by HTTPS."""
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")

# It wants a folder of its own in /run.
_SSHD_START = 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$@"'


def authority(folder: Path) -> None:
    """`ca.pem`, and what it vouches for as `HOST`: `leaf.pem`, `leaf.key`. Some clients refuse one for both."""
    certificates.self_signed(folder, "tests", key="ca.key", certificate="ca.pem")
    name = f"subjectAltName=DNS:{HOST}"
    certificates.signed(folder, HOST, name, key="leaf.key", certificate="leaf.pem")


def keys(folder: Path) -> None:
    """Of ssh: `host` of the server and `user` of whoever may log in, with `known_hosts`."""
    for name in ("host", "user"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True)
    (folder / "known_hosts").write_text(f"shell.test {(folder / 'host.pub').read_text()}")


def make_site(folder: Path) -> None:
    """All files that are served: a page, a repository, and the packages of four registries."""
    (folder / "page.txt").write_text("a page\n")
    tiny_packages.make_repository(folder / "work", folder / "repo.git")
    index = folder / "simple/tiny"
    index.mkdir(parents=True)
    name = "tiny-1.0-py3-none-any.whl"
    (index / name).write_bytes(tiny_packages.wheel())
    (index / "index.html").write_text(f'<a href="{name}">{name}</a>')
    (folder / "tiny/-").mkdir(parents=True)
    (folder / "tiny/-/tiny-1.0.0.tgz").write_bytes(tiny_packages.tarball())
    tiny_packages.write_go_proxy(folder / "go")


@contextmanager
def served(pid: int, site: Path, secrets: Path) -> Iterator[None]:
    """All of them in the network namespace of process `pid`, while the block runs."""
    web = _https(pid, site, secrets)
    lines = [
        _answering(pid, 6379, lambda data: b"+PONG\r\n" if data else b""),
        _answering(pid, 5432, _database),
    ]
    try:
        with _sshd(pid, secrets):
            yield
    finally:
        web.shutdown()
        web.server_close()
        for line in lines:
            line.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _https(pid: int, folder: Path, secrets: Path) -> http.server.ThreadingHTTPServer:
    handler = functools.partial(_Quiet, directory=str(folder))
    return https_server.serve(pid, handler, secrets / "leaf.pem", secrets / "leaf.key")


@contextmanager
def _sshd(pid: int, secrets: Path) -> Iterator[None]:
    """A real one, where this machine has it; whoever has the user's key is root there."""
    if SSHD is None:
        yield
        return
    options = {
        "HostKey": secrets / "host",
        "AuthorizedKeysFile": secrets / "user.pub",
        "ListenAddress": f"{outside.ADDRESS}:22",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "prohibit-password",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    start = ["nsenter", "-t", str(pid), "-n", "unshare", "-m", "sh", "-c", _SSHD_START, "sh", SSHD]
    with subprocess.Popen([*start, "-D", "-e", "-f", "/dev/null", *words]) as process:
        try:
            eventually(lambda: _is_open(pid, 22))
            yield
        finally:
            process.terminate()


def _is_open(pid: int, port: int) -> bool:
    with listeners.network_of(pid):
        sock = socket.socket()
    with sock:
        return sock.connect_ex((outside.ADDRESS, port)) == 0


def _database(data: bytes) -> bytes:
    """No to TLS, and to a log-in a refusal with words (PostgreSQL's protocol, version 3)."""
    if len(data) == 8:
        return b"N"
    fields = b"SFATAL\0C28000\0Ma database of the tests\0\0"
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields if data else b""


def _answering(pid: int, port: int, reply: Callable[[bytes], bytes]) -> socket.socket:
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
