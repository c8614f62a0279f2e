"""The verdict on a connection: the policy's, with what only the running gateway knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sandboxd.egress.gateway.address_book import AddressBook
from sandboxd.egress.names import LONGEST_NAME, NotAName, address, normal
from sandboxd.egress.policy import Decider, Policy, Rule

LONGEST_PREFIX, NEW_PREFIXES = 64, 30
"""Characters that a name may have in front of a wildcard's host, and new names below one wildcard in
a minute. A name that is looked up reaches whoever owns the host: this bounds what it can carry."""

_MINUTE = 60.0


class Judgement(NamedTuple):
    """Whether a name may be reached, and by which rule."""

    name: str
    """In the one spelling; as it was asked for where it is no name."""
    allowed: bool
    reason: str
    rule: Rule | None = None

    @property
    def source(self) -> str:
        return self.rule.source if self.rule else ""


class Gate:
    """Holds the policy in force, the rules that are used up, and the names with addresses."""

    def __init__(
        self,
        book: AddressBook,
        clock: Callable[[], float],
        start_clock: Callable[[], None] = lambda: None,
    ) -> None:
        """:param clock: seconds since the epoch
        :param start_clock: called before each policy with ends of its own, which are by the machine's clock of then
        """
        self.book, self.clock = book, clock
        self._start_clock = start_clock
        self._policy = Policy()
        self._decider = Decider(self._policy)
        self._services: dict[str, str] = {}
        self._used: set[str] = set()
        """The serials of the rules for one connection that were used."""
        self._recent: dict[str, list[float]] = {}
        self._admitted: set[str] = set()

    @property
    def policy(self) -> Policy:
        return self._policy

    def set(self, policy: Policy) -> None:
        """Judge by `policy` from now on. A used-up rule stays so, also where a policy came without it meanwhile."""
        if policy.version != self._policy.version:
            self._start_clock()
        self._policy, self._services = policy, dict(policy.services)
        self._forget_used()
        self.book.learn(policy.addresses)
        wild = {rule.pattern.host for rule in policy.rules if rule.pattern.below}
        self._recent = {host: times for host, times in self._recent.items() if host in wild}

    def judge(self, text: str, port: int) -> Judgement:
        """Whether `text` may be reached at `port`; 0 for any."""
        now = self.clock()
        verdict = self._decider.decide(text, port, now)
        name = _spelling(text)
        reason: str = verdict.reason
        if reason == "allowed" and not self._admits(name, verdict.rule, now):
            reason = "label-data"
        return Judgement(name, reason in ("allowed", "service"), reason, verdict.rule)

    def allows_private(self, name: str, port: int) -> bool:
        """Whether a rule lets `name` lead to a private address at `port`."""
        judgement = self.judge(name, port)
        return judgement.allowed and judgement.rule is not None and judgement.rule.private

    def lets_go_on(self, used: Rule) -> bool:
        """Whether the policy still has the approval that `used`, a rule for one connection, was made of."""
        return any(rule.once == used.once for rule in self._policy.rules)

    def is_tripwire(self, text: str) -> bool:
        """Whether `text` is a name that no program has a reason to ask for."""
        return self._decider.decide(text, 0, self.clock()).reason == "canary"

    def service(self, name: str) -> str | None:
        """The address of the container that is called `name`."""
        return self._services.get(name)

    def claim(self, rule: Rule | None) -> None:
        """Use the one connection of a rule that allows one: `judge` no longer counts that rule."""
        if rule is not None and rule.once:
            self._used.add(rule.once)
            self._forget_used()

    def give_back(self, rule: Rule | None) -> None:
        """Undo `claim` for a connection that was not made: the rule allows the next one."""
        if rule is not None and rule.once in self._used:
            self._used.discard(rule.once)
            self._forget_used()

    def _forget_used(self) -> None:
        policy = self._policy
        if self._used:
            rules = tuple(rule for rule in policy.rules if rule.once not in self._used)
            policy = policy._replace(rules=rules)
        self._decider = Decider(policy)

    def _admits(self, name: str, rule: Rule | None, now: float) -> bool:
        if rule is None or not rule.pattern.below or name in self._admitted:
            return True
        if self.book.address(name) is not None:
            return True
        host = rule.pattern.host
        recent = [at for at in self._recent.get(host, ()) if now - at < _MINUTE]
        if len(name) - len(host) - 1 > LONGEST_PREFIX or len(recent) >= NEW_PREFIXES:
            return False
        self._recent[host] = [*recent, now]
        if len(self._admitted) >= len(self.book) + 4096:
            self._admitted.clear()
        self._admitted.add(name)
        return True


def _spelling(text: str) -> str:
    for read in (normal, address):
        try:
            return read(text)
        except NotAName:
            continue
    return text[:LONGEST_NAME]
