"""What one sandbox may have now: one value, which one pure function makes and every giver takes.

Whoever gives a sandbox names, credentials, keys or ports takes them from here, so that what config, grants, policies,
answers and records say is brought together in one place. A secret is never in it, but for the login at a proxy,
which is a part of the gateway's policy.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.egress.approvals import SOURCE, Approval, Limits, effective, obstacle
from sandboxd.egress.policy import Policy
from sandboxd.egress.wire import version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.egress.names import Pattern
    from sandboxd.egress.policy import Rule
    from sandboxd.model.remote import Port

Origin = Literal["profile", "sandboxd.toml", "devcontainer.json", "grant", "policy.toml", "answer"]
"""Where a right, or what takes one away, comes from. ``sandboxd.toml`` names no more than its profile does by itself;
``grant`` is what it asks for beyond that, with the user's consent to this content."""

Source = Literal["sandboxd.toml", "profile"]
"""The place that names what is allowed: sandboxd.toml where it has a list that counts, else the profile."""


WAITS = (
    "sandboxd.toml was edited since the sandbox started, and what it opens by that waits for your grant or the "
    "next start"
)
"""The reason why a part of what sandboxd.toml asks for does not count in a sandbox that runs."""


class Target(NamedTuple):
    """The sandbox that rights are for."""

    sandbox: str
    """Its identity."""
    container: str = ""
    """The id of its container; '' where none is meant: rights of one container are never those of the next."""


class Asked(NamedTuple):
    """What config, grants and the policy minimum make of the network, without any answers."""

    mode: str
    """``none``, ``allow`` or ``open``."""
    policy: Policy | None
    """None where the project has no gateway."""
    source: Source = "profile"
    is_granted: bool = False
    """Whether the user agreed to this content of sandboxd.toml, and it asks for more than its profile."""
    problem: str = ""
    """The reason why what the config asks for does not count, '' where it does."""
    most: Policy | None = None
    """What was planned for this container by the last content of sandboxd.toml that a start or the user's grant was
    for, where the present content is another: what an edit takes away counts at once, what it adds waits. None where
    nothing bounds it."""
    accounts: tuple[tuple[str, str], ...] = ()
    """The services of the gateway that the last start sent secrets of, each with the account; '' for one that the user
    removed since. A door to another account would use the secret of that one, so it waits for the next start."""


class Login(NamedTuple):
    """The user's login at the company's proxy."""

    text: str = ""
    """``user:password``, or ''."""
    problem: str = ""
    """The reason why it cannot be used, '' where it can, or there is none."""

    def __repr__(self) -> str:
        return f"Login(problem={self.problem!r})"


class CredentialRight(NamedTuple):
    """A credential that may be used: its record, never its secret."""

    name: str
    """As in sandboxd.toml: ``github:work``."""
    doors: tuple[tuple[str, int], ...]
    """The services and ports of the gateway that lead to it; () for keys of an agent."""
    place: tuple[str, ...] = ()
    """Fingerprints of keys of the user's agent, and the hosts that they log in to; () for any other secret."""
    account: str = ""
    """The name of its record: ``github:work`` also where sandboxd.toml says ``github``."""
    origin: Origin = "grant"


class NameRight(NamedTuple):
    """Names that may be reached."""

    rule: Rule
    origin: Origin


class Denial(NamedTuple):
    """Names that nothing reaches."""

    pattern: Pattern
    origin: Origin


class _Sealed:
    """A value of the attributes that its `__slots__` name. No tuple: nobody can make another one of it by `_replace`."""

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Sealed)
            and type(other) is type(self)
            and self._parts() == other._parts()
        )

    def __hash__(self) -> int:
        return hash(self._parts())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._parts()))})"

    def _parts(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)


class GatewayRights(_Sealed):
    """What a gateway may let through. Made by `rights` alone, so that no other policy ever reaches one."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def on_machine(
        self,
        services: tuple[tuple[str, str], ...],
        forbidden: Iterable[str],
        addresses: Iterable[tuple[str, str]],
    ) -> GatewayRights:
        """The same with what only the engine's machine knows; equal contents have an equal version.

        :param services: names of other containers, with their addresses
        :param forbidden: networks that are never dialled, beside those of the policy
        :param addresses: earlier names and synthetic addresses, which keep their meaning
        """
        policy = self.policy._replace(
            services=services, addresses=(), forbidden=(*self.policy.forbidden, *forbidden)
        )
        whole = policy._replace(version=version(policy), addresses=tuple(addresses))
        return GatewayRights(whole)

    def nothing(self) -> GatewayRights:
        """What lets nothing through, and keeps the meaning of addresses."""
        policy = Policy(forbidden=self.policy.forbidden)
        whole = policy._replace(version=version(policy), addresses=self.policy.addresses)
        return GatewayRights(whole)

    def within(self, before: Policy) -> GatewayRights:
        """The part of it that a gateway with `before` lets through already; what either forbids is forbidden."""
        policy = self.policy
        less = policy._replace(
            rules=tuple(rule for rule in policy.rules if is_covered(rule, before.rules)),
            denied=tuple(dict.fromkeys((*policy.denied, *before.denied))),
            services=tuple(each for each in policy.services if each in before.services),
            forbidden=tuple(dict.fromkeys((*policy.forbidden, *before.forbidden))),
            credentials=tuple(each for each in policy.credentials if each in before.credentials),
        )
        if less == policy:
            return self
        return GatewayRights(less._replace(version=version(less._replace(addresses=()))))

    def lasting(self) -> GatewayRights:
        """The same without approvals for one connection: what starts again by itself would let one more through."""
        rules = tuple(rule for rule in self.policy.rules if not rule.once)
        return GatewayRights(self.policy._replace(rules=rules))


class KeyRights(_Sealed):
    """Keys of the user's agent that programs in one container may log in by. Made by `rights` alone, so that no other
    choice ever reaches a filter."""

    __slots__ = ("container", "words")

    def __init__(self, container: str, words: frozenset[str]) -> None:
        self.container = container
        """Its id."""
        self.words = words
        """Fingerprints of keys, and the hosts that they log in to."""

    def __bool__(self) -> bool:
        return bool(self.words)

    def within(self, words: Iterable[str]) -> KeyRights:
        """The part of it that is among `words`."""
        return KeyRights(self.container, self.words.intersection(words))


class PortRight(NamedTuple):
    """A port of the sandbox that is open on this machine while it runs."""

    port: Port
    origin: Origin = "devcontainer.json"


class PortRights(_Sealed):
    """The ports of one container that may be open on this machine. Made by `rights` alone, so that no other is opened."""

    __slots__ = ("container", "named")

    def __init__(self, container: str, named: tuple[PortRight, ...]) -> None:
        self.container = container
        """Its id."""
        self.named = named
        """Each with where it comes from."""

    def __bool__(self) -> bool:
        return bool(self.named)

    @property
    def ports(self) -> tuple[Port, ...]:
        """The ports alone."""
        return tuple(each.port for each in self.named)

    def without(self, ports: Iterable[Port]) -> PortRights:
        """The rest of it without `ports`."""
        closed = frozenset(ports)
        return PortRights(self.container, tuple(e for e in self.named if e.port not in closed))


class Rights(NamedTuple):
    """All that one sandbox may have at one moment."""

    target: Target
    mode: str
    """``none``, ``allow`` or ``open``."""
    source: Source
    problem: str
    """The reason why what sandboxd.toml says of the network does not count, '' where it does."""
    planned: Policy | None
    """Without the answers of a person, and without a login; None where the project has no gateway."""
    gateway: GatewayRights | None
    """With answers and login; one that lets nothing through where there is to be no network, None for an open one."""
    names: tuple[NameRight, ...]
    denials: tuple[Denial, ...]
    approvals: tuple[Approval, ...]
    """The answers that count, of both kinds."""
    credentials: tuple[CredentialRight, ...]
    ports: PortRights
    """Those of the config that are open on this machine while the sandbox runs; none where no container is meant."""
    ends: float
    """Seconds since the epoch at which the first of the answers ends; 0 where none does."""
    no_login: str
    """The reason why the login at the proxy is not in it, '' where it is, or there is none."""
    limits: Limits
    """The bounds to what a person may allow beyond it."""
    is_bounded: bool
    """Whether what sandboxd.toml asks for is bounded by an earlier content of it: `Asked.most`."""
    is_granted: bool
    """As `Asked.is_granted`."""
    accounts: tuple[tuple[str, str], ...]
    """As `Asked.accounts`."""

    @property
    def has_gateway(self) -> bool:
        """Whether the project is to have a gateway at all."""
        return self.planned is not None

    @property
    def keys(self) -> KeyRights:
        """The keys of the user's agent; none where no container is meant."""
        places = (each.place for each in self.credentials if self.target.container)
        return KeyRights(self.target.container, frozenset(itertools.chain.from_iterable(places)))


def rights(
    target: Target,
    asked: Asked,
    limits: Limits,
    answers: Iterable[Approval],
    credentials: Iterable[CredentialRight],
    login: Login,
    now: float,
    ports: tuple[Port, ...] = (),
) -> Rights:
    """The rights of `target` at `now`.

    :param limits: of the policy minimum, for answers
    :param answers: of the project, also those that have ended or count for nothing
    :param credentials: those that config and grants let it use and that the user has a record of
    :param now: seconds since the epoch
    :param ports: those that the plan of the config names
    """
    answers, sent = tuple(answers), dict(asked.accounts)
    credentials = tuple(each for each in credentials if not _is_of_another(each, sent))
    named = tuple(map(PortRight, ports)) if target.container else ()
    opened = PortRights(target.container, named)
    planned, problem = _bounded(asked)
    if planned is None:
        nothing = GatewayRights(Policy()) if asked.mode == "none" else None
        return Rights(
            target, asked.mode, asked.source, asked.problem, None, nothing, (), (), (), (), opened,
            0.0, "", limits, asked.most is not None, asked.is_granted, asked.accounts,
        )  # fmt: skip
    doors = {door for each in credentials for door in each.doors}
    # A door that leads to no record stays shut, whatever secret of it a gateway still holds.
    planned = planned._replace(
        credentials=tuple(door for door in planned.credentials if door in doors)
    )
    policy = effective(planned, answers, limits, now)
    counting = tuple(each for each in answers if _counts(each, planned, limits, now))
    upstream = policy.upstream
    whole = policy._replace(upstream=upstream and upstream._replace(credentials=login.text))
    return Rights(
        target,
        asked.mode,
        asked.source,
        problem,
        planned,
        GatewayRights(whole),
        tuple(NameRight(rule, _origin(rule, asked)) for rule in policy.rules),
        tuple(
            Denial(pattern, "policy.toml" if pattern in planned.denied else "answer")
            for pattern in policy.denied
        ),
        counting,
        credentials,
        opened,
        min((each.until for each in counting if each.until), default=0.0),
        login.problem if upstream is not None else "",
        limits,
        asked.most is not None,
        asked.is_granted,
        asked.accounts,
    )


def _is_of_another(credential: CredentialRight, sent: dict[str, str]) -> bool:
    """Whether the gateway has the secret of another account behind a door of this one."""
    account = credential.account
    return any(sent.get(label, account) != account for label, _ in credential.doors)


def _bounded(asked: Asked) -> tuple[Policy | None, str]:
    """The policy as far as `most` goes, and why not all of it counts."""
    planned, most = asked.policy, asked.most
    if planned is None or most is None:
        return planned, asked.problem
    rules = tuple(rule for rule in planned.rules if is_covered(rule, most.rules))
    doors = tuple(door for door in planned.credentials if door in most.credentials)
    if (rules, doors) == (planned.rules, planned.credentials):
        return planned, asked.problem
    return planned._replace(rules=rules, credentials=doors), asked.problem or WAITS


def is_covered(narrow: Rule, rules: Iterable[Rule]) -> bool:
    """Whether one of `rules` allows all that `narrow` allows, for as long."""
    return any(_covers(rule, narrow) for rule in rules)


def _covers(wide: Rule, narrow: Rule) -> bool:
    if (wide.once and not narrow.once) or (wide.needs_sni and not narrow.needs_sni):
        return False
    if wide.until and not 0 < narrow.until <= wide.until:
        return False
    if not set(narrow.ports) <= set(wide.ports) or (narrow.private and not wide.private):
        return False
    return wide.pattern.covers(narrow.pattern)


def _counts(answer: Approval, planned: Policy, limits: Limits, now: float) -> bool:
    if answer.ended(now):
        return False
    return not (answer.allows and obstacle(planned, answer.pattern, answer.ports, limits))


def _origin(rule: Rule, asked: Asked) -> Origin:
    if rule.source == SOURCE:
        return "answer"
    if asked.source == "profile":
        return "profile"
    return "grant" if asked.is_granted else "sandboxd.toml"
