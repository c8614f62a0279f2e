"""What one sandbox may have at present: one value, made by one pure function, from which every right is given.

Names, credentials, keys and ports are only given from this value, so that config, grants, policies, answers and records
are combined in a single place. It contains no secret except the login at a proxy, which is part of the gateway's
policy.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.egress.approvals import SOURCE, Approval, Limits, effective, obstacle
from sandboxd.egress.policy import Policy
from sandboxd.policy.gateway_rights import GatewayRights, Sealed, is_covered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.egress.names import Pattern
    from sandboxd.egress.policy import Rule
    from sandboxd.model.remote import Port

Origin = Literal["profile", "sandboxd.toml", "devcontainer.json", "grant", "policy.toml", "answer"]
"""Where a right or a denial comes from. ``sandboxd.toml`` stands for rights in the file that its profile has by itself;
``grant`` for those beyond, to which the user agreed for this content of the file.
"""

Source = Literal["sandboxd.toml", "profile"]
"""What lists the allowed names: sandboxd.toml if it has a list that is in force, otherwise the profile."""


WAITS = (
    "sandboxd.toml was edited since the sandbox started, and what it opens by that waits for your grant or the "
    "next start"
)
"""The reason why a part of what sandboxd.toml asks for is not in force in a running sandbox."""


class Target(NamedTuple):
    """The sandbox that the rights are for."""

    sandbox: str
    """The sandbox's identity (`model.sandbox_id`)."""
    container: str = ""
    """The id of its container; '' for none. Rights of one container never pass to the next."""


class Asked(NamedTuple):
    """The network by config, grants and policy minimum, without the user's answers."""

    mode: str
    """``none``, ``allow`` or ``open``."""
    policy: Policy | None
    """The gateway's policy; None if the project has no gateway."""
    source: Source = "profile"
    is_granted: bool = False
    """Whether the config asks for more than its profile, and the user trusts this content of it."""
    problem: str = ""
    """The reason why the config's network settings are not in force; '' if they are."""
    most: Policy | None = None
    """An upper limit: the policy planned for this container by the last content of sandboxd.toml that a start or a
    grant was for. It is set if the file has another content now: what an edit removes takes effect at once, what it
    adds has to wait. None: no limit.
    """
    accounts: tuple[tuple[str, str, str], ...] = ()
    """The gateway's services for which the last start sent secrets, each with the account and the identity of its record.
    The account is '' if the user removed or replaced it since. Another credential waits for the next start, as it would
    use the earlier secret.
    """


class Login(NamedTuple):
    """The user's login at the company's proxy."""

    text: str = ""
    """``user:password``; '' for none."""
    problem: str = ""
    """The reason why it cannot be used; '' if it can, or there is none."""

    def __repr__(self) -> str:
        return f"Login(problem={self.problem!r})"


class CredentialRight(NamedTuple):
    """A credential that may be used; without the secret."""

    name: str
    """The name in sandboxd.toml: ``github:work``."""
    doors: tuple[tuple[str, int], ...]
    """The services and ports of the gateway at which it is used; () for SSH keys."""
    place: tuple[str, ...] = ()
    """For SSH keys: their fingerprints, and the hosts for which they may be used; () for other credentials."""
    account: str = ""
    """The name of the user's record: ``github:work`` even if sandboxd.toml says ``github``."""
    origin: Origin = "grant"
    serial: str = ""
    """As `records.Record.identity`."""


class Recorded(NamedTuple):
    """The credentials that config and grants allow, and for which the user has a record."""

    credentials: tuple[CredentialRight, ...] = ()
    problem: str = ""
    """The reason why the records cannot be read, so that there are none; '' if they were."""


class NameRight(NamedTuple):
    """Names that may be reached."""

    rule: Rule
    origin: Origin


class Denial(NamedTuple):
    """Names that may not be reached."""

    pattern: Pattern
    origin: Origin


class KeyRights(Sealed):
    """SSH keys that programs in one container may use for logins. Only `rights` creates it, so that no other choice can
    reach a filter.
    """

    __slots__ = ("container", "words")

    def __init__(self, container: str, words: frozenset[str]) -> None:
        self.container = container
        """Its id."""
        self.words = words
        """Fingerprints of keys, and the hosts that they log in to."""

    def __bool__(self) -> bool:
        return bool(self.words)

    def within(self, words: Iterable[str]) -> KeyRights:
        """The part of the rights that is among `words`, fingerprints and hosts."""
        return KeyRights(self.container, self.words.intersection(words))

    def lack(self, before: Iterable[str]) -> bool:
        """Whether a login may be open by what is gone of `before`, fingerprints and hosts."""
        return not self.words.issuperset(before)


class PortRight(NamedTuple):
    """A port of the sandbox that is forwarded to this machine while it runs."""

    port: Port
    origin: Origin = "devcontainer.json"


class PortRights(Sealed):
    """The ports of one container that may be forwarded to this machine. Only `rights` creates it."""

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
        """The rights without `ports`."""
        closed = frozenset(ports)
        return PortRights(self.container, tuple(e for e in self.named if e.port not in closed))


class Rights(NamedTuple):
    """Everything that one sandbox may have at one moment."""

    target: Target
    mode: str
    """``none``, ``allow`` or ``open``."""
    source: Source
    problem: str
    """The reason why the network settings of sandboxd.toml are not in force; '' if they are."""
    planned: Policy | None
    """The policy without the user's answers and without a login; None if the project has no gateway."""
    gateway: GatewayRights | None
    """The gateway's rights, with answers and login. If there is to be no network, they let nothing through; None: an
    open network.
    """
    names: tuple[NameRight, ...]
    denials: tuple[Denial, ...]
    approvals: tuple[Approval, ...]
    """The user's answers that are in force, approvals and denials."""
    credentials: tuple[CredentialRight, ...]
    ports: PortRights
    """Ports of the config that are forwarded to this machine while the sandbox runs; none without a container."""
    ends: float
    """When the first of the answers ends, in seconds since 1970; 0 if none does."""
    no_login: str
    """The reason why the login at the proxy is not included; '' if it is, or there is none."""
    no_credentials: str
    """The reason why no credential is included, as the user's records cannot be read; '' if they were."""
    limits: Limits
    """What the policy minimum lets the user allow beyond these rights."""
    is_bounded: bool
    """Whether `Asked.most` limits what sandboxd.toml asks for."""
    is_granted: bool
    """As `Asked.is_granted`."""
    accounts: tuple[tuple[str, str, str], ...]
    """As `Asked.accounts`."""

    @property
    def has_gateway(self) -> bool:
        """Whether the project is to have a gateway."""
        return self.planned is not None

    @property
    def keys(self) -> KeyRights:
        """The SSH keys that may be used; none without a container."""
        places = (each.place for each in self.credentials if self.target.container)
        return KeyRights(self.target.container, frozenset(itertools.chain.from_iterable(places)))


def rights(
    target: Target,
    asked: Asked,
    limits: Limits,
    answers: Iterable[Approval],
    recorded: Recorded,
    login: Login,
    now: float,
    ports: tuple[Port, ...] = (),
) -> Rights:
    """Combine the inputs into the rights of `target` at `now`.

    :param limits: what the policy minimum lets the user allow
    :param answers: all answers for the project, including those that have ended, are used up or not in force
    :param now: seconds since 1970
    :param ports: the ports that the plan wants forwarded
    """
    answers = tuple(answers)
    sent = {label: account for label, account, _ in asked.accounts}
    credentials = tuple(e for e in recorded.credentials if not _is_of_another(e, sent))
    named = tuple(map(PortRight, ports)) if target.container else ()
    opened = PortRights(target.container, named)
    planned, problem = _bounded(asked)
    if planned is None:
        nothing = GatewayRights(Policy()) if asked.mode == "none" else None
        return Rights(
            target, asked.mode, asked.source, asked.problem, None, nothing, (), (), (), (), opened,
            0.0, "", recorded.problem, limits, asked.most is not None, asked.is_granted, asked.accounts,
        )  # fmt: skip
    doors = {door for each in credentials for door in each.doors}
    # A door that leads to no record stays shut, whatever secret of it a gateway still holds.
    planned = planned._replace(
        credentials=tuple(door for door in planned.credentials if door in doors)
    )
    policy = effective(planned, answers, limits, now)
    counting = tuple(each for each in answers if _counts(each, planned, limits, now))
    living = (rule for rule in policy.rules if not rule.until or now < rule.until)
    upstream = policy.upstream
    whole = policy._replace(upstream=upstream and upstream._replace(credentials=login.text))
    return Rights(
        target,
        asked.mode,
        asked.source,
        problem,
        planned,
        GatewayRights(whole),
        tuple(NameRight(rule, _origin(rule, asked)) for rule in living),
        tuple(
            Denial(pattern, "policy.toml" if pattern in planned.denied else "answer")
            for pattern in policy.denied
        ),
        counting,
        credentials,
        opened,
        min((each.until for each in counting if each.until), default=0.0),
        login.problem if upstream is not None else "",
        recorded.problem,
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


def _counts(answer: Approval, planned: Policy, limits: Limits, now: float) -> bool:
    if answer.is_used or answer.ended(now):
        return False
    return not (answer.allows and obstacle(planned, answer.pattern, answer.ports, limits))


def _origin(rule: Rule, asked: Asked) -> Origin:
    if rule.source == SOURCE:
        return "answer"
    if asked.source == "profile":
        return "profile"
    return "grant" if asked.is_granted else "sandboxd.toml"
