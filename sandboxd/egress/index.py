"""A policy arranged for quick questions: thousands of rules cost no more than those of one name."""

from __future__ import annotations

from sandboxd.egress.names import NotAName, Pattern, normal
from sandboxd.egress.policy import Policy, Rule, Verdict, decide


class Index:
    """Answers like `decide` of the whole policy, by asking it about the few lines that can matter."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._rules: dict[Pattern, list[Rule]] = {}
        for rule in policy.rules:
            self._rules.setdefault(rule.pattern, []).append(rule)
        self._denied = frozenset(policy.denied)
        self._canaries = frozenset(policy.canaries)
        self._services = dict(policy.services)

    def service(self, name: str) -> str | None:
        """The address of the container called `name`, which `normal` returned."""
        return self._services.get(name)

    def about(self, text: str) -> Policy:
        """The part of the policy that can decide about `text`."""
        try:
            name = normal(text)
        except NotAName:
            return Policy()
        patterns = _patterns(name)
        rules = [rule for pattern in patterns for rule in self._rules.get(pattern, ())]
        return Policy(
            rules=tuple(rules),
            denied=tuple(pattern for pattern in patterns if pattern in self._denied),
            canaries=(name,) if name in self._canaries else (),
            services=((name, self._services[name]),) if name in self._services else (),
        )

    def decide(self, text: str, port: int, now: float) -> Verdict:
        """The verdict of `policy.decide`."""
        return decide(self.about(text), text, port, now)


def _patterns(name: str) -> list[Pattern]:
    """Each pattern that matches `name`, the exact one first."""
    patterns = [Pattern(name)]
    while "." in name:
        name = name.partition(".")[2]
        patterns.append(Pattern(name, below=True))
    return patterns
