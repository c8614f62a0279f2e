"""What is taken back comes first, what is given last and recorded, and keys go to the container that a start named."""

from __future__ import annotations

from itertools import product

from sandboxd.egress.approvals import Approval, Limits
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.model.remote import Port
from sandboxd.policy.reconcile import (
    ClosePorts,
    GiveKeys,
    Given,
    GiveNames,
    OpenPorts,
    Record,
    TakeKeys,
    TakeNames,
    reconcile,
)
from sandboxd.policy.rights import (
    Asked,
    CredentialRight,
    KeyRights,
    Login,
    PortRight,
    PortRights,
    Recorded,
    Rights,
    Target,
    rights,
)

SSH = CredentialRight("ssh", (), ("SHA256:key", "git.example.org"))


def policy(*names: str, ports: tuple[int, ...] = (443,)) -> Policy:
    return Policy(rules=tuple(Rule(pattern(name), ports) for name in names))


def wanted(
    asked: Policy | None,
    *answers: Approval,
    credentials: tuple[CredentialRight, ...] = (),
    container: str = "c1",
    ports: tuple[Port, ...] = (),
    mode: str = "allow",
) -> Rights:
    whole = rights(
        Target("/w", container),
        Asked(mode, asked),
        Limits(),
        answers,
        Recorded(credentials),
        Login(),
        1.0,
        ports,
    )
    assert whole.gateway is not None
    return whole._replace(gateway=whole.gateway.on_machine((), (), ()))


def having(rights: Rights) -> Given:
    assert rights.gateway is not None
    return Given(rights.gateway.policy.version, rights.gateway.policy)


def answer(name: str, *, allows: bool = True) -> Approval:
    return Approval(pattern(name), (443,) if allows else (), allows, 0.0, "shell", 9.0)


def test_what_is_given_as_wanted_needs_no_step() -> None:
    want = wanted(policy("a.test"))
    assert reconcile(want, having(want)) == ()


def test_less_is_taken_back_without_a_record() -> None:
    less = wanted(policy("a.test"))
    (step,) = reconcile(less, having(wanted(policy("a.test", "b.test"))))
    assert step == TakeNames(less.gateway)  # type: ignore[arg-type]


def test_a_change_takes_before_it_records_and_records_before_it_gives() -> None:
    want = wanted(policy("b.test", "c.test"))
    take, record, give = reconcile(want, having(wanted(policy("a.test", "c.test"))))
    assert isinstance(take, TakeNames)
    assert [str(rule.pattern) for rule in take.rights.policy.rules] == ["c.test"]
    assert record == Record(("b.test",), ())
    assert give == GiveNames(want.gateway)  # type: ignore[arg-type]


def test_an_answer_is_recorded_where_it_is_given() -> None:
    want = wanted(policy("a.test"), answer("b.test"))
    steps = reconcile(want, having(wanted(policy("a.test"))))
    assert [type(step) for step in steps] == [GiveNames]


def test_a_denial_that_is_lifted_is_recorded() -> None:
    denied = policy("a.test")._replace(denied=(pattern("*.a.test"),))
    steps = reconcile(wanted(policy("a.test")), having(wanted(denied)))
    assert Record(("*.a.test",), ()) in steps


def test_a_gateway_without_a_policy_is_given_the_last_one_without_a_record() -> None:
    want = wanted(policy("a.test"))
    assert reconcile(want, having(want)._replace(version=0)) == (GiveNames(want.gateway),)  # type: ignore[arg-type]


def test_of_what_nobody_knows_nothing_is_left() -> None:
    want = wanted(policy("a.test"))
    take, _, _ = reconcile(want, Given(version=7))
    assert isinstance(take, TakeNames) and take.rights.policy.rules == ()


def test_without_a_network_nothing_is_let_through() -> None:
    (step,) = reconcile(wanted(None, mode="none"), having(wanted(policy("a.test"))))
    assert isinstance(step, TakeNames) and step.rights.policy.rules == ()


def served(container: str, *words: str) -> KeyRights:
    return KeyRights(container, frozenset(words or SSH.place))


def test_keys_go_to_the_container_that_a_start_named() -> None:
    want = wanted(policy(), credentials=(SSH,))
    for started, serves in product(("c1", "c2", ""), ("c1", "c2", "")):
        given = having(want)._replace(
            started=started,
            chosen=frozenset(SSH.place),
            keys=served(serves) if serves else None,
        )
        steps = reconcile(want, given)
        gives = [step for step in steps if isinstance(step, GiveKeys)]
        assert gives == ([GiveKeys(served("c1"))] if started == "c1" != serves else [])
        assert (TakeKeys() in steps) == bool(serves and (serves, started) != ("c1", "c1"))


def test_keys_are_taken_then_recorded_then_given() -> None:
    want = wanted(policy(), credentials=(SSH,))
    given = having(want)._replace(
        started="c1", chosen=frozenset(SSH.place), keys=served("c1", "SHA256:key")
    )
    record = Record(("git.example.org",), ("ssh",))
    assert reconcile(want, given) == (TakeKeys(), record, GiveKeys(served("c1")))


def test_what_a_record_names_since_the_start_is_for_the_next_one() -> None:
    more = SSH._replace(place=(*SSH.place, "new.example.org"))
    want = wanted(policy(), credentials=(more,))
    given = having(want)._replace(started="c1", chosen=frozenset(SSH.place), keys=served("c1"))
    assert reconcile(want, given) == ()


def test_keys_that_are_taken_from_the_record_are_served_no_more() -> None:
    given = having(wanted(policy()))._replace(
        started="c1", chosen=frozenset(SSH.place), keys=served("c1")
    )
    assert reconcile(wanted(policy()), given) == (TakeKeys(),)
    fewer = wanted(policy(), credentials=(SSH._replace(place=SSH.place[:1]),))
    assert reconcile(fewer, given) == (TakeKeys(), GiveKeys(served("c1", *SSH.place[:1])))


def test_without_a_container_nothing_is_served() -> None:
    want = wanted(policy(), credentials=(SSH,), container="")
    given = having(want)._replace(chosen=frozenset(SSH.place))
    assert reconcile(want, given) == ()
    assert reconcile(want, given._replace(keys=served("c1"))) == (TakeKeys(),)


def opened(container: str, *numbers: int) -> PortRights:
    return PortRights(container, tuple(PortRight(Port(number)) for number in numbers))


def test_ports_close_before_others_open() -> None:
    want = wanted(policy(), ports=(Port(2), Port(3)))
    steps = reconcile(want, having(want)._replace(ports=opened("c1", 1, 3)))
    assert steps == (ClosePorts((Port(1),)), OpenPorts(opened("c1", 2, 3)))
    assert reconcile(want, having(want)._replace(ports=opened("c1", 3, 2))) == ()


def test_ports_of_another_container_are_closed() -> None:
    want = wanted(policy(), ports=(Port(1),))
    steps = reconcile(want, having(want)._replace(ports=opened("c0", 1)))
    assert steps == (ClosePorts((Port(1),)), OpenPorts(opened("c1", 1)))


def test_without_a_container_no_port_is_open() -> None:
    want = wanted(policy(), ports=(Port(1),), container="")
    assert reconcile(want, having(want)) == ()
    given = having(want)._replace(ports=opened("c1", 1))
    assert reconcile(want, given) == (ClosePorts((Port(1),)),)


def test_fewer_ports_of_a_name_are_less() -> None:
    less = wanted(policy("a.test"))
    (step,) = reconcile(less, having(wanted(policy("a.test", ports=(80, 443)))))
    assert isinstance(step, TakeNames)
