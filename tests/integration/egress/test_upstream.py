"""A company's proxy as the only way out: what it is asked, what stays checked here, and its faults in words."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import pytest

from sandboxd.egress.names import Pattern, pattern
from sandboxd.egress.policy import Policy, Rule, Upstream
from tests.integration.egress.company import Company
from tests.integration.egress.internet import NameServer, Services, echo
from tests.integration.egress.namespaces import INTERNET, METADATA, MORE_INTERNET, Namespaces
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import OPEN, Workspace, goes_on, tls

# A listener of an earlier test may still hold its port.
PORTS = itertools.count(8081)
HOST = MORE_INTERNET[0]
LOGIN = "me:pass word"
ONLY_THERE = Rule(pattern("inside-only.example"), (7, 22, 80, 443), source="tests")


class Scene:
    """A proxy, and the policy that goes by it."""

    def __init__(self, namespaces: Namespaces, services: Services) -> None:
        self.port = next(PORTS)
        self.company = Company(lambda: namespaces.new_socket(namespaces.internet), INTERNET)
        services.serve(self.port, self.company.serve, HOST)

    def policy(
        self, *rules: Rule, credentials: str = "", direct: tuple[Pattern, ...] = ()
    ) -> Policy:
        upstream = Upstream(HOST, self.port, credentials, direct)
        return Policy(rules=rules or (OPEN, ONLY_THERE), upstream=upstream)


@pytest.fixture
def scene(namespaces: Namespaces, services: Services) -> Scene:
    return Scene(namespaces, services)


def plain(workspace: Workspace, name: str, path: str = "/") -> str:
    return workspace.proxy(f"GET http://{name}{path} HTTP/1.1\r\nHost: {name}\r\n\r\n")


def test_a_tunnel_is_asked_for_by_the_checked_name_with_the_credentials(
    program: Program, workspace: Workspace, scene: Scene
) -> None:
    scene.company.login = LOGIN
    program.set(scene.policy(credentials=LOGIN))
    with workspace.direct("open.example", 22) as sock:
        assert sock.recv(100) == b"SSH-2.0-internet\r\n"
        assert goes_on(sock)
    assert scene.company.heads[0].split(b"\r\n") == [
        b"CONNECT open.example:22 HTTP/1.1",
        b"Host: open.example:22",
        b"Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk",
        b"",
        b"",
    ]
    assert tls(workspace.tunnel("open.example:443"), "open.example") == "sni=open.example"
    assert workspace.socks(b"open.example", 7, b"x") == "x"
    assert workspace.connect("denied.example:443").startswith("HTTP/1.1 403")
    assert len(scene.company.heads) == 3, "of a denied name the proxy hears nothing"
    assert "pass word" not in json.dumps(program.events)
    assert "bWU6" not in json.dumps(program.events)


@pytest.mark.parametrize("by_proxy", [True, False])
def test_plain_http_is_asked_for_by_its_whole_url(
    program: Program, workspace: Workspace, scene: Scene, services: Services, by_proxy: bool
) -> None:
    scene.company.login = LOGIN
    program.set(scene.policy(credentials=LOGIN))
    request = b"POST /a?b HTTP/1.1\r\nHost: open.example\r\nContent-Length: 3\r\n\r\nabc"
    if by_proxy:
        answer = workspace.proxy(request.replace(b"/a", b"http://open.example/a", 1))
    else:
        answer = workspace.say_to("open.example", 80, request)
    assert answer.startswith("HTTP/1.1 200")
    lines = scene.company.heads[0].split(b"\r\n")
    assert lines[:2] == [b"POST http://open.example/a?b HTTP/1.1", b"Host: open.example"]
    assert b"Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk" in lines
    assert services.heads[-1] == b"body abc"


def test_a_websocket_passes_the_proxy_by_a_tunnel(
    program: Program, workspace: Workspace, scene: Scene
) -> None:
    program.set(scene.policy())
    with workspace.direct("open.example", 80) as sock:
        sock.sendall(
            b"GET /socket HTTP/1.1\r\nHost: open.example\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\n\r\n"
        )
        data = b""
        while not data.endswith(b"hello"):
            data += sock.recv(1000)
        assert goes_on(sock)
    assert scene.company.heads[0].startswith(b"CONNECT open.example:80 ")


def test_credentials_of_the_client_do_not_reach_the_proxy(
    program: Program, workspace: Workspace, scene: Scene
) -> None:
    program.set(scene.policy())
    workspace.proxy(
        "GET http://open.example/ HTTP/1.1\r\nHost: open.example\r\n"
        "Proxy-Authorization: Basic c2VjcmV0\r\n\r\n"
    )
    assert b"c2VjcmV0" not in scene.company.heads[0]


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        ("", "asks for credentials (407): outside, write `user:password` into"),
        ("me:old", "refuses the credentials of `proxy-credentials` (407)"),
    ],
)
def test_missing_and_wrong_credentials_are_said_and_nobody_inside_is_asked(
    program: Program, workspace: Workspace, scene: Scene, credentials: str, words: str
) -> None:
    scene.company.login = LOGIN
    program.set(scene.policy(credentials=credentials))
    for answer in (workspace.connect("open.example:443"), plain(workspace, "open.example")):
        assert answer.startswith("HTTP/1.1 502") and words in answer
        assert "authenticate" not in answer.lower()
    assert workspace.socks(b"open.example", 443) == "code 4"
    event = program.denied("open.example", "upstream")
    assert words in event["detail"]
    # It recovers with the policy that has them.
    program.set(scene.policy(credentials=LOGIN))
    assert plain(workspace, "open.example").startswith("HTTP/1.1 200")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 403 no\r\n\r\n", "refuses this name or port (403)"),
        (b"HTTP/1.1 504 no\r\n\r\n", "has no answer from there in time (504)"),
        (b"HTTP/1.1 302 login\r\nLocation: http://corp/\r\n\r\n", "answers 302"),
        (b"SSH-2.0-no-proxy\r\n\r\n", "gives no answer of HTTP"),
        (b"HTTP/1.1 yes\r\n\r\n", "gives no answer of HTTP"),
        (b"x" * 20000, "gives no answer of HTTP"),
    ],
)
def test_a_proxy_that_does_not_connect_is_said_to(
    program: Program, workspace: Workspace, scene: Scene, answer: bytes, words: str
) -> None:
    scene.company.answer = answer
    program.set(scene.policy())
    reply = workspace.connect("open.example:443")
    assert reply.startswith("HTTP/1.1 502") and words in reply, reply
    assert f"the proxy {HOST}:{scene.port}" in reply


def test_a_dead_proxy_and_one_without_an_address_are_said_to(
    program: Program, workspace: Workspace, name_server: NameServer
) -> None:
    name_server.records["proxy.example"] = [MORE_INTERNET[1]]
    for upstream, words in (
        (Upstream(MORE_INTERNET[1], 8079), "does not answer (93.184.0.11: Connection refused)"),
        (Upstream("proxy.example", 8079), "the proxy proxy.example:8079 does not answer"),
        (Upstream("nowhere.example", 8079), "the proxy nowhere.example:8079 does not resolve"),
    ):
        program.set(Policy(rules=(OPEN,), upstream=upstream))
        for answer in (workspace.connect("open.example:443"), plain(workspace, "open.example")):
            assert answer.startswith("HTTP/1.1 502") and words in answer, answer


def test_a_proxy_by_its_name_is_found(
    program: Program, workspace: Workspace, scene: Scene, name_server: NameServer
) -> None:
    name_server.records["proxy.example"] = [HOST]
    program.set(Policy(rules=(OPEN,), upstream=Upstream("proxy.example", scene.port)))
    assert plain(workspace, "open.example").startswith("HTTP/1.1 200")


def test_a_name_that_only_the_proxy_resolves_is_reached(
    program: Program, workspace: Workspace, scene: Scene, name_server: NameServer
) -> None:
    program.set(scene.policy())
    with workspace.direct("inside-only.example", 22) as sock:
        assert sock.recv(100) == b"SSH-2.0-internet\r\n"
    assert "inside-only.example" in name_server.asked, "it is judged where it can be resolved"


def test_without_any_name_server_names_go_by_the_proxy(
    namespaces: Namespaces, services: Services, scene: Scene, tmp_path: Path
) -> None:
    running = Program(namespaces, tmp_path, server=MORE_INTERNET[2])
    workspace = Workspace(namespaces)
    try:
        running.set(scene.policy())
        for _ in range(2):
            with workspace.tcp("198.18.0.2", 3128) as sock:
                sock.sendall(b"CONNECT open.example:7 HTTP/1.1\r\nHost: open.example:7\r\n\r\n")
                assert sock.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        running.close()


@pytest.mark.parametrize("address", ["127.0.0.1", METADATA, "10.1.2.3"])
def test_a_name_that_resolves_here_to_a_bad_address_does_not_go_by_the_proxy(
    program: Program, workspace: Workspace, scene: Scene, name_server: NameServer, address: str
) -> None:
    name_server.records["open.example"] = [address]
    program.set(scene.policy())
    assert workspace.connect("open.example:443").startswith("HTTP/1.1 403")
    assert plain(workspace, "open.example").startswith("HTTP/1.1 403")
    program.denied("open.example", "address")
    assert scene.company.heads == []


def test_exceptions_and_private_addresses_are_dialled_without_the_proxy(
    program: Program, workspace: Workspace, scene: Scene, name_server: NameServer,
    namespaces: Namespaces, services: Services,
) -> None:  # fmt: skip
    private = "10.77.0.1"
    subprocess.run(
        ["ip", "-n", namespaces.internet, "addr", "add", f"{private}/32", "dev", "outer"],
        check=True,
    )
    services.serve(scene.port, services.http, private)
    name_server.records |= {"db.example": [private], "near.open.example": [INTERNET]}
    near = Rule(pattern("near.open.example"), (80,))
    inner = Rule(pattern("db.example"), (scene.port,), private=True)
    literal = Rule(Pattern(private), (scene.port,), private=True)
    try:
        direct = (pattern("*.open.example"),)
        program.set(scene.policy(OPEN, near, inner, literal, direct=direct))
        for place in ("near.open.example", f"db.example:{scene.port}", f"{private}:{scene.port}"):
            assert plain(workspace, place).startswith("HTTP/1.1 200"), place
        assert scene.company.heads == []
        assert plain(workspace, "open.example").startswith("HTTP/1.1 200")
        assert len(scene.company.heads) == 1
    finally:
        subprocess.run(
            ["ip", "-n", namespaces.internet, "addr", "del", f"{private}/32", "dev", "outer"],
            check=True,
        )


def test_of_a_name_with_both_kinds_of_addresses_the_private_one_is_dialled(
    program: Program,
    workspace: Workspace,
    scene: Scene,
    namespaces: Namespaces,
    name_server: NameServer,
    services: Services,
) -> None:
    words = ["ip", "-n", namespaces.internet, "addr"]
    subprocess.run([*words, "add", "10.88.0.2/32", "dev", "outer"], check=True)
    try:
        services.serve(7, echo, "10.88.0.2")
        name_server.records["mixed.example"] = [INTERNET, "10.88.0.2"]
        program.set(scene.policy(Rule(pattern("mixed.example"), (7,), private=True)))
        with workspace.tunnel("mixed.example:7") as sock:
            assert goes_on(sock)
        assert scene.company.heads == []
    finally:
        subprocess.run([*words, "del", "10.88.0.2/32", "dev", "outer"], check=True)
