"""Engines that are reached by DOCKER_HOST, by a context, and by TCP with TLS on loopback.

The last one has a mount namespace of its own, so it sees other folders than this machine: what it
would mount is looked at before anything starts.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e import outside, sandboxes
from tests.e2e.test_private_engine import ROOT
from tests.patience import eventually
from tools.engine import private
from tools.engine.image import import_busybox_image

pytestmark = pytest.mark.engine

PORT = 23760


class Remote(NamedTuple):
    """An engine with TLS in its own network namespace, and the client's certificates."""

    engine: private.Engine
    certificates: Path
    covered: Path
    image: str

    def run(self, environ: dict[str, str], folder: Path, *arguments: str) -> Any:
        """`sandboxd` in the engine's network namespace: its loopback is not this machine's."""
        return subprocess.run(
            [
                *("nsenter", f"--net=/proc/{self.engine.pid}/ns/net", "env", "-C", str(folder)),
                *(sys.executable, "-m", "sandboxd", *arguments),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        )

    def by_variables(self) -> dict[str, str]:
        return {
            "DOCKER_HOST": f"tcp://127.0.0.1:{PORT}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(self.certificates),
        }


def make_certificates(folder: Path) -> None:
    """A certificate authority, a server's certificate for 127.0.0.1 and a client's."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=test ca")
    for name, extra in (
        ("server", "subjectAltName=IP:127.0.0.1"),
        ("", "extendedKeyUsage=clientAuth"),
    ):
        prefix = f"{name}-" if name else ""
        request = f"{prefix}request.pem"
        openssl("req", *key, "-keyout", f"{prefix}key.pem", "-out", request, "-subj", "/CN=x")
        (folder / "extensions").write_text(extra)
        openssl(
            *("x509", "-req", "-in", request, "-CA", "ca.pem", "-CAkey", "ca-key.pem"),
            *("-CAcreateserial", "-out", f"{prefix}cert.pem", "-extfile", "extensions"),
        )


@pytest.fixture(scope="module")
def remote(own_engines: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    if shutil.which("openssl") is None:
        pytest.skip("no TLS engine: openssl is not installed")
    folder = tmp_path_factory.mktemp("remote")
    certificates, covered = folder / "certificates", folder / "covered"
    certificates.mkdir()
    (covered / "project").mkdir(parents=True)
    make_certificates(certificates)
    engine = private.start(
        f"remote-{os.getpid()}",
        owner=os.getpid(),
        gvisor=False,
        arguments=(
            f"--host=tcp://127.0.0.1:{PORT}",
            "--tlsverify",
            f"--tlscacert={certificates}/ca.pem",
            f"--tlscert={certificates}/server-cert.pem",
            f"--tlskey={certificates}/server-key.pem",
            f"--dns={outside.ADDRESS}",
        ),
        # The engine sees an empty folder where the workspace is.
        prepare=f"mount -t tmpfs tmpfs {covered} && mkdir {covered}/project",
    )
    try:
        yield Remote(engine, certificates, covered, import_busybox_image(engine.docker_host))
    finally:
        private.stop(engine.folder)


def make_context(home: Path, name: str, host: str, certificates: Path | None = None) -> None:
    """What `docker context create` and `docker context use` write."""
    docker, digest = home / ".docker", hashlib.sha256(name.encode()).hexdigest()
    meta = docker / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": False}
    meta.joinpath("meta.json").write_text(
        json.dumps({"Name": name, "Endpoints": {"docker": endpoint}})
    )
    docker.joinpath("config.json").write_text(json.dumps({"currentContext": name}))
    if certificates is not None:
        tls = docker / "contexts" / "tls" / digest / "docker"
        tls.mkdir(parents=True)
        for file in ("ca.pem", "cert.pem", "key.pem"):
            shutil.copy(certificates / file, tls / file)


def test_by_a_context(engine: str, own_home: Path, tmp_path: Path) -> None:
    make_context(own_home, "second", engine)
    shown = subprocess.run(
        [sys.executable, "-m", "sandboxd", "doctor", "--json"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    facts = json.loads(shown.stdout)
    assert facts["engine"]["host"] == engine and facts["engine"]["context"] == "second"
    assert facts["engine"]["error"] == ""


@pytest.mark.parametrize("way", ["variables", "context"])
def test_by_tls(remote: Remote, own_home: Path, tmp_path: Path, way: str) -> None:
    environ = remote.by_variables()
    if way == "context":
        make_context(own_home, "far", environ["DOCKER_HOST"], remote.certificates)
        environ = {}
    shown = remote.run(environ, tmp_path, "doctor", "--json")
    facts = json.loads(shown.stdout)
    assert facts["engine"]["error"] == ""
    assert facts["platform"] == "remote" and facts["engine"]["tls"] is True
    assert [r["usable"] for r in facts["runtimes"]] == [True]


def test_without_the_certificate_there_is_no_engine(remote: Remote, tmp_path: Path) -> None:
    plain = remote.run({"DOCKER_HOST": f"tcp://127.0.0.1:{PORT}"}, tmp_path, "doctor", "--json")
    assert plain.returncode == 4
    broken = remote.by_variables() | {"DOCKER_CERT_PATH": str(tmp_path)}
    assert "cannot read the engine's TLS files" in remote.run(broken, tmp_path, "doctor").stdout


def test_a_workspace_that_it_sees_is_started(remote: Remote, tmp_path: Path) -> None:
    project = sandboxes.make_project(tmp_path / "seen", remote.image, "runc")
    started = remote.run(remote.by_variables(), project, "up")
    try:
        assert started.returncode == 0, started.stderr
        shown = remote.run(remote.by_variables(), project, "exec", "--", "cat", "main.py")
        assert shown.stdout == "print('hello')\n"
    finally:
        remote.run(remote.by_variables(), project, "down")


def test_names_are_reached_through_a_gateway_there(remote: Remote, tmp_path: Path) -> None:
    project = sandboxes.make_project(tmp_path / "named", remote.image, "runc")
    with project.joinpath("sandboxd.toml").open("a") as config:
        config.write('[network]\nallow = ["allowed.test:80"]\n')
    sandboxes.grant(project)
    environ = remote.by_variables()

    def page(name: str) -> Any:
        words = ["exec", "-n", "--", "wget", "-T", "60", "-q", "-O", "-", f"http://{name}/"]
        return remote.run(environ, project, *words)

    with outside.outside(remote.engine.pid) as served:
        served.names.update({"allowed.test", "evil.test"})
        try:
            started = remote.run(environ, project, "up")
            assert started.returncode == 0, started.stderr
            assert "`sandboxd-ask` is left out" in started.stderr
            done = page("allowed.test")
            assert done.stdout == "outside for allowed.test\n", done.stderr
            assert "403" in page("evil.test").stderr
            assert "evil.test" not in served.asked
            assert "evil.test" in remote.run(environ, project, "egress", "log").stdout
            allowed = remote.run(environ, project, "egress", "allow", "evil.test:80")
            assert allowed.returncode == 0, allowed.stderr
            assert page("evil.test").stdout == "outside for evil.test\n"
        finally:
            remote.run(environ, project, "down", "--discard")


def test_work_in_a_copy_comes_out_of_it(remote: Remote, tmp_path: Path) -> None:
    project = sandboxes.make_project(tmp_path / "copied", remote.image, "runc")
    with project.joinpath("sandboxd.toml").open("a") as config:
        config.write('[workspace]\nlayout = "clone"\n')
    sandboxes.grant(project)
    environ = remote.by_variables()
    started = remote.run(environ, project, "up")
    try:
        assert started.returncode == 0, started.stderr
        assert remote.run(environ, project, "exec", "--", "touch", "new.txt").returncode == 0
        shown = remote.run(environ, project, "review", "--diff")
        assert "A new.txt" in shown.stdout, shown.stderr
    finally:
        ended = remote.run(environ, project, "down")
    assert "kept: `sandboxd review`" in ended.stderr


def test_an_empty_folder_in_its_place_is_refused(remote: Remote) -> None:
    project = remote.covered / "project"
    shutil.rmtree(project)
    sandboxes.make_project(project, remote.image, "runc")
    refused = remote.run(remote.by_variables(), project, "up")
    assert refused.returncode == 4
    assert "mounts from its own disk" in refused.stderr and "is not there" in refused.stderr
    listed = remote.run(remote.by_variables(), project, "list")
    assert str(project) not in listed.stdout, "nothing of the attempt is left"


def test_a_folder_that_it_does_not_have_is_refused(remote: Remote) -> None:
    project = sandboxes.make_project(remote.covered / "nowhere", remote.image, "runc")
    refused = remote.run(remote.by_variables(), project, "up")
    assert refused.returncode == 4 and "mounts from its own disk" in refused.stderr


def test_a_forwarded_socket_is_not_taken_for_this_machine(remote: Remote, own_home: Path) -> None:
    """ssh forwards a socket: its address looks local, and the folders are not."""
    path = own_home / "forwarded.sock"
    relay = subprocess.Popen(
        [sys.executable, "-c", _RELAY, str(path), remote.engine.docker_host[7:]]
    )
    try:

        def listens() -> bool:
            assert relay.poll() is None
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(str(path)) == 0

        eventually(listens)
        project = sandboxes.make_project(remote.covered / "other", remote.image, "runc")
        refused = sandboxes.run(f"unix://{path}", project, "up")
        assert refused.returncode == 4 and "mounts from its own disk" in refused.stderr
    finally:
        relay.kill()
        relay.wait()


_RELAY = """
import asyncio, sys
async def copy(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def serve(reader, writer):
    there, back = await asyncio.open_unix_connection(sys.argv[2])
    await asyncio.gather(copy(reader, back), copy(there, writer), return_exceptions=True)
async def main():
    server = await asyncio.start_unix_server(serve, sys.argv[1])
    await server.serve_forever()
asyncio.run(main())
"""
