"""Bait for attempts to get out by the network, and what arrived: at the host, or past the gateway.

The host listens at all of its addresses. What the gateway let through it reports itself, over its control channel; that
it is the gateway that `up` makes is checked, too.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.egress import layout
from sandboxd.egress.messages import VERIFY_BEGINS, VERIFY_ENDS
from sandboxd.egress.verify_marks import CLOSED_PORTS, DENIED, UNKNOWN
from sandboxd.host import addresses
from sandboxd.life import gateway, gateway_look, networks, running_gateway
from sandboxd.life.gateway_channel import attach
from sandboxd.verify import listeners
from sandboxd.verify.gateway_events import DENIED_DOORS, TRIED, is_past_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.messages import Event
    from sandboxd.engine.client import Engine
    from sandboxd.plan.plan import Plan

_MOST_ADDRESSES = 8
_PAST_THE_ROUTES = ("host-by-device", "host-by-interface")
_TICK_SECONDS = 1.5
_LOCAL_RESOLVER = "127."


class Beside(NamedTuple):
    """The gateway of a sandbox, as `verify` finds it."""

    workspace: str
    addresses: layout.InnerAddresses
    driver: str
    """The driver of the inner network."""
    container: str
    """The id of the gateway's container; '' if none runs."""
    pid: int
    outer: tuple[str, ...]
    """The gateway's addresses on other networks than the inner one."""


def find(engine: Engine, workspace: str) -> Beside | None:
    """The gateway and the inner network of a sandbox; None if the network does not exist.

    :param workspace: the sandbox's identity
    :raises EnvironmentFailure: a network differs from the one that `up` makes
    """
    pair = networks.pair_of(engine, workspace)
    if pair is None:
        return None
    present = gateway.container_of(engine, workspace)
    if present is None or present.state != "running":
        return Beside(workspace, pair.inner.addresses, pair.inner.driver, "", 0, ())
    inspected = engine.inspect(present.id)
    endpoints = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    outer = tuple(
        str(endpoint.get("IPAddress"))
        for name, endpoint in endpoints.items()
        if name != pair.inner.name and endpoint.get("IPAddress")
    )
    pid = int(inspected["State"].get("Pid") or 0)
    return Beside(workspace, pair.inner.addresses, pair.inner.driver, present.id, pid, outer)


class WayOut:
    """The bait, set up on entry of the context and removed on exit.

    :param engine_pid: a process in the host's network namespace
    :param beside: the gateway; None if the sandbox has none
    :param plan: tells which names are allowed; None: no allowed name is tried
    """

    def __init__(
        self, engine: Engine, engine_pid: int, beside: Beside | None, plan: Plan | None
    ) -> None:
        self._engine = engine
        self._pid = engine_pid
        self._beside = beside
        self._plan = plan
        self._stack = contextlib.ExitStack()
        self._mailboxes: list[listeners.Mailbox] = []
        self._arrived: dict[str, str] = {}
        self._events: list[Event] = []
        self._before = 0
        self._weakness = ""
        self.secrets: set[str] = set()
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> WayOut:
        try:
            self._put_out()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def collect(self) -> None:
        """Collect what arrived; to be called after all attempts.

        :raises EnvironmentFailure: the gateway does not report what it let through
        """
        for mailbox in self._mailboxes:
            self._arrived |= mailbox.texts()
        beside = self._beside
        if beside is None or not beside.container:
            return
        with attach(self._engine, beside.container, beside.workspace) as channel:
            self._events = list(running_gateway.past(channel, self._before))
            if not all(self._is_recorded(attempt) for attempt in self._on_record()):
                # It says within a second how much it could not record.
                with contextlib.suppress(TimeoutError):
                    self._events += channel.events(_TICK_SECONDS)
            events = running_gateway.past(channel, purpose=VERIFY_ENDS)
            ready = [event for event in events if event["event"] == "ready"]
        self._weakness = gateway_look.weakness(self._engine, beside.workspace)
        self._weakness = self._weakness or (gateway.weakness(ready[0]) if ready else "")

    def arrivals(self, attempt: str) -> tuple[str, ...]:
        """Sentences about what an attempt got out; () for nothing."""
        sender = self._arrived.get(f"{self.facts['word']} {attempt}")
        if sender is not None:
            return (f"the host received it from {sender}",)
        if attempt == "gateway-rights" and self._weakness:
            return (self._weakness,)
        doors = DENIED_DOORS.get(attempt, ())
        passed = [e for e in self._events if is_past_policy(e, self.facts["denied"], doors)]
        if attempt == "other-port":
            passed = [e for e in self._events if self._reached_closed_port(e)]
        return ("the gateway let it through, by its own record",) if passed else ()

    def missing(self, attempt: str) -> str:
        """The reason why the gateway's record does not show that an attempt failed; '' if it does."""
        if attempt in self._on_record() and not self._is_recorded(attempt):
            return "the gateway has no record of it; run this again while less goes on inside"
        return ""

    def _on_record(self) -> list[str]:
        """The attempts that the gateway has to have recorded, as denied or not."""
        if not self.facts["gateway"]:
            return []
        return [*DENIED_DOORS, *(["other-port"] if self.facts["allowed"] else [])]

    def _is_recorded(self, attempt: str) -> bool:
        doors = DENIED_DOORS.get(attempt)
        name = self.facts["denied"] if doors else self.facts["allowed"]
        return any(
            event["event"] in ("denied", "reached")
            and event["name"] == name
            and (event["door"] in doors if doors else event["port"] == self.facts["closed_port"])
            for event in self._events
        )

    def declared(self, attempt: str) -> str:
        """The reason why this host's settings leave an attempt open, which `up` reports, too; '' if they do not."""
        beside = self._beside
        if beside is None or beside.driver != "bridge" or attempt not in _PAST_THE_ROUTES:
            return ""
        with listeners.network_of(self._pid):
            is_filtered = addresses.reverse_path_filter()
        return "" if is_filtered is not False else "`rp_filter` of this host is 0, which `up` names"

    def is_local_refusal(self, record: Mapping[str, Any]) -> bool:
        """Whether a resolver inside only asked the gateway, which denied the name or reported lost events."""
        return str(record.get("server", "")).startswith(_LOCAL_RESOLVER) and any(
            event["event"] == "lost"
            or (event["event"] == "denied" and event["name"] == self.facts["unknown"])
            for event in self._events
        )

    def _reached_closed_port(self, event: Event) -> bool:
        if event["event"] not in ("denied", "reached"):
            return False
        return (event["name"], event["port"]) == (
            self.facts["allowed"],
            self.facts["closed_port"],
        ) and (event["event"] == "reached" or event["reason"] in TRIED)

    def _put_out(self) -> None:
        word = secrets.token_hex(6)
        allowed, closed_port = self._allowed()
        beside = self._beside
        synthetic = ipaddress.IPv4Network(beside.addresses.synthetic) if beside else None
        self.facts = {
            "word": word,
            "denied": f"{word}.{DENIED}",
            "unknown": f"{UNKNOWN[0]}{word}{UNKNOWN[1]}",
            "allowed": allowed,
            "closed_port": closed_port,
            "gateway": beside.addresses.gateway if beside and beside.container else "",
            "unmapped": [str(synthetic[-2]), str(synthetic[-77])] if synthetic else [],
            "host_addresses": self._host_addresses(),
            "host_port": self._listen("0.0.0.0", self._pid),  # noqa: S104 - whichever is reached
            "datagram_port": self._receive(socket.AF_INET),
            "datagram6_port": self._receive(socket.AF_INET6),
            "outer": self._outer(),
        }
        if beside is not None and beside.container:
            with attach(self._engine, beside.container, beside.workspace) as channel:
                self._before = running_gateway.past(channel, purpose=VERIFY_BEGINS)[-1]["seq"]

    def _allowed(self) -> tuple[str, int]:
        """A name that is allowed by itself, and a port that no rule opens."""
        policy = self._plan.egress if self._plan else None
        if policy is None:
            return "", 0
        opened = {port for rule in policy.rules for port in rule.ports}
        closed = next(port for port in CLOSED_PORTS if port not in opened)
        # Names of private networks and rules for one connection are left alone: asking would use them.
        names = (
            r.pattern.host for r in policy.rules if not (r.pattern.below or r.private or r.once)
        )
        return next(names, ""), closed

    def _host_addresses(self) -> list[str]:
        own = addresses.of_process(self._pid) | addresses.of_process()
        v4 = sorted(address for address in own if ":" not in address)
        if self._beside is not None:
            v4.insert(0, self._beside.addresses.host)
        return v4[:_MOST_ADDRESSES]

    def _listen(self, address: str, pid: int) -> int:
        try:
            banner = listeners.tcp(address, pid)
        except OSError:
            return 0
        self._stack.callback(banner.close)
        self.secrets.add(banner.secret)
        return banner.port

    def _receive(self, family: socket.AddressFamily) -> int:
        try:
            mailbox = listeners.mailbox(self._pid, family)
        except OSError:
            return 0
        self._stack.callback(mailbox.close)
        self._mailboxes.append(mailbox)
        return mailbox.port

    def _outer(self) -> list[tuple[str, int]]:
        """Listeners of ours in the gateway's network, as far as that may be entered."""
        if self._beside is None or not listeners.reaches_network(self._beside.pid):
            return []
        ports = [
            (address, self._listen(address, self._beside.pid)) for address in self._beside.outer
        ]
        return [(address, port) for address, port in ports if port]
