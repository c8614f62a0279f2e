"""What a gateway may let through: a value that nobody else can make, and that can only be made less of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.egress.pod_policy import for_pod
from sandboxd.egress.policy import Policy
from sandboxd.egress.wire import version

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sandboxd.egress.policy import Rule


class Sealed:
    """A value of the attributes that its `__slots__` name. No tuple: nobody can make another one of it by `_replace`."""

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sealed)
            and type(other) is type(self)
            and self._parts() == other._parts()
        )

    def __hash__(self) -> int:
        return hash(self._parts())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._parts()))})"

    def _parts(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)


class GatewayRights(Sealed):
    """What a gateway may let through. Only `rights` creates it, so that no other policy can reach a gateway."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def on_machine(
        self,
        services: tuple[tuple[str, str], ...],
        forbidden: Iterable[str],
        addresses: Iterable[tuple[str, str]],
    ) -> GatewayRights:
        """Return the rights completed with what depends on the engine's machine; equal contents get an equal version.

        :param services: DNS names of other containers, with their addresses
        :param forbidden: networks to which the gateway must not connect, in addition to those of the policy
        :param addresses: (name, synthetic address) pairs of an earlier gateway, which stay valid
        """
        policy = self.policy._replace(
            services=services, addresses=(), forbidden=(*self.policy.forbidden, *forbidden)
        )
        whole = policy._replace(version=version(policy), addresses=tuple(addresses))
        return GatewayRights(whole)

    def nothing(self) -> GatewayRights:
        """Rights that let nothing through, with the same synthetic addresses."""
        policy = Policy(forbidden=self.policy.forbidden)
        whole = policy._replace(version=version(policy), addresses=self.policy.addresses)
        return GatewayRights(whole)

    def within(self, before: Policy) -> GatewayRights:
        """The part of the rights that a gateway with the policy `before` lets through already; denials of both
        apply.
        """
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
        """The rights without approvals for one connection, for gateways that restart by themselves and would allow it
        again.
        """
        rules = tuple(rule for rule in self.policy.rules if not rule.once)
        return GatewayRights(self.policy._replace(rules=rules))

    def without_once(self, serials: Collection[str]) -> GatewayRights:
        """The rights without the approvals for one connection that have these serials, before `on_machine`."""
        rules = tuple(rule for rule in self.policy.rules if rule.once not in serials)
        return GatewayRights(self.policy._replace(rules=rules))

    def in_pod(self, *, keeps_secrets: bool = False) -> GatewayRights:
        """The part that a gateway in a Pod can enforce; a cluster starts it again by itself (`lasting`).

        :param keeps_secrets: as for `for_pod`
        """
        return GatewayRights(for_pod(self.lasting().policy, keeps_secrets=keeps_secrets))


def is_covered(narrow: Rule, rules: Iterable[Rule]) -> bool:
    """Whether one of `rules` allows everything that `narrow` allows, and for at least as long."""
    return any(_covers(rule, narrow) for rule in rules)


def _covers(wide: Rule, narrow: Rule) -> bool:
    if (wide.once and wide.once != narrow.once) or (wide.needs_sni and not narrow.needs_sni):
        return False
    if wide.until and not 0 < narrow.until <= wide.until:
        return False
    if not set(narrow.ports) <= set(wide.ports) or (narrow.private and not wide.private):
        return False
    return wide.pattern.covers(narrow.pattern)
