"""A policy as JSON and back, for the control channel of a gateway.

Reading is strict: each key is there once and of its type, or the whole is refused. Half a policy
would let through what the other half denies.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import math
from collections.abc import Callable
from typing import TypeVar, cast

from sandboxd.egress import broker_wire, layout
from sandboxd.egress.names import NotAName, Pattern, address, normal, pattern
from sandboxd.egress.policy import Policy, Rule, Upstream

MOST_RULES, MOST_PORTS, MOST_ENTRIES = 10_000, 256, 10_000
"""Rules of a policy, different ports in all of them, entries of each other list."""

MOST_DECOYS, _SHORTEST_TOKEN = 16, 16

_T = TypeVar("_T")
_LONGEST_TEXT = 512
_POLICY_KEYS, _RULE_KEYS = frozenset(Policy._fields), frozenset(Rule._fields)
_UPSTREAM_KEYS = frozenset(Upstream._fields)


class NotAPolicy(ValueError):
    """The value is no policy; the message says which part is wrong."""


def policy_to_json(policy: Policy) -> dict[str, object]:
    """`policy` as JSON has it; `policy_from_json` reads it back."""
    upstream = policy.upstream
    return {
        "version": policy.version,
        "rules": [{**rule._asdict(), "pattern": str(rule.pattern)} for rule in policy.rules],
        "denied": [str(denied) for denied in policy.denied],
        "canaries": list(policy.canaries),
        "services": [list(service) for service in policy.services],
        "forbidden": list(policy.forbidden),
        "addresses": [list(address) for address in policy.addresses],
        "upstream": upstream
        and {**upstream._asdict(), "direct": [str(each) for each in upstream.direct]},
        "credentials": [list(credential) for credential in policy.credentials],
        "decoys": list(policy.decoys),
    }


def version(policy: Policy) -> int:
    """The version of `policy`, a hash of its content: equal for equal policies, and never 0."""
    text = json.dumps(policy_to_json(policy._replace(version=0)), sort_keys=True)
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) or 1


def policy_from_json(value: object) -> Policy:
    """The policy in the JSON value `value`.

    :raises NotAPolicy: a key is missing or unknown, or a value is not of its type or out of bounds
    """
    fields = _object(value, _POLICY_KEYS, "a policy")
    policy = Policy(
        version=_whole(fields["version"], 0, 2**53, "version"),
        rules=_list(fields["rules"], _rule, "rules", MOST_RULES),
        denied=_list(fields["denied"], _pattern, "denied"),
        canaries=_list(fields["canaries"], _name, "canaries"),
        services=_list(fields["services"], _name_and_address, "services"),
        forbidden=_list(fields["forbidden"], _network, "forbidden"),
        addresses=_list(fields["addresses"], _name_and_address, "addresses"),
        upstream=None if fields["upstream"] is None else _upstream(fields["upstream"]),
        credentials=_list(
            fields["credentials"], _service_and_port, "credentials", broker_wire.MOST_BINDINGS
        ),
        decoys=_list(fields["decoys"], _token, "decoys", MOST_DECOYS),
    )
    if len({port for rule in policy.rules for port in rule.ports}) > MOST_PORTS:
        raise NotAPolicy(f"more than {MOST_PORTS} different ports")
    for pairs, what in (
        (policy.services, "services"),
        (policy.addresses, "addresses"),
        (policy.credentials, "credentials"),
    ):
        if len({name for name, _ in pairs}) < len(pairs):
            raise NotAPolicy(f"`{what}` holds a name twice")
    if len({port for _, port in policy.credentials}) < len(policy.credentials):
        raise NotAPolicy("`credentials` gives two services one port")
    if len({address for _, address in policy.addresses}) < len(policy.addresses):
        raise NotAPolicy("`addresses` gives two names one address")
    return policy


def _rule(value: object) -> Rule:
    fields = _object(value, _RULE_KEYS, "a rule")
    ports = _list(fields["ports"], lambda port: _whole(port, 1, 65535, "ports"), "ports", 65535)
    if not ports:
        raise NotAPolicy("a rule without ports")
    return Rule(
        pattern=_pattern(fields["pattern"]),
        ports=ports,
        private=_truth(fields["private"], "private"),
        source=_text(fields["source"], "source"),
        until=_seconds(fields["until"]),
        once=_text(fields["once"], "once"),
        needs_sni=_truth(fields["needs_sni"], "needs_sni"),
    )


def _upstream(value: object) -> Upstream:
    fields = _object(value, _UPSTREAM_KEYS, "upstream")
    host = _text(fields["host"], "host")
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        host = _name(host)
    credentials = _text(fields["credentials"], "credentials")
    if not credentials.isprintable():
        raise NotAPolicy("`credentials` are not printable")
    port = _whole(fields["port"], 1, 65535, "port")
    return Upstream(host, port, credentials, _list(fields["direct"], _pattern, "direct"))


def _object(value: object, keys: frozenset[str], what: str) -> dict[str, object]:
    if not isinstance(value, dict) or value.keys() != keys:
        raise NotAPolicy(f"{what} is no object with the keys {', '.join(sorted(keys))}")
    return cast("dict[str, object]", value)


def _list(
    value: object, read: Callable[[object], _T], what: str, most: int = MOST_ENTRIES
) -> tuple[_T, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise NotAPolicy(f"`{what}` is no list of at most {most}")
    return tuple([read(entry) for entry in value])


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise NotAPolicy(f"`{what}` is no text of at most {_LONGEST_TEXT} characters")
    return value


def _token(value: object) -> str:
    text = _text(value, "decoys")
    if len(text) < _SHORTEST_TOKEN or not text.isascii() or not text.isprintable():
        raise NotAPolicy("`decoys` holds what is no token")
    return text


def _whole(value: object, least: int, most: int, what: str) -> int:
    if type(value) is not int or not least <= value <= most:
        raise NotAPolicy(f"`{what}` is no whole number from {least} to {most}")
    return value


def _seconds(value: object) -> float:
    if type(value) not in (int, float):
        raise NotAPolicy("`until` is no number")
    seconds = float(cast("float", value)) if abs(cast("float", value)) < 1e15 else math.nan
    if not seconds >= 0:
        raise NotAPolicy("`until` is no time")
    return seconds


def _truth(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise NotAPolicy(f"`{what}` is neither true nor false")
    return value


def _pattern(value: object) -> Pattern:
    text = _text(value, "pattern")
    try:
        return pattern(text)
    except NotAName as error:
        why = str(error)
    try:
        return Pattern(address(text))
    except NotAName:
        raise NotAPolicy(f"`{text}` is {why}") from None


def _name(value: object) -> str:
    text = _text(value, "name")
    try:
        return normal(text)
    except NotAName as error:
        raise NotAPolicy(f"`{text}` is {error}") from None


def _name_and_address(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2:
        raise NotAPolicy("not a name and an address")
    text = _text(value[1], "address")
    try:
        return _name(value[0]), str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise (
            error if isinstance(error, NotAPolicy) else NotAPolicy(f"`{text}` is no IPv4 address")
        ) from None


def _service_and_port(value: object) -> tuple[str, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise NotAPolicy("not a service and a port")
    service, port = _text(value[0], "credentials"), _whole(value[1], 1, 65535, "credentials")
    if not broker_wire.SERVICE.fullmatch(service) or port in layout.OWN_PORTS:
        raise NotAPolicy("`credentials` holds no service, or a port of the gateway's own")
    return service, port


def _network(value: object) -> str:
    text = _text(value, "forbidden")
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise NotAPolicy(f"`{text}` is no network") from None
