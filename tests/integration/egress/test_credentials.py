"""Credentials at the real gateway: tools inside work with them, and never have them."""

from __future__ import annotations

import hashlib
import socket

from sandboxd.egress.broker_wire import Credentials
from sandboxd.egress.gateway import dns
from sandboxd.egress.layout import GATEWAY_NAME
from sandboxd.egress.policy import Policy
from tests.integration.egress.credential_service import (
    SECRET,
    VALUE,
    Certificate,
    CredentialService,
    Seen,
)
from tests.integration.egress.credentials import (
    BINDING,
    HOST,
    OWN,
    PORT,
    Client,
    credential,
    give,
)
from tests.integration.egress.namespaces import PLACE
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import Workspace, one_by_one, receive
from tests.patience import PATIENCE


def test_the_secret_is_set_on_the_way_out_and_the_clients_own_taken_off(
    gateway: Program, workspace: Workspace, service: CredentialService
) -> None:
    """49"""
    status, body, _ = Client(workspace).ask(
        "/v1/user?x=1",
        Authorization="Bearer of-somebody-else",
        Proxy_Authorization="Basic eDp5",
        Cookie="session=2",
        X_Api_Key="k",
        X_More_Rights="yes",
        X_Version="1",
        X_HTTP_Method_Override="DELETE",
        Connection="x-other",
        X_Other="for the gateway",
        Accept="text/plain",
    )
    assert (status, body) == (200, b"GET /v1/user?x=1")
    (seen,) = service.requests
    assert seen == Seen(
        "GET",
        "/v1/user?x=1",
        {
            "host": HOST,
            "accept-encoding": "identity",
            "accept": "text/plain",
            "connection": "close",
            "x-version": "7",
            "authorization": VALUE,
        },
    )
    event = credential(gateway, "used")
    assert (event["service"], event["status"], event["count"]) == ("stub", 200, 1)


def test_its_name_is_known_inside_and_its_address_works_as_well(
    gateway: Program, workspace: Workspace, service: CredentialService
) -> None:
    assert workspace.lookup(GATEWAY_NAME) == (dns.NO_ERROR, (PLACE.gateway,))
    assert workspace.lookup(GATEWAY_NAME.upper(), tcp=True) == (dns.NO_ERROR, (PLACE.gateway,))
    assert workspace.lookup(GATEWAY_NAME, dns.AAAA) == (dns.NO_ERROR, ())
    assert Client(workspace, f"{PLACE.gateway}:{PORT}").ask("/v1")[0] == 200
    gateway.set(Policy())
    assert workspace.lookup(GATEWAY_NAME) == (dns.NO_SUCH_NAME, ())


def test_a_second_request_is_judged_anew(
    gateway: Program, workspace: Workspace, service: CredentialService
) -> None:
    client = Client(workspace)
    assert client.ask("/v1/one")[0] == 200
    assert client.ask("/v1/two", "POST", b"body")[0] == 200
    assert client.ask("/v2/three")[0] == 403
    assert [seen.path for seen in service.requests] == ["/v1/one", "/v1/two"]


def test_a_redirect_is_an_answer_that_nobody_follows(
    gateway: Program, workspace: Workspace, service: CredentialService
) -> None:
    client = Client(workspace)
    for there, location in (
        (f"https://{HOST}/v1/next?a=b", f"http://{OWN}/v1/next?a=b"),
        (f"HTTPS://{HOST.upper()}:443/v1", f"http://{OWN}/v1"),
        ("/v1/next", "/v1/next"),
        (f"http://{HOST}/v1", f"http://{HOST}/v1"),
        (f"https://{HOST}:8443/v1", f"https://{HOST}:8443/v1"),
        (f"https://{HOST}.evil.example/", f"https://{HOST}.evil.example/"),
        (f"https://evil.example/?https://{HOST}/", f"https://evil.example/?https://{HOST}/"),
    ):
        status, _, headers = client.ask(f"/v1/redirect?{there}")
        assert (status, headers["Location"]) == (302, location)
    assert {seen.path.partition("?")[0] for seen in service.requests} == {"/v1/redirect"}
    link = client.ask("/v1/link")[2]["Link"]
    assert link == f'<http://{OWN}/v1/x?page=2>; rel="next", <https://b.example/y>; rel="z"'


def test_an_echo_of_the_secret_and_a_session_do_not_come_in(
    gateway: Program, workspace: Workspace
) -> None:
    status, _, headers = Client(workspace).ask("/v1/echo")
    assert status == 200
    assert headers["X-Other"] == "stays"
    assert not {"x-echo", "x-part", "set-cookie"} & {name.lower() for name in headers}


def test_events_come_one_by_one(
    gateway: Program, workspace: Workspace, service: CredentialService
) -> None:
    with workspace.tcp(PLACE.gateway, PORT) as sock:
        sock.sendall(f"GET /v1/sse HTTP/1.1\r\nHost: {OWN}\r\n\r\n".encode())
        one_by_one(sock, b"\r\n\r\n")
        for number in range(3):
            assert receive(sock, b"\n\n\r\n") == b"9\r\ndata: %d\n\n\r\n" % number
            service.go_on.set()
        assert receive(sock, b"0\r\n\r\n") == b"0\r\n\r\n"


def test_a_body_is_sent_on_as_it_comes_after_100_continue(
    gateway: Program, workspace: Workspace, service: CredentialService
) -> None:
    with workspace.tcp(PLACE.gateway, PORT) as sock:
        head = f"POST /v1/upload HTTP/1.1\r\nHost: {OWN}\r\nTransfer-Encoding: chunked\r\n"
        sock.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert one_by_one(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        sock.sendall(b"5\r\nfirst\r\n")
        assert service.arrived.wait(PATIENCE), "the first chunk waits for the second"
        sock.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
        digest = hashlib.sha256(b"firstsecond").hexdigest().encode()
        assert digest in receive(sock, digest)


def test_large_bodies_arrive_whole_both_ways(gateway: Program, workspace: Workspace) -> None:
    client = Client(workspace)
    body = bytes(range(256)) * (1 << 16)
    digest = hashlib.sha256(body).hexdigest().encode()
    assert client.ask("/v1/upload", "POST", body)[1] == digest
    pieces = (body[start : start + 99_991] for start in range(0, len(body), 99_991))
    assert client.ask("/v1/upload", "POST", pieces)[1] == digest
    assert client.ask("/v1/download?256")[1] == bytes(256 << 16)
    assert client.ask("/v1/download?256", "HEAD")[:2] == (200, b"")


def test_a_service_that_says_no_in_the_middle_of_an_upload_is_heard(
    gateway: Program, workspace: Workspace
) -> None:
    with workspace.tcp(PLACE.gateway, PORT) as sock:
        sock.sendall(
            f"POST /v1/early HTTP/1.1\r\nHost: {OWN}\r\nContent-Length: 99999\r\n\r\nx".encode()
        )
        assert b"revoked" in receive(sock, b"revoked")
    event = credential(gateway, "rejected")
    assert (event["service"], event["status"]) == ("stub", 401)


def test_a_service_that_ends_a_stream_in_the_middle_leaves_it_unfinished(
    gateway: Program, workspace: Workspace, service: CredentialService, served: Certificate
) -> None:
    with workspace.tcp(PLACE.gateway, PORT) as sock:
        sock.sendall(f"GET /v1/broken HTTP/1.1\r\nHost: {OWN}\r\n\r\n".encode())
        assert receive(sock, b"0\n\n\r\n").endswith(b"9\r\ndata: 0\n\n\r\n")
        # No end of the body, which a client would take for a whole answer.
        rest = b""
        try:
            while piece := sock.recv(4096):
                rest += piece
        except ConnectionResetError:
            pass
        assert rest == b""
    assert credential(gateway, "failed")["reason"] == "malformed"
    give(gateway, Credentials((BINDING._replace(value="Bearer revoked-secret"),), served.pem))
    assert Client(workspace).ask("/v1/user")[0] == 401
    assert credential(gateway, "rejected")["status"] == 401


def test_a_rejected_secret_is_told(
    gateway: Program, workspace: Workspace, served: Certificate
) -> None:
    give(gateway, Credentials((BINDING._replace(value=f"Bearer old-{SECRET}"),), served.pem))
    status, body, headers = Client(workspace).ask("/v1/user")
    assert (status, body) == (401, b"who are you?")
    assert headers["WWW-Authenticate"] == 'Basic realm="service"'
    assert credential(gateway, "rejected")["status"] == 401


def test_another_protocol_is_carried_after_101(gateway: Program, workspace: Workspace) -> None:
    with workspace.tcp(PLACE.gateway, PORT) as sock:
        head = f"GET /v1/socket HTTP/1.1\r\nHost: {OWN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        sock.sendall(f"{head}\r\nearly".encode())
        assert one_by_one(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 101")
        assert receive(sock, b"helloearly") == b"helloearly"
        big = bytes(1 << 20)
        sock.sendall(big)
        echo = bytearray()
        while len(echo) < len(big):
            echo += sock.recv(1 << 18)
        assert bytes(echo) == big
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(10) == b""
