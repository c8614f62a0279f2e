"""The gateway in a Pod: who is served, what a file of a policy does, and what its probes say."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sandboxd.egress.gateway import dns
from sandboxd.egress.layout import POD_DNS_PORT, PROBE_PORT
from sandboxd.egress.policy import Policy
from sandboxd.engine.payload import gateway_zip
from sandboxd.plan import cluster
from sandboxd.plan.cluster import Cluster
from sandboxd.plan.writers import kubernetes
from tests.integration.egress.internet import NameServer, Services
from tests.integration.egress.namespaces import INTERNET, METADATA, PLACE, WORKSPACE, Namespaces
from tests.integration.egress.pod_program import CLIENTS, DOMAIN, PodProgram
from tests.integration.egress.workspace import GET, POLICY, Workspace, closes, receive
from tests.patience import PATIENCE, eventually
from tests.unit.plan.examples import RUNC_GRANTED, plan

_SERVICE = f"{CLIENTS}.{DOMAIN}"


@pytest.fixture
def pod(
    namespaces: Namespaces, name_server: NameServer, services: Services, tmp_path: Path
) -> Iterator[PodProgram]:
    name_server.records = {"open.example": [INTERNET], _SERVICE: [WORKSPACE]}
    running = PodProgram(namespaces, tmp_path)
    yield running
    running.close()
    assert (tmp_path / "errors.txt").read_text() == "", "something that no part expected"


@pytest.fixture
def workspace(pod: PodProgram, namespaces: Namespaces) -> Workspace:
    return Workspace(namespaces, POD_DNS_PORT)


def probe(workspace: Workspace, path: str) -> str:
    request = f"GET {path} HTTP/1.1\r\nHost: pod\r\n\r\n"
    answer = workspace.say(PLACE.gateway, PROBE_PORT, request.encode())
    head, _, body = answer.partition("\r\n\r\n")
    return f"{head.split()[1]} {body.strip()}"


def test_it_runs_without_any_right_and_without_the_packages_of_the_image(pod: PodProgram) -> None:
    assert (pod.ready["uid"], pod.ready["capabilities"]) == (65532, "0000000000000000")
    assert pod.status()["NoNewPrivs"].strip() == "1"
    assert not pod.ready["sees_refused_ports"]


def test_it_lets_through_by_the_proxies_alone_what_the_file_allows(
    pod: PodProgram, workspace: Workspace
) -> None:
    assert pod.set(POLICY)["ports"] == []
    assert workspace.proxy(GET.replace(b"GET /", b"GET http://open.example/")).startswith(
        "HTTP/1.1 200"
    )
    assert " 200 " in workspace.connect("open.example:443")
    assert workspace.socks(b"open.example", 22) == "code 0"
    assert workspace.connect("other.example:443").startswith("HTTP/1.1 403")
    pod.denied("other.example", "no-rule")


def test_names_have_no_address_since_none_would_lead_anywhere(
    pod: PodProgram, workspace: Workspace
) -> None:
    pod.set(POLICY)
    # A connection waits for the look at who is served; a packet is lost before it, and sent again.
    assert workspace.lookup("open.example", tcp=True) == (dns.NO_ERROR, ())
    assert workspace.lookup("open.example") == (dns.NO_ERROR, ())
    assert workspace.lookup("other.example") == (dns.NO_SUCH_NAME, ())
    assert workspace.say(PLACE.gateway, 443, b"x") == "refused"


def test_a_metadata_service_and_a_private_address_are_not_dialled(
    pod: PodProgram, workspace: Workspace, name_server: NameServer
) -> None:
    pod.set(POLICY)
    for address in (METADATA, "10.96.0.1", PLACE.gateway):
        name_server.records["open.example"] = [address]
        assert eventually(lambda: "never dialled" in workspace.connect("open.example:443")), address


def test_nothing_is_let_through_while_the_file_is_missing_or_wrong(
    pod: PodProgram, workspace: Workspace
) -> None:
    assert workspace.connect("open.example:443").startswith("HTTP/1.1 403")
    assert probe(workspace, "/live") == "200 alive"
    assert probe(workspace, "/ready").startswith("503 no policy")
    pod.set(POLICY)
    assert probe(workspace, "/ready") == "200 policy 1"
    with workspace.tunnel("open.example:7") as tunnel:
        pod.write('{"op": "policy", "cut": true, "policy": {"rules": []}}')
        assert closes(tunnel)
    assert workspace.connect("open.example:443").startswith("HTTP/1.1 403")
    assert probe(workspace, "/ready").startswith("503 no policy")
    pod.set(POLICY)
    after = pod.last
    pod.file.unlink()
    pod.wait(lambda event: event["event"] == "refused", after)
    assert workspace.connect("open.example:443").startswith("HTTP/1.1 403")


def test_a_policy_that_is_replaced_ends_what_it_does_not_allow(
    pod: PodProgram, workspace: Workspace
) -> None:
    pod.set(POLICY)
    with workspace.tunnel("open.example:7") as tunnel:
        pod.set(Policy())
        assert closes(tunnel)


def test_a_pod_that_the_name_does_not_hold_is_not_served(
    pod: PodProgram, workspace: Workspace, name_server: NameServer
) -> None:
    pod.set(POLICY)
    assert " 200 " in workspace.connect("open.example:443")
    name_server.records[_SERVICE] = ["10.1.2.3"]
    assert eventually(lambda: workspace.connect("open.example:443") == "refused")
    assert workspace.ask_stub(dns.query(1, "open.example", dns.A), seconds=0.3) is None
    refusal = pod.wait(lambda event: event.get("reason") == "client")
    assert refusal["detail"] == WORKSPACE
    assert probe(workspace, "/live") == "200 alive"
    name_server.records[_SERVICE] = ["10.1.2.3", WORKSPACE]
    assert eventually(lambda: " 200 " in workspace.connect("open.example:443"))


def test_nobody_is_served_where_the_name_is_not_known(
    pod: PodProgram, workspace: Workspace, name_server: NameServer
) -> None:
    pod.set(POLICY)
    del name_server.records[_SERVICE]
    assert eventually(lambda: workspace.connect("open.example:443") == "refused")


def test_it_ends_at_once_when_it_is_asked_to(pod: PodProgram) -> None:
    pod.process.terminate()
    assert pod.process.wait(timeout=PATIENCE) == 0


def test_a_probe_for_anything_else_is_told_what_there_is(
    pod: PodProgram, workspace: Workspace
) -> None:
    assert probe(workspace, "/policy") == "400 ask for /live or /ready"


def test_the_objects_for_a_cluster_make_a_gateway_that_works(
    namespaces: Namespaces, name_server: NameServer, services: Services, tmp_path: Path
) -> None:
    options = Cluster(gateway_image="python:3-slim", gateway_address="10.96.200.1")
    rule = 'profile = "agent"\n[network]\nallow = ["open.example:7"]'
    planned = plan(rule, cluster.facts(options), grants=RUNC_GRANTED)
    objects = list(yaml.safe_load_all(kubernetes.render(planned, options, gateway_zip.archive())))
    (policy,) = (each["data"]["policy.json"] for each in objects if "data" in each)
    (deployment,) = (each for each in objects if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    name_server.records = {
        "open.example": [INTERNET],
        f"{container['command'][-1]}.{DOMAIN}": [WORKSPACE],
    }
    running = PodProgram(namespaces, tmp_path, container["command"])
    try:
        running.write(policy)
        running.wait(lambda event: event["event"] == "policy")
        workspace = Workspace(namespaces, POD_DNS_PORT)
        assert " 200 " in workspace.connect("open.example:7")
        assert workspace.connect("open.example:443").startswith("HTTP/1.1 403")
        for name in ("livenessProbe", "readinessProbe"):
            assert probe(workspace, container[name]["httpGet"]["path"]).startswith("200 ")
    finally:
        running.close()
    assert (tmp_path / "errors.txt").read_text() == ""


def test_it_counts_bytes_and_says_so_in_its_log(pod: PodProgram, workspace: Workspace) -> None:
    """Nobody can ask a Pod's gateway for its counts: it tells them by itself."""
    pod.set(POLICY)
    assert pod.ready["counts_bytes"] is True
    with workspace.tunnel("open.example:9001") as sock:
        sock.sendall(b"x" * 12345)
        sock.shutdown(socket.SHUT_WR)
        assert receive(sock, b"5") == b"12345"
    pod.wait(
        lambda event: (
            event["event"] == "carried"
            and (event["name"], event["bytes_up"], event["bytes_down"])
            == ("open.example", 12345, 5)
        )
    )
