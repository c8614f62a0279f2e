"""Each known way past a filter of names, tried at the real gateway."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from sandboxd.egress.gateway import dns
from tests.integration.egress.attempts import (
    ATTEMPTS,
    GET,
    POLICY,
    RECORDS,
    Attempt,
    udp,
)
from tests.integration.egress.internet import NameServer, Services
from tests.integration.egress.namespaces import (
    GATEWAY_OUTSIDE,
    INTERNET,
    METADATA,
    PLACE,
    WORKSPACE,
    Namespaces,
)
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import Workspace, receive
from tests.patience import PATIENCE, eventually


@pytest.fixture(scope="module")
def gateway(
    namespaces: Namespaces,
    name_server: NameServer,
    services: Services,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Program]:
    """One for all of this page: no attempt changes what the next one meets."""
    name_server.records = dict(RECORDS)
    folder = tmp_path_factory.mktemp("gateway")
    running = Program(namespaces, folder)
    running.set(POLICY)
    yield running
    running.close()
    assert (folder / "errors.txt").read_text() == ""


@pytest.fixture
def workspace(gateway: Program, namespaces: Namespaces, name_server: NameServer) -> Workspace:
    name_server.records = dict(RECORDS)
    name_server.asked.clear()
    return Workspace(namespaces)


ELSEWHERE = {
    5: "below",
    9: "a process inside that relays gets the verdict of 1 itself",
    18: "test_control.py",
    20: "below",
    21: "test_control.py",
    26: "below",
    36: "below",
    37: "below",
    38: "below",
    43: "networks of the engine",
    46: "test_control.py",
    47: "the daemon's environment",
    48: "test_credential_refusals.py",
    49: "test_credentials.py",
    50: "test_credential_refusals.py",
    51: "test_credential_refusals.py",
}


def title(attempt: Attempt) -> str:
    return f"{attempt.number} {attempt.what} ({attempt.source})"


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=title)
def test_an_attempt_ends_as_it_must(
    attempt: Attempt, workspace: Workspace, gateway: Program
) -> None:
    after = gateway.rested()
    outcome = attempt.do(workspace)
    assert outcome.startswith(attempt.outcome), outcome
    if attempt.reported:
        gateway.wait(
            lambda event: event["event"] == "denied" and event["reason"] == attempt.reported, after
        )


def test_each_number_of_the_list_is_somewhere() -> None:
    assert {attempt.number for attempt in ATTEMPTS if attempt.number} | ELSEWHERE.keys() == set(
        range(1, 52)
    )


def test_5_a_second_request_on_one_connection_is_judged_anew(workspace: Workspace) -> None:
    """verifiers #2024"""
    with workspace.tcp(PLACE.gateway, 3128) as sock:
        sock.sendall(b"GET http://open.example/one HTTP/1.1\r\nHost: open.example\r\n\r\n")
        assert b"GET /one" in receive(sock, b"one HTTP/1.1")
        sock.sendall(b"GET http://other.example/two HTTP/1.1\r\nHost: other.example\r\n\r\n")
        assert b"GET /two" in receive(sock, b"two HTTP/1.1")
        sock.sendall(b"GET http://denied.example/ HTTP/1.1\r\nHost: denied.example\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 403")


def test_6_a_pipelined_request_is_judged_anew(workspace: Workspace, services: Services) -> None:
    """OpenShell #352"""
    services.heads.clear()
    second = GET.replace(b"/ ", b"/second ").replace(b"open", b"other")
    with workspace.direct("open.example", 80) as sock:
        sock.sendall(GET + second)
        assert receive(sock, b"HTTP/1.1 403").startswith(b"HTTP/1.1 200")
    assert not any(b"/second" in head for head in services.heads)


def test_6_a_request_hidden_in_a_body_stays_a_body(
    workspace: Workspace, services: Services
) -> None:
    """OpenShell #352"""
    services.heads.clear()
    hidden = b"GET /hidden HTTP/1.1\r\nHost: denied.example\r\n\r\n"
    length = b"POST / HTTP/1.1\r\nHost: open.example\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    assert workspace.say_to("open.example", 80, length + hidden).startswith("HTTP/1.1 200")
    assert [head.split(b"\r\n")[0] for head in services.heads] == [
        b"POST / HTTP/1.1",
        b"body GET /hidden HTTP/1.1",
    ]


def test_20_a_name_that_leads_elsewhere_later_is_judged_again(
    workspace: Workspace, name_server: NameServer, gateway: Program
) -> None:
    """RFC 1918 rebinding: the answer that was checked is the one that is dialled"""
    after = gateway.last
    name_server.records["a.wild.example"] = [INTERNET]
    request = GET.replace(b"open", b"a.wild")
    assert workspace.say_to("a.wild.example", 80, request).startswith("HTTP/1.1 200")
    name_server.records["a.wild.example"] = ["127.0.0.1"]
    # Once the resolver's answer has become old.
    outcomes: list[str] = []
    eventually(
        lambda: (
            outcomes.append(workspace.say_to("a.wild.example", 80, request))
            or outcomes[-1].startswith("HTTP/1.1 403")
        ),
        lambda: outcomes[-1],
    )
    assert "never dialled" in outcomes[-1]
    gateway.denied("a.wild.example", "address", after)


def test_20_of_several_addresses_only_those_in_order_are_dialled(
    workspace: Workspace, name_server: NameServer
) -> None:
    name_server.records["b.wild.example"] = ["10.9.9.9", METADATA, INTERNET]
    request = GET.replace(b"open", b"b.wild")
    assert workspace.say_to("b.wild.example", 80, request).startswith("HTTP/1.1 200")


def test_26_a_redirect_is_an_answer_and_no_permission(workspace: Workspace) -> None:
    request = "GET http://open.example/redirect HTTP/1.1\r\nHost: open.example\r\n\r\n"
    assert "denied.example" in workspace.proxy(request)
    request = "GET http://denied.example/ HTTP/1.1\r\nHost: denied.example\r\n\r\n"
    assert workspace.proxy(request).startswith("HTTP/1.1 403")


def test_36_a_denied_name_is_asked_for_nowhere(
    workspace: Workspace, name_server: NameServer
) -> None:
    """OpenShell #1169"""
    assert workspace.lookup("secret-data.denied.example") == (3, ())
    workspace.lookup("secret-data.denied.example", tcp=True)
    workspace.connect("secret-data.denied.example:443")
    workspace.socks(b"secret-data.denied.example", 443)
    workspace.connect("no.wild.example:443")
    assert name_server.asked == []


def test_36_an_allowed_name_is_asked_for_when_it_is_dialled(
    workspace: Workspace, name_server: NameServer
) -> None:
    address = workspace.address("c.wild.example")
    assert name_server.asked == []
    name_server.records["c.wild.example"] = [INTERNET]
    workspace.say(address, 80, GET.replace(b"open", b"c.wild"))
    # A second time where the first answer came late.
    assert set(name_server.asked) == {"c.wild.example"}


def test_37_the_case_of_letters_does_not_get_out(
    workspace: Workspace, name_server: NameServer
) -> None:
    """OpenShell #2713"""
    spellings = {workspace.lookup("open.example", upper=bits) for bits in range(16)}
    assert len(spellings) == 1
    assert name_server.asked == []


def test_38_data_in_labels_is_bounded(
    workspace: Workspace, gateway: Program, name_server: NameServer
) -> None:
    """OpenShell #2723"""
    after = gateway.last
    assert workspace.lookup(f"{'a' * 60}.{'b' * 60}.wild.example") == (3, ())
    replies = [workspace.lookup(f"n{number}.wild.example") for number in range(50)]
    assert 5 < sum(reply is not None and reply.code == 0 for reply in replies) <= 30
    assert replies[-1] == (3, ())
    gateway.wait(lambda event: event.get("reason") == "label-data", after)
    assert workspace.connect("n49.wild.example:443").startswith("HTTP/1.1 403")
    assert name_server.asked == []


def test_a_forged_route_through_the_gateway_leads_nowhere(
    workspace: Workspace, namespaces: Namespaces, services: Services
) -> None:
    """Section 6: a workspace with every right over its own network."""
    services.heads.clear()
    route = ["ip", "-n", namespaces.workspace, "route"]
    subprocess.run([*route, "add", "default", "via", PLACE.gateway], check=True)
    try:
        assert workspace.say(GATEWAY_OUTSIDE, 80, GET) == "refused"  # the gateway's other address
        names = namespaces
        with names.new_socket(names.workspace) as sock:
            sock.settimeout(1.5)
            with pytest.raises(OSError):
                sock.connect((INTERNET, 80))
        assert udp(lambda _: INTERNET, 53, seconds=1)(workspace) in ("silent", "unreachable")
        assert udp(lambda _: GATEWAY_OUTSIDE, 53, seconds=1)(workspace) in ("refused", "silent")
    finally:
        subprocess.run([*route, "del", "default"], check=True)
    assert services.heads == []


def test_services_of_the_gateway_are_not_there_for_the_outside(
    gateway: Program, namespaces: Namespaces
) -> None:
    for port in (53, 80, 443, 1080, 3128, 3129):
        with namespaces.new_socket(namespaces.internet) as sock:
            sock.settimeout(PATIENCE)
            with pytest.raises(ConnectionRefusedError):
                sock.connect((GATEWAY_OUTSIDE, port))


def test_a_service_of_the_project_is_reached_by_its_own_address(workspace: Workspace) -> None:
    assert workspace.lookup("db") == (0, (WORKSPACE,))
    names = workspace.namespaces
    with names.new_socket(names.workspace) as listener:
        listener.bind((WORKSPACE, 5432))
        listener.listen()
        with workspace.tunnel("db:5432") as sock:
            client, _ = listener.accept()
            with client:
                client.sendall(b"I am db")
                assert sock.recv(100) == b"I am db"


def test_malformed_queries_get_no_answer(workspace: Workspace) -> None:
    for packet in (b"", b"x", bytes(12), dns.query(1, "open.example", 1)[:-1], bytes(600)):
        assert workspace.ask_stub(packet, seconds=0.1) is None
    assert workspace.lookup("open.example", tcp=True) == workspace.lookup("open.example")


def test_the_rights_of_the_process_are_none(gateway: Program) -> None:
    status = gateway.status()
    assert {status[key] for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {"0" * 16}
    assert status["Uid"].split() == ["65532"] * 4
    assert status["Gid"].split() == ["65532"] * 4
    assert status["Groups"].strip() == ""
    assert (gateway.ready["uid"], gateway.ready["capabilities"]) == (65532, "0" * 16)
    assert gateway.ready["no_new_privileges"] and gateway.ready["sees_refused_ports"]
    assert not gateway.ready["ip_forward"] and not gateway.ready["inner_ipv6"]
