"""The gateway as a whole: its parts, and the host's commands."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import resource
import secrets
import socket
import time
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from sandboxd.egress import broker_wire, layout
from sandboxd.egress.gateway import commands, direct_door, facts, probe_door, socks_door, tunnel
from sandboxd.egress.gateway.address_book import AddressBook
from sandboxd.egress.gateway.ask_door import AskDoor
from sandboxd.egress.gateway.channel import Channel
from sandboxd.egress.gateway.clients import Clients
from sandboxd.egress.gateway.clock import Clock
from sandboxd.egress.gateway.connections import Connection, Connections
from sandboxd.egress.gateway.control_socket import ControlSocket
from sandboxd.egress.gateway.credential_door import CredentialDoor
from sandboxd.egress.gateway.dialer import Dialer
from sandboxd.egress.gateway.facts import WayOut
from sandboxd.egress.gateway.gate import Gate, Judgement
from sandboxd.egress.gateway.held_credentials import HeldCredentials
from sandboxd.egress.gateway.http_door import HttpDoor
from sandboxd.egress.gateway.journal import Journal
from sandboxd.egress.gateway.meters import Meters
from sandboxd.egress.gateway.refused_ports import RefusedPorts
from sandboxd.egress.gateway.resolver import Resolver
from sandboxd.egress.gateway.sockets import SPARE, Listener, bound
from sandboxd.egress.gateway.stub import Stub
from sandboxd.egress.gateway.tunnel import Parts
from sandboxd.egress.policy import Policy

Door = Callable[[Connection], Coroutine[Any, Any, None]]

_ANY = "0.0.0.0"  # noqa: S104 - each address of one interface
_TICK, _LOOKS_SECONDS = 1.0, (0.05, 1.0, 2.0, 4.0)


class Network(NamedTuple):
    """The gateway's addresses and interfaces."""

    addresses: layout.InnerAddresses
    address: str
    inner: str
    """The interface of the inner network; '' where there is only one network."""
    way_out: WayOut
    dns_port: int = layout.DNS_PORT


class Gateway:
    """The state and the tasks of the gateway that live as long as its process."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        network: Network,
        watcher: socket.socket | None,
        clients: Clients | None = None,
    ) -> None:
        """:param watcher: from `privileges.syn_watcher`
        :param clients: who is served; None for everybody on the inner network
        """
        self._loop, self._network, self._clients = loop, network, clients
        addresses, inner, outer = network.addresses, network.inner, network.way_out
        self._channel = Channel(loop, self.command)
        self._control: ControlSocket | None = None
        self._journal = Journal(self._write, time.time)
        book, clock = AddressBook(addresses.synthetic, secrets.randbits(32)), Clock()
        gate = Gate(book, clock, clock.start_again)
        resolver = Resolver(facts.nameservers(), outer.device, outer.ipv6)
        self._meters = Meters(self._journal.carried, loop.time)
        self._parts = Parts(
            loop,
            gate,
            self._journal,
            Connections(loop, self.failed),
            Dialer(gate, resolver, addresses.subnet, inner, outer, network.address),
            self._meters,
        )
        own, port = network.address, network.dns_port
        serves = clients.serves if clients is not None else _everybody
        self._stub = Stub(self._parts, bound(socket.SOCK_DGRAM, inner, own, port), own, serves)
        self._ask = AskDoor(self._parts)
        self._own: dict[int, Door] = {
            port: self._stub.serve,
            layout.PROXY_PORT: lambda connection: HttpDoor(self._parts, connection).serve(),
            layout.SOCKS_PORT: functools.partial(socks_door.serve, self._parts),
            layout.ASK_PORT: self._ask.serve,
        }
        for port, door in self._own.items():
            self._listener(bound(socket.SOCK_STREAM, inner, own, port), door)
        self._held = HeldCredentials(gate)
        self._credentials = CredentialDoor(self._parts, self._held, own)
        self._ports: dict[tuple[str, int], Listener] = {}
        """Of the policy, by address and port."""
        self._refused: RefusedPorts | None = None
        if watcher is not None:
            self._refused = RefusedPorts(self._parts, watcher, own, self._own)
        SPARE.take()

    def start(self, sees_refused_ports: bool, began: float) -> None:
        """Report readiness, and follow commands from now on.

        :param began: when the process asked for the host (`facts.ask_neighbour`), by the monotonic clock
        """
        self._loop.set_exception_handler(
            lambda _, context: self.failed(context.get("exception") or RuntimeError())
        )
        status = facts.status()
        self._journal.say(
            "ready",
            uid=os.getresuid()[2],
            capabilities=status["CapEff"],
            no_new_privileges=status["NoNewPrivs"] == "1",
            seccomp=int(status.get("Seccomp", "0")),
            ip_forward=facts.ip_forward(),
            inner_ipv6=facts.has_ipv6(self._network.inner),
            way_out=bool(self._network.way_out.interface),
            sees_refused_ports=sees_refused_ports,
            counts_bytes=True,
            milliseconds=round(1000 * (time.monotonic() - began), 1),
        )
        self._channel.start()
        self._look_for_host(began)
        self._loop.call_later(_TICK, self._tick)

    async def open_control_socket(self) -> None:
        """Follow commands from `control_socket.relay`, too."""
        self._control = ControlSocket(self._loop, self.command)
        await self._control.serve()

    def _write(self, line: bytes) -> bool:
        """Send an event to all who listen; False where nobody has read standard output for too long."""
        if self._control is not None:
            self._control.write(line)
        return self._channel.write(line)

    def failed(self, error: BaseException) -> None:
        """Report an unexpected error: the place in the code, without any content."""
        if isinstance(error, MemoryError):
            self._full("memory")
            return
        frame = traceback.extract_tb(error.__traceback__)[-1:]
        place = f"{frame[0].filename}:{frame[0].lineno}" if frame else "nowhere"
        # Its pipe is full where nobody reads the log, and then the loop would wait for ever.
        with contextlib.suppress(OSError):
            os.set_blocking(2, False)
            os.write(2, f"gateway: {type(error).__name__} at {place}\n".encode())

    def answer_probes(self) -> None:
        """Serve Kubernetes' probes."""
        door = functools.partial(probe_door.serve, self._parts.gate)
        sock = bound(socket.SOCK_STREAM, "", self._network.address, layout.PROBE_PORT)
        self._listener(sock, door, for_clients=False)

    # -- commands

    def command(self, line: bytes | None) -> None:
        """Follow a command; None stands for a line that is too long to be read."""
        try:
            if line is None:
                raise commands.NotACommand("a line that is too long")
            command = _read(line)
            if isinstance(command, commands.SetPolicy):
                self._set(command)
            elif isinstance(command, commands.Replay):
                self._journal.replay(command.after)
                self._meters.report_all()
                self._journal.say("replayed", mark=command.mark)
            elif isinstance(command, commands.AskState):
                self._say_state()
            elif isinstance(command, commands.SetCredentials):
                self._take(command)
            elif not self._ask.answer(command.id, command.why):
                raise commands.NotACommand("no such question waits", "answer", closes=False)
        except commands.NotACommand as error:
            if error.op != "policy" and (error.closes or error.op == "credentials"):
                self._held.clear()
                self._cut()
            if error.closes:
                self._close_all()
            self._journal.say("refused", op=error.op, version=error.version, why=str(error))

    def _set(self, command: commands.SetPolicy) -> None:
        policy = command.policy
        wanted: set[tuple[str, int]] = set()
        if self._parts.gate.book.has_range:
            wanted |= {(_ANY, port) for rule in policy.rules for port in rule.ports}
        wanted |= {(self._network.address, port) for _, port in policy.credentials}
        fresh: dict[tuple[str, int], socket.socket] = {}
        try:
            for place in wanted - self._ports.keys():
                fresh[place] = bound(socket.SOCK_STREAM, self._network.inner, *place)
        except OSError as error:
            for sock in fresh.values():
                sock.close()
            why = f"cannot listen on all ports: {error.strerror}"
            raise commands.NotACommand(why, "policy", policy.version) from None
        self._parts.gate.set(policy)
        for place in self._ports.keys() - wanted:
            self._ports.pop(place).close()
        direct = functools.partial(direct_door.serve, self._parts)
        for place, sock in fresh.items():
            door = direct if place[0] == _ANY else self._credentials.serve
            self._ports[place] = self._listener(sock, door)
        self._watch_refused()
        if command.cut:
            self._cut()
        self._ask.policy_changed()
        self._journal.say("policy", version=policy.version, ports=self._open_ports())

    def _open_ports(self) -> list[int]:
        """The ports that are open at every synthetic address."""
        return sorted(port for address, port in self._ports if address == _ANY)

    def _take(self, command: commands.SetCredentials) -> None:
        try:
            self._held.set(command.credentials)
        except ValueError as error:
            raise commands.NotACommand(str(error), "credentials", closes=False) from None
        self._cut()
        services = broker_wire.names(command.credentials.bindings)
        self._journal.say("credentials", services=services, mark=command.mark)

    def _cut(self) -> None:
        """End connections that could not be made as they were by what is in force now."""
        for connection in self._parts.connections:
            if not self._may_go_on(connection):
                connection.end()

    def _may_go_on(self, connection: Connection) -> bool:
        binding, way = connection.binding, connection.way
        if binding is not None:
            if not self._held.is_in_force(binding):
                return False
        elif connection.name and not self._is_allowed(connection):
            return False
        return way is None or tunnel.would_go(self._parts, connection, way)

    def _is_allowed(self, connection: Connection) -> bool:
        """Whether a rule allows the connection; one that used up its rule goes on while that was not taken back."""
        gate, rule = self._parts.gate, connection.rule
        judgement = gate.judge(connection.name, connection.port)
        is_forbidden = judgement.reason in ("denied", "canary")
        if rule is not None and rule.once and not is_forbidden and gate.lets_go_on(rule):
            return True
        return self._goes_on_by(connection, judgement)

    def _goes_on_by(self, connection: Connection, judgement: Judgement) -> bool:
        """Have an open connection go on by what allows it now, and use that up where it is for one connection; False
        where nothing does.
        """
        rule, other = connection.rule, judgement.rule
        once = other.once if other is not None else ""
        # Two approvals for one connection are not for one that goes on.
        if not judgement.allowed or (once and rule is not None and rule.once):
            return False
        connection.rule = other
        if once:
            self._parts.gate.claim(other)
            self._journal.say("used", name=connection.name, port=connection.port, once=once)
        return True

    def _end_expired(self) -> None:
        """End connections whose rule has expired, unless another rule allows them."""
        parts, now = self._parts, self._parts.gate.clock()
        for connection in parts.connections:
            rule = connection.rule
            if rule is None or not rule.until or now < rule.until:
                continue
            judgement = parts.gate.judge(connection.name, connection.port)
            if not self._goes_on_by(connection, judgement):
                connection.end()

    def _close_all(self) -> None:
        """Allow nothing, and end what is open."""
        self._parts.gate.set(Policy())
        for listener in self._ports.values():
            listener.close()
        self._ports.clear()
        self._watch_refused()
        for connection in self._parts.connections:
            connection.end()

    def _watch_refused(self) -> None:
        if self._refused is not None:
            own = (port for address, port in self._ports if address != _ANY)
            self._refused.overlook(self._open_ports(), (*self._own, *own))

    def _say_state(self) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        self._journal.say(
            "state",
            version=self._parts.gate.policy.version,
            connections=len(self._parts.connections),
            names=len(self._parts.gate.book),
            processor_seconds=round(used.ru_utime + used.ru_stime, 3),
            memory_kib=facts.memory_kib(),
        )

    # -- listeners

    def _listener(self, sock: socket.socket, door: Door, for_clients: bool = True) -> Listener:
        served = door
        if for_clients and self._clients is not None:
            served = functools.partial(self._admit, self._clients, door)

        def accepted(client: socket.socket) -> None:
            if not self._parts.connections.take(client, served):
                self._full("connections")

        return Listener(self._loop, sock, accepted, lambda: self._full("files"))

    async def _admit(self, clients: Clients, door: Door, connection: Connection) -> None:
        """Serve a client if it is allowed to use this gateway; else reset its connection."""
        address = connection.client.getpeername()[0]
        if await clients.admits(address):
            await door(connection)
        else:
            self._journal.attempt("denied", "", 0, "direct", "client", "", address)

    def _full(self, what: str) -> None:
        self._journal.attempt("denied", "", 0, "direct", "full", "", f"no more {what}")

    # -- time

    def _tick(self) -> None:
        self._journal.tick()
        self._meters.tick()
        self._end_expired()
        self._loop.call_later(_TICK, self._tick)

    def _look_for_host(self, asked: float) -> None:
        """Report whether anybody answers at the address that the engine keeps for its host, if it keeps one.

        :param asked: when the first question was sent, by the monotonic clock
        """
        host = self._network.addresses.host
        if not host:
            return

        def look(number: int) -> None:
            answers = facts.neighbour(host)
            if answers or number == 0:
                self._journal.say("host", answers=answers)
            if not answers and number + 1 < len(_LOOKS_SECONDS):
                # The kernel gives up on a question after a while: each look has its own.
                facts.ask_neighbour(host)
                self._loop.call_later(_LOOKS_SECONDS[number + 1], look, number + 1)

        waited = time.monotonic() - asked
        self._loop.call_later(max(_LOOKS_SECONDS[0] - waited, 0.0), look, 0)


def _everybody(_address: str) -> bool:
    return True


def _read(line: bytes) -> commands.Command:
    """The command of a line, as `commands.read`; a policy for which there is no room is refused, too."""
    try:
        return commands.read(line)
    except MemoryError:
        raise commands.NotACommand("no memory to read it") from None
