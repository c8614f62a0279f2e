"""What is taken back ends connections that were made by it, also where their name stays allowed."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Iterator

import pytest

from sandboxd.egress.broker_wire import Credentials
from sandboxd.egress.layout import PROXY_PORT
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule, Upstream
from tests.integration.egress.company import Company
from tests.integration.egress.credential_service import Certificate
from tests.integration.egress.credentials import BINDING, OWN, PORT, give
from tests.integration.egress.internet import NameServer, Services, echo
from tests.integration.egress.namespaces import (
    INTERNET,
    MORE_INTERNET,
    PLACE,
    WORKSPACE,
    Namespaces,
)
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import (
    GET,
    OPEN,
    POLICY,
    Workspace,
    closes,
    goes_on,
    receive,
)
from tests.patience import eventually

PRIVATE = "10.88.0.1"
ONCE = OPEN._replace(once="1", source="approval", until=time.time() + 3600)
PORTS = itertools.count(8281)
BOTH = Rule(pattern("both.example"), (7,))
BY_PROXY = GET.replace(b" / ", b" http://open.example/ ")


@pytest.fixture
def private_server(
    namespaces: Namespaces, name_server: NameServer, services: Services, program: Program
) -> Iterator[None]:
    words = ["ip", "-n", namespaces.internet, "addr"]
    subprocess.run([*words, "add", f"{PRIVATE}/32", "dev", "outer"], check=True)
    services.serve(7, echo, PRIVATE)
    name_server.records["both.example"] = [PRIVATE]
    yield
    subprocess.run([*words, "del", f"{PRIVATE}/32", "dev", "outer"], check=True)


def test_a_private_address_is_left_when_only_the_public_ones_stay_allowed(
    program: Program, workspace: Workspace, private_server: None
) -> None:
    program.set(Policy(rules=(BOTH._replace(private=True),)))
    with workspace.direct("both.example", 7) as sock, workspace.tunnel("both.example:7") as tunnel:
        program.set(Policy(rules=(BOTH._replace(private=True), OPEN)), cut=True)
        assert goes_on(sock) and goes_on(tunnel)
        program.set(Policy(rules=(BOTH,)), cut=True)
        assert not goes_on(sock) and not goes_on(tunnel)


def test_an_address_that_becomes_one_of_the_host_is_left(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 7) as sock:
        assert goes_on(sock)
        program.set(Policy(rules=(OPEN,), forbidden=(f"{MORE_INTERNET[2]}/32",)), cut=True)
        assert goes_on(sock)
        program.set(Policy(rules=(OPEN,), forbidden=(f"{INTERNET}/32",)), cut=True)
        assert not goes_on(sock)


@pytest.mark.parametrize("other", ["direct", "login", "place"])
def test_the_way_out_by_a_proxy_is_left_when_it_is_another_one(
    program: Program,
    workspace: Workspace,
    namespaces: Namespaces,
    services: Services,
    other: str,
) -> None:
    company = Company(lambda: namespaces.new_socket(namespaces.internet), INTERNET)
    port = next(PORTS)
    services.serve(port, company.serve, MORE_INTERNET[0])
    upstream = Upstream(MORE_INTERNET[0], port, "me:one")
    excepted = upstream._replace(direct=(pattern("more.example"),))
    later = {
        "direct": None,
        "login": upstream._replace(credentials=""),
        "place": upstream._replace(host=MORE_INTERNET[1]),
    }[other]
    program.set(Policy(rules=(OPEN,), upstream=upstream))
    with workspace.direct("open.example", 7) as sock:
        assert goes_on(sock)
        program.set(Policy(rules=(OPEN,), upstream=excepted), cut=True)
        assert goes_on(sock)
        program.set(Policy(rules=(OPEN,), upstream=later), cut=True)
        assert not goes_on(sock)


def test_a_direct_connection_is_left_when_a_proxy_is_to_be_used(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 7) as sock:
        assert goes_on(sock)
        program.set(Policy(rules=(OPEN,), upstream=Upstream(MORE_INTERNET[0], 1)), cut=True)
        assert not goes_on(sock)


def test_the_connection_of_an_approval_for_once_goes_on_until_that_is_taken_back(
    program: Program, workspace: Workspace
) -> None:
    more = Rule(pattern("more.example"), (7,))
    program.set(Policy(rules=(ONCE,)))
    with workspace.direct("open.example", 7) as sock:
        assert goes_on(sock)
        used = ONCE._replace(until=1.0)
        program.set(Policy(rules=(used, more)), cut=True)
        assert goes_on(sock)
        assert workspace.connect("open.example:7").startswith("HTTP/1.1 403")
        program.set(Policy(rules=(more,)), cut=True)
        assert not goes_on(sock)


def test_an_approval_for_once_that_was_taken_back_is_not_replaced_by_an_unused_one(
    program: Program, workspace: Workspace
) -> None:
    unused = ONCE._replace(once="2")
    program.set(Policy(rules=(ONCE, unused)))
    with workspace.direct("open.example", 7) as sock:
        assert goes_on(sock)
        program.set(Policy(rules=(ONCE._replace(until=1.0), unused)), cut=True)
        assert goes_on(sock)
        program.set(Policy(rules=(unused,)), cut=True)
        assert not goes_on(sock)


@pytest.mark.parametrize("later", [(("db", PLACE.gateway),), ()])
def test_the_way_to_a_service_is_left_when_its_name_stands_for_something_else(
    program: Program,
    workspace: Workspace,
    namespaces: Namespaces,
    later: tuple[tuple[str, str], ...],
) -> None:
    policy = Policy(rules=(Rule(pattern("db"), (5432,)),), services=(("db", WORKSPACE),))
    program.set(policy)
    with namespaces.new_socket(namespaces.workspace) as listener:
        listener.bind((WORKSPACE, 5432))
        listener.listen()
        with workspace.tunnel("db:5432") as sock, listener.accept()[0]:
            program.set(policy, cut=True)
            sock.settimeout(0.2)
            with pytest.raises(TimeoutError):
                sock.recv(1)
            program.set(policy._replace(services=later), cut=True)
            assert closes(sock)


def test_a_connection_ends_with_the_approval_that_took_the_place_of_a_longer_one(
    program: Program, workspace: Workspace
) -> None:
    program.set(Policy(rules=(OPEN._replace(until=time.time() + 3600, source="approval"),)))
    with workspace.direct("open.example", 7) as sock:
        assert goes_on(sock)
        end = time.time() + 2
        program.set(Policy(rules=(OPEN._replace(until=end, source="approval"),)), cut=True)
        assert closes(sock)
        assert time.time() >= end


def test_a_connection_that_goes_on_by_an_approval_for_once_uses_it_up(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 7) as sock:
        assert goes_on(sock)
        after = program.last
        program.set(Policy(rules=(ONCE,)), cut=True)
        assert program.wait(lambda event: event["event"] == "used", after)["name"] == "open.example"
        assert goes_on(sock)
        assert workspace.connect("open.example:7").startswith("HTTP/1.1 403")


def test_a_connection_at_rest_keeps_nothing_of_its_last_request(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    with (
        workspace.tcp(PLACE.gateway, PROXY_PORT) as sock,
        workspace.tunnel("open.example:80") as tunnel,
    ):
        for each, request in ((sock, BY_PROXY), (tunnel, GET)):
            each.sendall(request)
            assert b" 200 " in receive(each, b"internet GET / HTTP/1.1")

        def is_left_for_others() -> bool:
            program.set(Policy(rules=(ONCE._replace(once=f"s{next(PORTS)}"),)), cut=True)
            return workspace.proxy(BY_PROXY).startswith("HTTP/1.1 200")

        # An exchange ends a moment after its answer came; whoever is at rest uses nothing up, and is not ended.
        eventually(is_left_for_others)
        for each, request in ((sock, BY_PROXY), (tunnel, GET)):
            each.sendall(request)
            assert b" 403 " in receive(each, b"\r\n\r\n"), "each request is judged by itself"


def test_another_secret_ends_connections_that_have_the_one_of_before(
    gateway: Program, workspace: Workspace, served: Certificate
) -> None:
    with workspace.tcp(PLACE.gateway, PORT) as sock:
        head = f"GET /v1/socket HTTP/1.1\r\nHost: {OWN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        sock.sendall(f"{head}Sec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        assert b" 101 " in receive(sock, b"hello")
        give(gateway, Credentials((BINDING,), served.pem))
        assert goes_on(sock), "the same secret was given once more"
        give(gateway, Credentials((BINDING._replace(value="Bearer another"),), served.pem))
        assert not goes_on(sock)
