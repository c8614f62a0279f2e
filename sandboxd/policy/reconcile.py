"""The steps from the rights that a sandbox has to those that it may have. Pure.

Revocations come first and wait for nothing. New rights come last, after they were recorded. SSH keys are only given to
the container that the last start created.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.policy.gateway_rights import GatewayRights, is_covered
from sandboxd.policy.rights import KeyRights, PortRights, Rights

if TYPE_CHECKING:
    from sandboxd.egress.policy import Policy
    from sandboxd.model.remote import Port


class Given(NamedTuple):
    """The rights that a sandbox has, as reported by whoever provides them."""

    version: int = 0
    """The version of the policy that its gateway enforces; 0 if it has none and so lets nothing through."""
    gateway: Policy | None = None
    """The policy that was last sent to the gateway; None if that is not known. It is in force if its version is
    `version`.
    """
    started: str = ""
    """The id of the container that sandboxd's last start created; '' if there was none."""
    chosen: frozenset[str] = frozenset()
    """The fingerprints of keys, and the hosts, that this start chose. Later ones need a new start."""
    keys: KeyRights | None = None
    """The keys that are being served to programs in a container; None for none."""
    ports: PortRights | None = None
    """The ports that are forwarded to this machine; None for none."""


class TakeNames(NamedTuple):
    """A step: make the gateway enforce a stricter policy, and close connections that it does not allow."""

    rights: GatewayRights


class TakeKeys(NamedTuple):
    """A step: stop serving keys."""


class ClosePorts(NamedTuple):
    """A step: stop forwarding ports."""

    ports: tuple[Port, ...]


class Record(NamedTuple):
    """A step: record new rights that are recorded nowhere else. If that fails, none of the following steps is done."""

    names: tuple[str, ...]
    credentials: tuple[str, ...]


class GiveNames(NamedTuple):
    """A step: make the gateway enforce its whole policy, and close connections that it does not allow."""

    rights: GatewayRights


class GiveKeys(NamedTuple):
    """A step: serve these keys and hosts, in their container."""

    rights: KeyRights


class OpenPorts(NamedTuple):
    """A step: forward these ports of their container to this machine."""

    rights: PortRights


Step = TakeNames | TakeKeys | ClosePorts | Record | GiveNames | GiveKeys | OpenPorts


def reconcile(wanted: Rights, given: Given) -> tuple[Step, ...]:
    """The steps that turn the rights `given` into `wanted`, in order; () if they are equal.

    :param wanted: with the gateway's rights as `GatewayRights.on_machine` completed them
    """
    steps = (*_names(wanted, given), *_keys(wanted, given), *_ports(wanted, given))
    takes = tuple(each for each in steps if isinstance(each, TakeNames | TakeKeys | ClosePorts))
    records = tuple(each for each in steps if isinstance(each, Record))
    gives = tuple(each for each in steps if isinstance(each, GiveNames | GiveKeys | OpenPorts))
    return (*takes, *records, *gives)


def _names(wanted: Rights, given: Given) -> tuple[Step, ...]:
    whole = wanted.gateway
    if whole is None or whole.policy.version == given.version:
        return ()
    last = given.gateway
    if given.version and (last is None or last.version != given.version):
        # Somebody else gave it what it has: nobody knows what of that has to go, so all of it goes first.
        nothing = whole.nothing()
        return (TakeNames(nothing), *to_record(wanted, nothing.policy), GiveNames(whole))
    if last is None:
        return (*to_record(wanted, whole.nothing().policy), GiveNames(whole))
    new = to_record(wanted, last)
    if not given.version:
        return (*new, GiveNames(whole))
    less = whole.within(last)
    if less == whole:
        return (TakeNames(whole),)
    takes = () if less.policy.version == given.version else (TakeNames(less),)
    return (*takes, *new, GiveNames(whole))


def to_record(wanted: Rights, last: Policy) -> tuple[Record, ...]:
    """What is new in `wanted` compared with `last`; () for nothing. The user's answers are left out, as they are
    recorded when given.
    """
    names = tuple(
        str(each.rule.pattern)
        for each in wanted.names
        if each.origin != "answer" and not is_covered(each.rule, last.rules)
    )
    doors = set(last.credentials)
    credentials = tuple(
        each.name for each in wanted.credentials if not doors.issuperset(each.doors)
    )
    allowed_again = tuple(
        str(each)
        for each in last.denied
        if each not in {denial.pattern for denial in wanted.denials}
    )
    every = tuple(dict.fromkeys((*names, *allowed_again)))
    return (Record(every, credentials),) if every or credentials else ()


def _keys(wanted: Rights, given: Given) -> tuple[Step, ...]:
    keys = served_keys(wanted, given)
    if keys == given.keys:
        return ()
    takes = (TakeKeys(),) if given.keys is not None else ()
    if keys is None:
        return takes
    is_same = given.keys is not None and given.keys.container == keys.container
    new = keys.words - (given.keys.words if given.keys is not None and is_same else frozenset())
    names = tuple(each.name for each in wanted.credentials if each.place)
    records = (Record(tuple(sorted(new)), names),) if new else ()
    return (*takes, *records, GiveKeys(keys))


def served_keys(wanted: Rights, given: Given) -> KeyRights | None:
    """The keys to serve: only those that the last start chose, in the container that it created; None for none."""
    if not given.started or wanted.keys.container != given.started:
        return None
    return wanted.keys.within(given.chosen) or None


def _ports(wanted: Rights, given: Given) -> tuple[Step, ...]:
    want, have = wanted.ports, given.ports
    is_same = have is not None and have.container == want.container
    open_now = have.ports if have is not None else ()
    closed = tuple(port for port in open_now if not (is_same and port in want.ports))
    has_more = any(not is_same or port not in open_now for port in want.ports)
    takes = (ClosePorts(closed),) if closed else ()
    return (*takes, OpenPorts(want)) if has_more else takes
