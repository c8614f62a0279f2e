"""The verdict on a name and a port. Pure: the daemon, the gateway and `sandboxd egress check` use the same code."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sandboxd.egress.names import NotAName, Pattern, address, normal

Reason = Literal[
    "allowed",
    "service",
    "not-a-name",
    "no-rule",
    "port",
    "expired",
    "denied",
    "canary",
]


class Rule(NamedTuple):
    """Names that may be reached, and at which ports."""

    pattern: Pattern
    """An IPv4 address, as `names.address` spells it, is allowed by a rule of its own with `private`."""
    ports: tuple[int, ...]
    private: bool = False
    """Whether a private address (RFC 1918, 6598) may be dialled; loopback and link-local never are."""
    source: str = ""
    """The source of the rule, in words: ``group pypi``, ``sandboxd.toml``, ``approval``."""
    until: float = 0.0
    """Seconds since the epoch at which it ends; 0 for never."""
    once: str = ""
    """For one that ends with its first connection the serial of its approval, which no other one has; '' for others."""
    needs_sni: bool = False
    """TLS that hides the server's name, or names none, is refused: names that share an address."""


class Upstream(NamedTuple):
    """A company's HTTP proxy, the only way out of its network."""

    host: str
    """A name or an address, of whatever range: only the person outside says it."""
    port: int
    credentials: str = ""
    """``user:password`` for it, or ''."""
    direct: tuple[Pattern, ...] = ()
    """Names that are dialled without it."""

    @property
    def place(self) -> tuple[str, int, str]:
        """Where it is, and the login there."""
        return self.host, self.port, self.credentials

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __repr__(self) -> str:
        return f"Upstream({self.host!r}, {self.port}, direct={self.direct!r})"


class Policy(NamedTuple):
    """All that a gateway lets through; the empty policy lets nothing through."""

    version: int = 0
    rules: tuple[Rule, ...] = ()
    denied: tuple[Pattern, ...] = ()
    """They win over every rule: of the user's and the organisation's floor, or by `egress deny`."""
    canaries: tuple[str, ...] = ()
    """Names that nothing has a reason to ask for: a use of one is reported as such."""
    services: tuple[tuple[str, str], ...] = ()
    """(name, address) of containers on the same network. Until there is a network, the name of the container's
    service stands for its address: several names may lead to one."""
    forbidden: tuple[str, ...] = ()
    """Networks (``192.0.2.7/32``) that are never dialled: the host's own addresses."""
    addresses: tuple[tuple[str, str], ...] = ()
    """(name, synthetic address) that were handed out before; they keep their meaning."""
    upstream: Upstream | None = None
    """Where connections to the outside are made through. A name that resolves here, too, is judged by its
    addresses before the proxy is asked; of one that only the proxy can resolve nobody here knows where it
    leads, and `private` and `forbidden` hold only as far as the proxy cares."""
    credentials: tuple[tuple[str, int], ...] = ()
    """(service, port) of the credentials that may be used: see `broker`. The secrets come by another command."""
    decoys: tuple[str, ...] = ()
    """Tokens that are worth nothing: one that is sent anywhere is reported as a tripwire, see `decoy`."""


class Verdict(NamedTuple):
    """The decision about a name and a port.

    `rule` is the rule that decided; None where none did.
    """

    reason: Reason
    rule: Rule | None = None

    @property
    def allowed(self) -> bool:
        return self.reason in ("allowed", "service")


class Decider:
    """Decides by one policy, with an index over its rules, so that a name is looked up and not compared with each."""

    def __init__(self, policy: Policy) -> None:
        self._exact: dict[str, list[Rule]] = {}
        self._below: dict[str, list[Rule]] = {}
        # Several rules may allow one name: a lasting one goes before one for a single connection, then the wider one.
        for rule in sorted(policy.rules, key=lambda rule: (bool(rule.once), not rule.private)):
            side = self._below if rule.pattern.below else self._exact
            side.setdefault(rule.pattern.host, []).append(rule)
        self._denied = frozenset(each.host for each in policy.denied if not each.below)
        self._denied_below = frozenset(each.host for each in policy.denied if each.below)
        self._canaries = frozenset(policy.canaries)
        self._decoys = tuple(each.lower() for each in policy.decoys)
        self._services = frozenset(name for name, _ in policy.services)

    def decide(self, text: str, port: int, now: float) -> Verdict:
        """The verdict about a name and a port at `now`, as `decide` of this module gives it."""
        name = self._name(text)
        if name is None:
            return Verdict("not-a-name")
        if name in self._canaries or any(each in name for each in self._decoys):
            return Verdict("canary")
        above = _above(name)
        if name in self._denied or not self._denied_below.isdisjoint(above):
            return Verdict("denied")
        if name in self._services:
            return Verdict("service")
        rules = self._exact.get(name, [])
        for host in above if self._below else ():
            rules = rules + self._below.get(host, [])
        return _first_usable(rules, port, now)

    def _name(self, text: str) -> str | None:
        try:
            return normal(text)
        except NotAName:
            pass
        try:
            # An address is a name only where a rule is for it.
            literal = address(text)
        except NotAName:
            return None
        return literal if literal in self._exact or literal in self._denied else None


def decide(policy: Policy, text: str, port: int, now: float) -> Verdict:
    """Whether `text` may be reached at `port`; for many names, keep a `Decider`.

    Of the rules for a name the most exact decides.

    :param port: 0 asks for any port: whether the name resolves
    :param now: seconds since the epoch
    """
    return Decider(policy).decide(text, port, now)


def _above(name: str) -> list[str]:
    """The names that `name` is below, the closest first."""
    above = []
    while "." in name:
        name = name.partition(".")[2]
        above.append(name)
    return above


def _first_usable(rules: list[Rule], port: int, now: float) -> Verdict:
    living = [rule for rule in rules if not rule.until or now < rule.until]
    for rule in living:
        if not port or port in rule.ports:
            return Verdict("allowed", rule)
    if living:
        return Verdict("port", living[0])
    return Verdict("expired", rules[0]) if rules else Verdict("no-rule")
