"""`verify` on sandboxes behind a gateway: ways out are tried in each, and those that are there are found."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.backends.docker.attack import verify, verify_plan
from sandboxd.egress import verify_marks
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.engine.client import Engine
from sandboxd.host.facts import HostFacts
from sandboxd.life import gateway, networks, up_down
from sandboxd.life.find import sandboxes_of_up
from sandboxd.plan.plan import Plan
from sandboxd.verify import listeners
from sandboxd.verify.attempts import EGRESS
from sandboxd.verify.verdict import Verdict
from tests.e2e import sandboxes
from tests.rights import push

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

PAST_THE_ROUTES = {"host-by-device", "host-by-interface"}
"""On an address-less bridge they end at the host's `rp_filter`, which is 0 on some."""
BY_THE_GATEWAY = {"dns-denied-name", "proxy-denied-name", "socks-denied-name"}
NEED_A_GATEWAY = {
    *BY_THE_GATEWAY,
    "gateway-outside",
    "gateway-ports",
    "gateway-rights",
    "other-port",
    "proxy-literal",
    "socks-literal",
    "unmapped-address",
}


UNDER_RUNC = pytest.mark.parametrize("runtime", ["runc"], indirect=True)


def policy(*names: str) -> Policy:
    return Policy(rules=tuple(Rule(pattern(name), (80,), source="test") for name in names))


@pytest.fixture
def up(api: Engine, project: Path, host_facts: HostFacts) -> Iterator[Plan]:
    """A sandbox that may reach one name."""
    plan = sandboxes.plan_of(project, host_facts)._replace(egress=policy("allowed.test"))
    sandboxes.up(api, plan, lambda _text: None)
    yield plan
    up_down.down(api, plan.workspace, lambda _text: None, discard=True)


def attack(api: Engine, plan: Plan) -> Verdict:
    (container,) = sandboxes_of_up(api, plan.workspace)
    return verify(api, container.id, plan)


def ways_out(verdict: Verdict, outcome: str) -> set[str]:
    return {r.id for r in verdict.results if r.group == EGRESS and r.outcome == outcome}


def test_a_sandbox_behind_a_gateway_holds_and_nothing_is_declared_open(
    api: Engine, up: Plan
) -> None:
    verdict = attack(api, up)
    assert verdict.exit_code == 0, [*verdict.of("escaped"), *verdict.of("inconclusive")]
    assert ways_out(verdict, "residual") <= PAST_THE_ROUTES
    assert ways_out(verdict, "not-applicable") <= {
        "container-peer",
        "link-local-ipv6",
        "gateway-outside",
    }
    assert ways_out(verdict, "held") >= {*NEED_A_GATEWAY - {"gateway-outside"}, "host-addresses"}


@UNDER_RUNC
def test_a_fresh_one_stands_on_the_same_network(api: Engine, up: Plan) -> None:
    verdict = verify_plan(api, up)
    assert verdict.exit_code == 0, [*verdict.of("escaped"), *verdict.of("inconclusive")]
    assert ways_out(verdict, "held") >= BY_THE_GATEWAY
    up_down.down(api, up.workspace, lambda _text: None, discard=True)
    alone = verify_plan(api, up)
    assert alone.exit_code == 0
    assert ways_out(alone, "not-applicable") >= NEED_A_GATEWAY
    assert networks.pair_of(api, up.workspace) is None


@UNDER_RUNC
def test_a_second_network_is_found(api: Engine, up: Plan) -> None:
    (container,) = sandboxes_of_up(api, up.workspace)
    api.connect_network("bridge", container.id)
    verdict = attack(api, up)
    assert ways_out(verdict, "escaped") >= {"host-gateway", "host-addresses", "host-datagram"}
    assert verdict.exit_code == 6


@UNDER_RUNC
def test_a_gateway_that_lets_more_through_is_found(api: Engine, up: Plan) -> None:
    push(api, up.workspace, Policy(rules=(Rule(pattern(f"*.{verify_marks.DENIED}"), (80, 443)),)))
    verdict = attack(api, up)
    assert "dns-denied-name" in ways_out(verdict, "escaped")
    # A look-up that is on its way when the attempt ends is recorded later, so it is not known.
    assert not ways_out(verdict, "held") & BY_THE_GATEWAY


@UNDER_RUNC
def test_a_host_that_answers_on_the_inner_network_is_found(
    api: Engine, engine: str, up: Plan
) -> None:
    pair = networks.pair_of(api, up.workspace)
    assert pair is not None
    if pair.inner.driver != "bridge":
        pytest.skip("the host is not on a macvlan network")
    pid = listeners.engine_pid(engine)
    device, address = f"br-{pair.inner.id[:12]}", f"{pair.inner.addresses.host}/19"
    command = ["nsenter", "-t", str(pid), "-n", "ip", "address", "add", address, "dev", device]
    subprocess.run(command, check=True)
    escaped = ways_out(attack(api, up), "escaped")
    assert escaped >= {"host-addresses", "host-datagram"}


@UNDER_RUNC
def test_without_its_gateway_nothing_is_said_of_its_doors(api: Engine, up: Plan) -> None:
    api.stop(gateway.name_of(up.workspace), 0)
    verdict = attack(api, up)
    assert ways_out(verdict, "not-applicable") >= NEED_A_GATEWAY
    assert ways_out(verdict, "escaped") == set()


@UNDER_RUNC
def test_the_command_shows_ways_out_as_a_group(engine: str, api: Engine, up: Plan) -> None:
    done = sandboxes.run(engine, Path(up.workspace), "verify", "--all")
    head, _, group = done.stdout.partition("\nways out by the network\n")
    assert "host-addresses" in group and "pin-write" in head, done.stdout + done.stderr
