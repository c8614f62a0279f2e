"""Namespaces, an internet and a gateway for the tests of this folder; they need root."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.egress.broker_wire import Credentials
from tests.integration.egress.credential_service import (
    SECRET,
    Certificate,
    CredentialService,
    certificate,
)
from tests.integration.egress.credentials import ADDRESS, BINDING, HOST, POLICY, give
from tests.integration.egress.internet import (
    NameServer,
    Services,
    banner,
    echo,
    redis,
    sink,
    source,
    tls_echo,
)
from tests.integration.egress.namespaces import INTERNET, CannotMake, Namespaces
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import Workspace


@pytest.fixture(scope="session")
def namespaces() -> Iterator[Namespaces]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root: NO GATEWAY IS TESTED")
    try:
        worlds = Namespaces()
    except CannotMake as error:
        pytest.skip(f"no network namespaces here: NO GATEWAY IS TESTED: {error}")
    yield worlds
    worlds.close()


@pytest.fixture(scope="session")
def name_server(namespaces: Namespaces) -> Iterator[NameServer]:
    server = NameServer(namespaces)
    yield server
    server.close()


@pytest.fixture(scope="session")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate and its key, which nobody trusts."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=internet"]
    try:
        subprocess.run(
            [*words, "-keyout", f"{path}.key", "-out", f"{path}.crt"],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("no openssl: TLS THROUGH THE GATEWAY IS NOT TESTED")
    path.write_bytes(Path(f"{path}.key").read_bytes() + Path(f"{path}.crt").read_bytes())
    return str(path)


@pytest.fixture(scope="session")
def services(namespaces: Namespaces, untrusted: str) -> Iterator[Services]:
    running = Services(namespaces)
    for address in (INTERNET, "169.254.169.254"):
        running.serve(80, running.http, address)
    running.serve(443, tls_echo(untrusted))
    for port, use in ((22, banner), (7, echo), (6379, redis), (9000, source), (9001, sink)):
        running.serve(port, use)
    yield running
    running.close()


@pytest.fixture
def program(
    namespaces: Namespaces, name_server: NameServer, services: Services, tmp_path: Path
) -> Iterator[Program]:
    """A gateway of the test's own."""
    name_server.records = {"open.example": [INTERNET], "other.example": [INTERNET]}
    name_server.asked.clear()
    services.heads.clear()
    running = Program(namespaces, tmp_path)
    yield running
    running.close()
    assert (tmp_path / "errors.txt").read_text() == "", "something that no part expected"


@pytest.fixture
def workspace(program: Program, namespaces: Namespaces) -> Workspace:
    return Workspace(namespaces)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    try:
        return certificate(tmp_path_factory.mktemp("tls"), HOST)
    except FileNotFoundError:
        pytest.skip("no openssl: CREDENTIALS ARE NOT TESTED")


@pytest.fixture
def service(namespaces: Namespaces, served: Certificate) -> Iterator[CredentialService]:
    running = CredentialService(namespaces.listener(ADDRESS, 443), served)
    yield running
    running.close()


@pytest.fixture
def gateway(
    program: Program,
    service: CredentialService,
    served: Certificate,
    name_server: NameServer,
    tmp_path: Path,
) -> Iterator[Program]:
    """One with the credential; after the test, nothing that it said holds the secret."""
    name_server.records = {HOST: [ADDRESS]}
    program.set(POLICY)
    give(program, Credentials((BINDING,), served.pem))
    yield program
    assert SECRET not in json.dumps(program.events)
    assert SECRET not in (tmp_path / "errors.txt").read_text()
    for name in ("environ", "cmdline"):
        assert SECRET.encode() not in Path(f"/proc/{program.process.pid}/{name}").read_bytes()
