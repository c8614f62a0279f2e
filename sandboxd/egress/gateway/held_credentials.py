"""The secrets of the gateway, in its memory only, and which of them its policy allows to be used."""

from __future__ import annotations

import ssl

from sandboxd.egress.broker import Binding
from sandboxd.egress.broker_wire import Credentials
from sandboxd.egress.gateway.gate import Gate, Judgement
from sandboxd.egress.gateway.streams import client_context
from sandboxd.egress.names import Pattern
from sandboxd.egress.policy import Rule


class HeldCredentials:
    """The credentials in force: none before the first command, and none after one that could not be read."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._bindings: dict[int, Binding] = {}
        self._context: ssl.SSLContext | None = None

    def set(self, credentials: Credentials) -> None:
        """Replace all credentials by these.

        :raises ValueError: their certificates cannot be read; then there are none
        """
        self.clear()
        context = client_context(credentials.roots) if credentials.bindings else None
        self._context = context
        self._bindings = {binding.port: binding for binding in credentials.bindings}

    def clear(self) -> None:
        """Drop all credentials."""
        self._bindings, self._context = {}, None

    def service(self, port: int) -> str:
        """The name of the service that the policy has at `port`, '' for none."""
        services = {number: service for service, number in self._gate.policy.credentials}
        return services.get(port, "")

    def find(self, port: int) -> tuple[Binding, ssl.SSLContext] | None:
        """The binding of `port` that is in force, and the TLS context that verifies its host; None without one."""
        binding = self._bindings.get(port)
        if binding is None or self._context is None or binding.service != self.service(port):
            return None
        return binding, self._context

    def judge(self, binding: Binding) -> Judgement:
        """Whether its host may be dialled: the grant of a credential is one of its host, unless that is denied.

        An address is judged by the policy's own rule for the name where it has one: it may be private.
        """
        by_name = self._gate.judge(binding.host, binding.host_port)
        denied = by_name.reason in ("denied", "canary")
        private = self._gate.allows_private(binding.host, binding.host_port)
        source = f"credential {binding.service}"
        rule = Rule(Pattern(binding.host), (binding.host_port,), private=private, source=source)
        # Never a service of the project: whoever wrote that names it as they like.
        return Judgement(binding.host, not denied, "denied" if denied else "allowed", rule)

    def is_in_force(self, binding: Binding) -> bool:
        """Whether it is one of those of now, the policy still has it, and its host is not denied."""
        is_held = self._bindings.get(binding.port) == binding
        is_planned = self.service(binding.port) == binding.service
        return is_held and is_planned and self.judge(binding).allowed
