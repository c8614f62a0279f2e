"""Name and port -> verdict. Pure: the daemon, the gateway and `sandboxd egress check` ask the same lines."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sandboxd.egress.names import NotAName, Pattern, normal

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
    """Names that may be reached, and by which ports."""

    pattern: Pattern
    ports: tuple[int, ...]
    private: bool = False
    """Whether a private address (RFC 1918, 6598) may be dialled; loopback and link-local never are."""
    source: str = ""
    """Who allows it, in words: ``group pypi``, ``sandboxd.toml``, ``approval``."""
    until: float = 0.0
    """Seconds since the epoch at which it ends; 0 for never."""
    once: bool = False
    """It ends with the first connection."""
    needs_sni: bool = False
    """TLS that hides the server's name, or names none, is refused: names that share an address."""


class Upstream(NamedTuple):
    """An HTTP proxy of a company, by which alone names can be reached."""

    host: str
    """A name or an address, of whatever range: only the person outside says it."""
    port: int
    credentials: str = ""
    """``user:password`` for it, or ''."""

    def __repr__(self) -> str:
        return f"Upstream({self.host!r}, {self.port})"


class Policy(NamedTuple):
    """All that a gateway lets through; the empty one lets nothing through."""

    version: int = 0
    rules: tuple[Rule, ...] = ()
    denied: tuple[Pattern, ...] = ()
    """They win over every rule: of the user's and the organisation's floor, or by `egress deny`."""
    canaries: tuple[str, ...] = ()
    """Names that nothing has a reason to ask for: a use of one is reported as such."""
    services: tuple[tuple[str, str], ...] = ()
    """(name, address) of containers on the same network."""
    forbidden: tuple[str, ...] = ()
    """Networks (``192.0.2.7/32``) that are never dialled: the host's own addresses."""
    addresses: tuple[tuple[str, str], ...] = ()
    """(name, synthetic address) that were handed out before; they keep their meaning."""
    upstream: Upstream | None = None
    """Where connections to the outside are made through. That proxy looks the name up: which address
    it dials is then not checked here, and `private` and `forbidden` hold only as far as it cares."""


class Verdict(NamedTuple):
    """`rule` is the one that decided; None where none did."""

    reason: Reason
    rule: Rule | None = None

    @property
    def allowed(self) -> bool:
        return self.reason in ("allowed", "service")


def decide(policy: Policy, text: str, port: int, now: float) -> Verdict:
    """Whether `text` may be reached at `port`.

    :param port: 0 asks for any port: whether the name resolves
    :param now: seconds since the epoch
    """
    try:
        name = normal(text)
    except NotAName:
        return Verdict("not-a-name")
    if name in policy.canaries:
        return Verdict("canary")
    if any(pattern.matches(name) for pattern in policy.denied):
        return Verdict("denied")
    if any(name == service for service, _ in policy.services):
        return Verdict("service")
    rules = [rule for rule in policy.rules if rule.pattern.matches(name)]
    living = [rule for rule in rules if not rule.until or now < rule.until]
    usable = [rule for rule in living if not port or port in rule.ports]
    if usable:
        return Verdict("allowed", min(usable, key=_rank))
    if living:
        return Verdict("port", living[0])
    return Verdict("expired", rules[0]) if rules else Verdict("no-rule")


def _rank(rule: Rule) -> tuple[bool, bool, bool]:
    """The rule that is used first: an exact name, a lasting permission, the one that allows more."""
    return rule.pattern.below, rule.once, not rule.private
