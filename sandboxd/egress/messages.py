"""The control channel of a gateway: JSON objects, one a line, on its standard input and output.

The host's end writes commands, one writer at a time, the gateway events. More than one reader may be
attached; each sees all events. A line that cannot be read is answered by `Refused`; a policy that cannot be read whole
takes the place of the one before it as the empty policy, so that nothing is let through.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NotRequired, TypedDict, cast

from sandboxd.egress.broker_wire import CredentialsDocument


class SetPolicy(TypedDict):
    """Command: use this policy from now on. Answered by `PolicySet` with its version, or by `Refused`."""

    op: Literal["policy"]
    policy: dict[str, object]
    """As `wire.policy_to_json` writes it."""
    cut: bool
    """End connections that the new policy would not let through; else they go on."""


VERIFY_BEGINS, VERIFY_ENDS = "verify begins", "verify ends"
"""The first characters of the marks of `Replay` between which `sandboxd verify` makes its attempts."""


class Replay(TypedDict):
    """Command: send the events after the number `after` again, for a reader that attached later.

    Answered by those events, and `Replayed` after the last one.
    """

    op: Literal["events"]
    after: int
    mark: str
    """Any short text, by which a reader knows its own answer: others are attached, too."""


class AskState(TypedDict):
    """Command: report the state. Answered by `State`."""

    op: Literal["state"]


class Answer(TypedDict):
    """Command: a person denies a question from inside. To allow it, a new policy is sent."""

    op: Literal["answer"]
    id: int
    why: str


class SetCredentials(CredentialsDocument):
    """Command: use these secrets from now on, and no others. Answered by `CredentialsSet`, or by `Refused`.

    After a refused one no credential is in force. A connection that has been given one goes on.
    """

    op: Literal["credentials"]
    mark: str
    """Any short text, by which a sender knows its own answer."""


Command = SetPolicy | Replay | AskState | Answer | SetCredentials


class Numbered(TypedDict):
    seq: int
    """Grows by one with each event since the gateway started."""
    time: float
    """Seconds since the epoch, by the gateway's clock."""


class Ready(Numbered):
    """The first event: the gateway has given up its privileges and listens. It has no policy yet."""

    event: Literal["ready"]
    uid: int
    capabilities: str
    """CapEff of /proc/self/status, in hexadecimal."""
    no_new_privileges: bool
    seccomp: int
    """0 none, 1 strict, 2 filter."""
    ip_forward: bool
    """True is a fault: the kernel would carry packets past the gateway."""
    inner_ipv6: bool
    """Whether the inner interface may have IPv6 addresses; True is a fault."""
    way_out: bool
    """Whether there is a default route."""
    sees_refused_ports: bool
    """Whether connections to ports without a listener become events."""
    counts_bytes: NotRequired[bool]
    """Whether there are events `Carried`; missing for a gateway of an earlier version, which has none."""
    milliseconds: float


class HostLook(Numbered):
    """Whether the engine's host answers on the inner network, where it must not.

    Sent soon after `Ready`, and again if the host answers only later.
    """

    event: Literal["host"]
    answers: bool


class PolicySet(Numbered):
    event: Literal["policy"]
    version: int
    ports: list[int]


class Refused(Numbered):
    """A command that could not be followed. After a refused policy nothing is let through."""

    event: Literal["refused"]
    op: str
    version: int
    why: str


class Attempted(Numbered):
    """Something inside asked for a name. Equal attempts within a second are one event with a count."""

    event: Literal["denied", "reached"]
    name: str
    """As it was asked for, cut at 253 characters; an address where no name was given."""
    port: int
    """0 where only the name was looked up."""
    door: Literal["dns", "direct", "http", "connect", "socks", "port", "ask", "credential"]
    """By which way: `direct` is a synthetic address, `port` one without a listener, `ask` a question,
    `credential` a service that gets one."""
    reason: str
    """A `policy.Reason`, or ``client`` (of no Pod that it serves, `detail` is its address), ``address`` (where it resolves to is never dialled), ``unresolved``,
    ``unreachable``, ``upstream`` (the company's proxy does not lead there), ``sni``, ``host`` (the Host
    field names another), ``label-data``, ``full``, ``malformed`` (it breaks the rules of its protocol)."""
    rule: str
    """The source of the rule that decided; '' without one."""
    count: int
    detail: NotRequired[str]
    """For a person: the address that was refused, the name that TLS asked for."""


class Asked(Numbered):
    """A question from inside waits for a person."""

    event: Literal["asked"]
    id: int
    name: str
    port: int
    why: str
    """In the words of whoever asked: hostile text."""


class Used(Numbered):
    """A rule that holds for one connection was used up, and stays so."""

    event: Literal["used"]
    name: str
    port: int
    once: str
    """Of its `policy.Rule`."""


class Assigned(Numbered):
    """A synthetic address stands for a name from now on."""

    event: Literal["assigned"]
    name: str
    address: str


class CredentialsSet(Numbered):
    """The credentials that the gateway has. Only those that its policy names, too, are in force."""

    event: Literal["credentials"]
    services: list[tuple[str, int]]
    """(service, port)."""
    mark: str


class CredentialTried(Numbered):
    """A request to a service with a credential. Equal ones within a second are one event with a count."""

    event: Literal["credential"]
    service: str
    outcome: Literal["used", "rejected", "refused", "failed"]
    """`used`: the service answered; `rejected`: it answered 401 or 403; `refused`: the request is not one that
    gets the credential; `failed`: the service was not reached, or not by a certificate that is trusted."""
    status: int
    """Of the service's answer; 0 without one."""
    reason: str
    """Of `refused`: a `broker.Reason`, ``host``, ``malformed``, ``canary`` or ``missing`` (the gateway has no secret for
    it); of `failed`: a reason of `Attempted` or ``tls``; else ''."""
    count: int
    detail: NotRequired[str]
    """For a person, with nothing of the secret."""


class Carried(Numbered):
    """The bytes that all connections to a name carried since the gateway started; a later event replaces this one.

    Sent within a second of a change, but for a long transfer only each ten seconds, and for every name before each
    `Replayed`.
    """

    event: Literal["carried"]
    name: str
    """As the policy spells it; '' for all names beyond those that are counted one by one."""
    bytes_up: int
    """Sent to it, on the connection that leaves the gateway: TLS and the heads of HTTP are included."""
    bytes_down: int
    """Received from it, there."""


class Lost(Numbered):
    """A number of events that were not kept, since there were too many."""

    event: Literal["lost"]
    count: int
    reached: NotRequired[int]
    """Of `count`, connections that were made."""
    tripwires: NotRequired[int]
    """Of `count`, uses of a tripwire."""


class State(Numbered):
    event: Literal["state"]
    version: int
    connections: int
    names: int
    processor_seconds: float
    memory_kib: int


class Replayed(Numbered):
    """All that a `Replay` asked for was sent."""

    event: Literal["replayed"]
    mark: str


Event = (
    Ready
    | HostLook
    | PolicySet
    | Refused
    | Attempted
    | Asked
    | Used
    | Assigned
    | CredentialsSet
    | CredentialTried
    | Carried
    | Lost
    | State
    | Replayed
)


def event_of(line: bytes) -> Event | None:
    """The event that a line is, None for one that is none of the protocol."""
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("event"), str):
        return None
    return cast("Event", value) if isinstance(value.get("seq"), int) else None
