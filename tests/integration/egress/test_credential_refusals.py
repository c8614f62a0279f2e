"""Credentials at the real gateway go to the service that they are bound to, and nowhere else."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
from pathlib import Path

import pytest

from sandboxd.egress.broker_wire import Credentials, credentials_to_json
from sandboxd.egress.gateway import dns
from sandboxd.egress.gateway.credential_door import MOST_OPEN
from sandboxd.egress.layout import GATEWAY_NAME
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from tests.integration.egress.attempts import DECOY
from tests.integration.egress.credential_service import (
    SECRET,
    Certificate,
    CredentialService,
    certificate,
)
from tests.integration.egress.credentials import (
    ADDRESS,
    BINDING,
    HOST,
    OWN,
    POLICY,
    PORT,
    Client,
    credential,
    give,
)
from tests.integration.egress.internet import NameServer
from tests.integration.egress.namespaces import PLACE, WORKSPACE, Namespaces
from tests.integration.egress.program import Event, Program
from tests.integration.egress.workspace import Workspace, receive
from tests.patience import PATIENCE, eventually


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"{HOST}", GATEWAY_NAME, f"{GATEWAY_NAME}:80", f"{GATEWAY_NAME}:8102",
     "localhost:8101", f"{GATEWAY_NAME}.evil.example:{PORT}", f"x@{OWN}", f"{OWN}, {HOST}"],
)  # fmt: skip
def test_48_a_spoofed_host_gets_nothing(
    gateway: Program, workspace: Workspace, service: CredentialService, host: str
) -> None:
    """agentcage #175"""
    status, body, _ = Client(workspace, HOST).ask("/v1/user", Host=host)
    assert status == 403 and b"names another host" in body
    assert service.handshakes == 0
    assert credential(gateway, "refused")["reason"] == "host"


@pytest.mark.parametrize(
    "head",
    [
        f"GET /v1 HTTP/1.1\r\nHost: {OWN}\r\nHost: {HOST}\r\n\r\n",
        "GET /v1 HTTP/1.1\r\n\r\n",
        f"GET /v1 HTTP/1.1\nHost: {OWN}\n\n",
        f"GET /v1 HTTP/1.1\r\nHost: {OWN}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        f"GET /v1 HTTP/1.1\r\nHost : {OWN}\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        f"GET /v1 HTTP/1.1\r\nHost: {OWN}\r\nX: {'y' * 40_000}\r\n\r\n",
    ],
)
def test_a_head_that_breaks_the_rules_gets_nothing(
    gateway: Program, workspace: Workspace, service: CredentialService, head: str
) -> None:
    assert workspace.say(PLACE.gateway, PORT, head.encode())[:10] in ("HTTP/1.1 4", "HTTP/1.1 5")
    assert service.handshakes == 0


@pytest.mark.parametrize(
    ("method", "path", "reason"),
    [
        ("GET", "/v2/user", "path"),
        ("GET", "/v1x", "path"),
        ("GET", "/v1/../v2", "ambiguous"),
        ("GET", "/v1/%2e%2e/v2", "ambiguous"),
        ("GET", f"https://{HOST}/v1", "ambiguous"),
        ("GET", f"http://{OWN}/v1", "ambiguous"),
        ("OPTIONS", "*", "method"),
        ("DELETE", "/v1/user", "method"),
        ("TRACE", "/v1/user", "method"),
        ("CONNECT", f"{HOST}:443", "method"),
        ("GET", "/v1?x-more-rights=1", "query"),
    ],
)
def test_a_request_that_the_credential_is_not_for_is_not_sent(
    gateway: Program,
    workspace: Workspace,
    service: CredentialService,
    method: str,
    path: str,
    reason: str,
) -> None:
    head = f"{method} {path} HTTP/1.1\r\nHost: {OWN}\r\n\r\n"
    answer = workspace.say(PLACE.gateway, PORT, head.encode())
    assert answer.startswith("HTTP/1.1 403") and "credential: stub" in answer
    assert service.handshakes == 0
    assert credential(gateway, "refused")["reason"] == reason


def test_a_server_that_is_not_trusted_gets_nothing(
    gateway: Program,
    workspace: Workspace,
    service: CredentialService,
    name_server: NameServer,
    tmp_path: Path,
) -> None:
    give(gateway, Credentials((BINDING,), certificate(tmp_path, "other.example").pem))
    status, body, _ = Client(workspace).ask("/v1/user")
    assert status == 502 and b"certificate" in body
    assert b"issued by `" in body and b"`network_ca`" in body, "it may be that of a proxy"
    assert credential(gateway, "failed")["reason"] == "tls"
    assert service.requests == []


def test_a_certificate_of_another_host_is_not_enough(
    gateway: Program,
    workspace: Workspace,
    service: CredentialService,
    served: Certificate,
    name_server: NameServer,
) -> None:
    name_server.records = {"api2.example": [ADDRESS]}
    give(gateway, Credentials((BINDING._replace(host="api2.example"),), served.pem))
    status, body, _ = Client(workspace).ask("/v1/user")
    assert status == 502 and b"ostname mismatch" in body
    assert service.requests == []


@pytest.mark.parametrize(
    ("records", "reason"),
    [(["127.0.0.1"], "address"), (["169.254.169.254"], "address"), ([PLACE.gateway], "address"),
     (["10.9.9.9"], "address"), (["93.184.0.77"], "unreachable")],
)  # fmt: skip
def test_the_host_is_dialled_by_the_same_judgement_as_any_other(
    gateway: Program,
    workspace: Workspace,
    service: CredentialService,
    name_server: NameServer,
    records: list[str],
    reason: str,
) -> None:
    name_server.records = {HOST: records}
    status, _, _ = Client(workspace).ask("/v1/user")
    assert status == 502
    assert credential(gateway, "failed")["reason"] == reason
    assert service.handshakes == 0


@pytest.mark.parametrize(
    ("path", "field", "body"),
    [
        (f"/v1/{DECOY}", "x", b""),
        ("/v1", f"Bearer {DECOY}", b""),
        ("/v1", "x", b"{" + DECOY.encode()),
    ],
    ids=["path", "header", "body"],
)
def test_a_decoy_of_the_sandbox_is_not_sent_and_told(
    gateway: Program, workspace: Workspace, service: CredentialService,
    path: str, field: str, body: bytes,
) -> None:  # fmt: skip
    gateway.set(POLICY._replace(decoys=(DECOY,)))
    with contextlib.suppress(http.client.HTTPException, OSError):
        status, _, _ = Client(workspace).ask(path, "POST", body, Authorization=field)
        assert status == 403
    assert [seen for seen in service.requests if DECOY in seen.path] == []
    assert gateway.denied(HOST, "canary")["door"] == "credential"
    assert credential(gateway, "refused")["reason"] == "canary"


def test_a_host_that_is_denied_gets_no_credential(
    gateway: Program, workspace: Workspace, service: CredentialService
) -> None:
    gateway.set(POLICY._replace(denied=(pattern(HOST),)))
    status, body, _ = Client(workspace).ask("/v1/user")
    assert status == 403 and b"denied" in body
    assert service.handshakes == 0


def test_a_service_of_the_project_with_the_hosts_name_gets_nothing(
    gateway: Program, workspace: Workspace, service: CredentialService
) -> None:
    gateway.set(POLICY._replace(services=((HOST, WORKSPACE),)))
    with workspace.namespaces.new_socket(workspace.namespaces.workspace) as listener:
        listener.bind((WORKSPACE, 443))
        listener.listen()
        listener.setblocking(False)
        assert Client(workspace).ask("/v1/user")[0] == 200
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert len(service.requests) == 1


def test_51_without_its_secret_a_request_goes_nowhere(
    program: Program, workspace: Workspace, service: CredentialService, name_server: NameServer
) -> None:
    """A gateway that was started again, and nobody who knows the secret"""
    name_server.records = {HOST: [ADDRESS]}
    program.set(POLICY)
    status, body, _ = Client(workspace).ask("/v1/user", Authorization="Bearer placeholder")
    assert status == 503 and b"sandboxd up" in body and b"credential: stub" in body
    assert credential(program, "refused")["reason"] == "missing"
    assert service.handshakes == 0 and name_server.asked == []


def test_a_secret_that_the_policy_does_not_name_is_not_served(
    program: Program, workspace: Workspace, service: CredentialService, served: Certificate
) -> None:
    assert give(program, Credentials((BINDING,), served.pem))["services"] == [["stub", PORT]]
    assert workspace.say(PLACE.gateway, PORT, b"x") == "refused"
    program.set(Policy(credentials=(("other", PORT),)))
    assert Client(workspace).ask("/v1/user")[0] == 503
    program.set(Policy(credentials=(("stub", 8102),)))
    assert workspace.say(PLACE.gateway, PORT, b"x") == "refused"
    assert service.handshakes == 0


@pytest.mark.parametrize(
    "change",
    [
        {"bindings": [{"value": SECRET}]},
        {"bindings": [{**BINDING._asdict(), "value": f"{SECRET}\r\nX: y"}]},
        {"roots": "no certificates"},
        {"mark": 7},
        {"more": SECRET},
    ],
)
def test_a_command_that_cannot_be_followed_leaves_no_credential(
    gateway: Program, workspace: Workspace, served: Certificate, change: dict[str, object]
) -> None:
    assert Client(workspace).ask("/v1/user")[0] == 200
    after = gateway.last
    command = {"op": "credentials", **credentials_to_json(Credentials((BINDING,), served.pem))}
    gateway.send({**command, "mark": "m", **change})
    event = gateway.wait(lambda event: event["event"] == "refused", after)
    assert event["op"] == "credentials"
    assert Client(workspace).ask("/v1/user")[0] == 503
    assert workspace.connect("x.example:443").startswith("HTTP/1.1 403")


def test_half_a_line_with_a_secret_is_not_repeated(gateway: Program, workspace: Workspace) -> None:
    after = gateway.last
    gateway.send_line(f'{{"op":"credentials","bindings":[{{"value":"{SECRET}"'.encode())
    gateway.wait(lambda event: event["event"] == "refused", after)
    gateway.set(POLICY)
    assert Client(workspace).ask("/v1/user")[0] == 503


def test_a_credential_that_is_taken_back_ends_what_goes_on(
    gateway: Program, workspace: Workspace
) -> None:
    with workspace.tcp(PLACE.gateway, PORT) as sock:
        sock.sendall(f"GET /v1/sse HTTP/1.1\r\nHost: {OWN}\r\n\r\n".encode())
        receive(sock, b"data: 0")
        gateway.set(POLICY._replace(rules=(Rule(pattern("more.example"), (443,)),)), cut=True)
        with pytest.raises(TimeoutError):
            sock.settimeout(0.3)
            receive(sock, b"never")
        gateway.set(Policy(), cut=True)
        sock.settimeout(PATIENCE)
        with pytest.raises((ConnectionError, AssertionError)):
            receive(sock, b"never")


def test_the_port_is_not_there_for_anybody_outside_of_the_inner_network(
    gateway: Program, namespaces: Namespaces
) -> None:
    """A second sandbox: it is on another network, from where only the outer side can be tried."""
    route = ["ip", "-n", namespaces.internet, "route"]
    subprocess.run([*route, "add", PLACE.subnet, "via", "93.184.0.2"], check=True)
    try:
        for address in (PLACE.gateway, "93.184.0.2"):
            with namespaces.new_socket(namespaces.internet) as sock:
                sock.settimeout(5)
                with pytest.raises(OSError):
                    sock.connect((address, PORT))
    finally:
        subprocess.run([*route, "del", PLACE.subnet], check=True)


def test_no_other_door_leads_to_it(gateway: Program, workspace: Workspace) -> None:
    for target in (OWN, f"{PLACE.gateway}:{PORT}", f"{HOST}:443"):
        assert workspace.connect(target).startswith("HTTP/1.1 403")
    assert workspace.socks(GATEWAY_NAME.encode(), PORT) == "code 2"
    assert workspace.lookup(HOST) == (dns.NO_SUCH_NAME, ())


def test_50_a_crash_leaves_no_image_of_the_memory(gateway: Program) -> None:
    limits = Path(f"/proc/{gateway.process.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["1", "1"]


def test_connections_are_bounded(
    gateway: Program, workspace: Workspace, service: CredentialService
) -> None:
    socks: list[socket.socket] = []

    def failures() -> list[Event]:
        # Those that say nothing are let go after a while: a slow machine may not have all of them at once.
        while len(socks) > MOST_OPEN:
            socks.pop(0).close()
        socks.append(workspace.tcp(PLACE.gateway, PORT))
        return [event for event in gateway.events if event.get("outcome") == "failed"]

    try:
        for _ in range(MOST_OPEN):
            failures()
        event, *_ = eventually(failures)
        assert event["reason"] == "full"
    finally:
        for sock in socks:
            sock.close()
    eventually(lambda: Client(workspace).ask("/v1/user")[0] == 200)
