"""A gateway's container: what is asked of the engine, and what counts as ours when it is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, cast

import pytest

from sandboxd.egress import layout
from sandboxd.egress.messages import Ready
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.engine.client import Summary, connect
from sandboxd.engine.contexts import Identity
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import gateway, gateway_difference, networks
from sandboxd.life.networks import Inner, Pair
from sandboxd.model.labels import GATEWAY
from tests.rights import allowing

FOLDER = "/home/dev/weather"
PLACE = layout.inner_addresses("198.18.0.0/19")
PAIR = Pair(Inner("sandboxd-weather", "a", PLACE, "bridge"), "b", ("172.18.0.0/16",))
BODY = gateway.body("sha256:1", PAIR.inner, FOLDER, "0123")
ELSEWHERE = connect(Identity("tcp://engine.example:2376"))


def inspected() -> dict[str, Any]:
    """The gateway of `BODY` as an engine describes it: with more variables, and other spellings."""
    host = copy.deepcopy(BODY["HostConfig"])
    host["CapAdd"] = [f"CAP_{name}" for name in host["CapAdd"]]
    host |= {"Binds": None, "Mounts": None, "Privileged": False, "PidMode": "", "Devices": []}
    config = {key: BODY[key] for key in ("Cmd", "User", "OpenStdin", "StdinOnce")}
    return {
        "Image": "sha256:1",
        "Config": {**config, "Env": ["PATH=/bin", *BODY["Env"]]},
        "HostConfig": host,
        "NetworkSettings": {
            "Networks": {"sandboxd-weather": {"NetworkID": "a"}, "out": {"NetworkID": "b"}}
        },
    }


def test_what_was_asked_for_is_no_difference() -> None:
    assert gateway_difference.difference(inspected(), BODY, PAIR) == ""


def test_what_podman_does_not_tell_is_no_difference() -> None:
    """It names neither switches of the kernel nor the first of two networks; absent is not the same as not told."""
    untold = inspected()
    untold["HostConfig"] |= {"Sysctls": None, "NetworkMode": None}
    assert gateway_difference.difference(untold, BODY, PAIR) == ""
    del untold["HostConfig"]["Sysctls"]
    assert "`Sysctls`" in gateway_difference.difference(untold, BODY, PAIR)


def host(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda gateway_state: gateway_state["HostConfig"].update(values)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda gateway_state: gateway_state.update(Image="sha256:2"), "its image is another one"),
        (lambda gateway_state: gateway_state["Config"].update(Cmd=["sh"]), "`Cmd`"),
        (lambda gateway_state: gateway_state["Config"].update(Env=[]), "its environment"),
        (host(CapAdd=["ALL"]), "`CapAdd`"),
        (host(CapDrop=[]), "`CapDrop`"),
        (host(SecurityOpt=["no-new-privileges"]), "`SecurityOpt`"),
        (host(ReadonlyRootfs=False), "`ReadonlyRootfs`"),
        (host(Sysctls={"net.ipv4.ip_forward": "1"}), "`Sysctls`"),
        (host(Privileged=True), "`Privileged` is set"),
        (host(Binds=["/:/host"]), "`Binds` is set"),
        (host(PidMode="host"), "`PidMode` is set"),
        (host(NetworkMode="host"), "`NetworkMode`"),
        (
            lambda gateway_state: gateway_state["NetworkSettings"]["Networks"].update(
                c={"NetworkID": "c"}
            ),
            "other networks",
        ),
        (
            lambda gateway_state: gateway_state["NetworkSettings"]["Networks"].pop("out"),
            "other networks",
        ),
    ],
)
def test_whatever_differs_is_named(change: Callable[[dict[str, Any]], None], why: str) -> None:
    gateway_state = inspected()
    change(gateway_state)
    assert why in gateway_difference.difference(gateway_state, BODY, PAIR)


READY: Ready = {
    "event": "ready",
    "seq": 1,
    "time": 0.0,
    "uid": 65532,
    "capabilities": "0000000000000000",
    "no_new_privileges": True,
    "seccomp": 2,
    "ip_forward": False,
    "inner_ipv6": False,
    "way_out": True,
    "sees_refused_ports": True,
    "milliseconds": 9.0,
}


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("uid", 0, "it still is root"),
        ("capabilities", "0000000000001000", "it has capabilities left"),
        ("no_new_privileges", False, "it can gain privileges"),
        ("seccomp", 0, "no seccomp filter"),
        ("ip_forward", True, "forwards packets"),
        ("inner_ipv6", True, "has IPv6"),
        ("way_out", False, "no default route"),
    ],
)
def test_a_right_that_is_left_is_named(field: str, value: object, why: str) -> None:
    assert gateway.weakness(READY) == ""
    changed: Any = {**READY, field: value}
    assert why in gateway.weakness(changed)


@pytest.mark.parametrize("can", [False, True])
def test_an_engine_without_control_groups_gets_no_new_gateway_each_time(can: bool) -> None:
    """It takes the limits and says of the container that it has none: a difference only where it could have."""
    live = cast("Any", {"HostConfig": {**BODY["HostConfig"], "Memory": 0, "PidsLimit": None}})
    answers = iter([{"MemoryLimit": can, "PidsLimit": can}])
    expected = gateway_difference.as_limited(BODY, live, lambda: next(answers))
    host = expected["HostConfig"]
    assert (host["Memory"] == 0 and host["PidsLimit"] is None) is not can
    as_it_is = cast("Any", {"HostConfig": BODY["HostConfig"]})
    assert gateway_difference.as_limited(BODY, as_it_is, lambda: next(answers)) is BODY, (
        "nobody is asked"
    )


def test_no_program_of_the_engine_s_is_put_before_the_gateway() -> None:
    """`"init": true` in daemon.json does, unless a request says otherwise; it would have the gateway's rights."""
    assert BODY["HostConfig"]["Init"] is False


def test_refusals_that_it_cannot_see_are_said() -> None:
    assert gateway.blind_spot(READY) == ""
    blind: Any = {**READY, "sees_refused_ports": False}
    assert "not recorded" in gateway.blind_spot(blind) and gateway.weakness(blind) == ""


def test_equal_policies_have_one_version_whatever_addresses_were_handed_out() -> None:
    policy = Policy(rules=(Rule(pattern("a.example"), (443,)),))
    first = gateway.complete(ELSEWHERE, PAIR, allowing(policy)).policy
    handed_out = [("a.example", "198.18.16.1")]
    again = gateway.complete(ELSEWHERE, PAIR, allowing(policy), handed_out).policy
    assert first.version == again.version != 0
    assert again.addresses == (("a.example", "198.18.16.1"),)
    denied = allowing(policy._replace(denied=(pattern("b.example"),)))
    other = gateway.complete(ELSEWHERE, PAIR, denied).policy
    assert other.version != first.version


def test_the_way_out_itself_is_never_dialled() -> None:
    """With an engine elsewhere nothing more is known; here, each of the host's own addresses is added."""
    rights = allowing(Policy(forbidden=("192.0.2.0/24",)))
    assert gateway.complete(ELSEWHERE, PAIR, rights).policy.forbidden == (
        "192.0.2.0/24",
        "172.18.0.0/16",
    )


def test_the_kernel_of_a_gateway_forwards_nothing_and_has_no_ipv6() -> None:
    """ip-sysctl of the kernel's documents: nothing is forwarded, low ports need no right, no echo, no IPv6."""
    assert gateway._SYSCTLS == {
        "net.ipv4.ip_forward": "0",
        "net.ipv4.ip_unprivileged_port_start": "0",
        "net.ipv4.icmp_echo_ignore_all": "1",
        "net.ipv6.conf.all.disable_ipv6": "1",
        "net.ipv6.conf.default.disable_ipv6": "1",
    }


class Others:
    """An engine with containers, one of which may have the address of the gateway."""

    def __init__(self, *containers: Summary, address: str = "") -> None:
        self._containers, self._address = containers, address

    def containers(self, label: str) -> list[Summary]:
        assert label == f"{GATEWAY}={FOLDER}"
        return list(self._containers)

    def network_containers(self, _name: str) -> dict[str, str]:
        return {"abcdef0123456789": self._address} if self._address else {}


def of_gateway(name: str, state: str) -> Summary:
    return Summary("c1", name, "sha256:1", state, {GATEWAY: FOLDER}, 0)


OWN = gateway.name_of(FOLDER)


@pytest.mark.parametrize(
    ("engine", "substitute"),
    [
        (Others(of_gateway("renamed", "running")), "renamed"),
        (Others(of_gateway("copy", "paused")), "copy"),
        (Others(of_gateway(OWN, "exited"), of_gateway("copy", "running")), "copy"),
        (Others(address=PLACE.gateway), "abcdef012345"),
    ],
)
def test_a_gateway_that_may_be_there_is_not_gone(
    engine: Any, substitute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can take anything back from it, and it may let everything through."""
    monkeypatch.setattr(networks, "pair_of", lambda *_: PAIR)
    with pytest.raises(
        EnvironmentFailure, match=f"`{substitute}`, which may let through"
    ) as failure:
        gateway.attach_running(engine, FOLDER)
    assert not isinstance(failure.value, gateway.GatewayGone)


@pytest.mark.parametrize(
    "engine", [Others(), Others(of_gateway(OWN, "exited")), Others(address="10.0.0.9")]
)
def test_a_gateway_whose_place_is_empty_is_gone(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pair in (PAIR, None):
        monkeypatch.setattr(networks, "pair_of", lambda *_, pair=pair: pair)
        with pytest.raises(gateway.GatewayGone):
            gateway.attach_running(engine, FOLDER)


def test_a_gateway_that_is_paused_is_not_gone() -> None:
    engine: Any = Others(of_gateway(OWN, "paused"))
    with pytest.raises(EnvironmentFailure, match="is paused, and goes on") as failure:
        gateway.attach_running(engine, FOLDER)
    assert not isinstance(failure.value, gateway.GatewayGone)
