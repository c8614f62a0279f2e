"""The steps from what a sandbox was given to what it may have. Pure.

What is too much is taken back first, and waits for nothing. What is missing is given last, once it is recorded, and
keys go to no other container than that which a start of ours named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.policy.rights import GatewayRights, KeyRights, PortRights, Rights, is_covered

if TYPE_CHECKING:
    from sandboxd.egress.policy import Policy
    from sandboxd.model.remote import Port


class Given(NamedTuple):
    """What a sandbox has, by the word of whoever holds it."""

    version: int = 0
    """Of the policy that its gateway enforces; 0 where it has none, and lets nothing through."""
    gateway: Policy | None = None
    """What the gateway was given last; None where that is not known. It has that where its version is `version`."""
    started: str = ""
    """The id of the container that the last start of ours named; '' where there was none."""
    chosen: frozenset[str] = frozenset()
    """Fingerprints of the user's keys, and hosts, as that start found them: what is added since is for the next one."""
    keys: KeyRights | None = None
    """Those by which programs in a container are served; None for none."""
    ports: PortRights | None = None
    """Those that are open on this machine; None for none."""


class TakeNames(NamedTuple):
    """Have the gateway enforce less than it does, and end what that does not allow."""

    rights: GatewayRights


class TakeKeys(NamedTuple):
    """Serve no keys any more."""


class ClosePorts(NamedTuple):
    """Close ports of this machine."""

    ports: tuple[Port, ...]


class Record(NamedTuple):
    """Record what is to be given and is recorded nowhere else; where that fails nothing is given."""

    names: tuple[str, ...]
    credentials: tuple[str, ...]


class GiveNames(NamedTuple):
    """Have the gateway enforce all that it is to, and end what that does not allow."""

    rights: GatewayRights


class GiveKeys(NamedTuple):
    """Serve these keys and hosts, in their container."""

    rights: KeyRights


class OpenPorts(NamedTuple):
    """Have these ports of their container open on this machine."""

    rights: PortRights


Step = TakeNames | TakeKeys | ClosePorts | Record | GiveNames | GiveKeys | OpenPorts


def reconcile(wanted: Rights, given: Given) -> tuple[Step, ...]:
    """The steps after which `given` is what `wanted` says, in their order; () where it is.

    :param wanted: its gateway's part with what only the engine's machine knows: `GatewayRights.on_machine`
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
    """What is new in `wanted` since `last`, but for answers: those are recorded when a person gives them."""
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
    """The keys that are to be served: of the container that a start named, and of what that start chose; None for none."""
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
