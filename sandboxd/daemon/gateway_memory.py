"""What the daemon remembers of a gateway, over the ends of its runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sandboxd.egress.ledger import Ledger

if TYPE_CHECKING:
    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.egress.messages import Event

_MOST_ADDRESSES = 4096
"""As many as one gateway hands out; of those before it the oldest are forgotten."""


class Memory:
    """What the daemon remembers of a gateway while its project is known, beyond the end of the gateway and its
    attendant.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ledger = Ledger()
        self.addresses: dict[str, str] = {}
        """Synthetic addresses by name. They are handed to a new gateway, so that they keep their meaning."""
        self.version = 0
        """The version of the policy that the gateway has; 0 for none."""
        self.wanted = 0
        """The version of the policy that it was last sent."""
        self._credentials: tuple[str, Credentials] | None = None
        """The secrets of the last start, held in memory only and sent to each new gateway of the container with the id
        beside them; None for none.
        """
        self._has_credentials = False
        self._run = ""
        self._uses: dict[str, None] = {}
        """The serials of approvals for one connection that were used, which is not noted yet."""
        self.container = ""
        """The id of the container that the gateway is for, as far as it is known; '' for none."""
        self._logged = ""
        """The container that the events so far are of."""

    def begin(self, run: str) -> int:
        """Set whose events follow; returns the number of the last event that is known of that run, 0 for a new one.

        The events of before are kept if the container is still the same.

        :param run: identifies one run of one gateway container
        """
        with self.lock:
            if run != self._run:
                if self.container != self._logged:
                    self.ledger, self._logged = Ledger(), self.container
                self._run, self.version, self.ledger.last_number = run, 0, 0
                self._has_credentials = False
            return self.ledger.last_number

    def take(self, event: Event) -> None:
        """Store what an event tells."""
        with self.lock:
            # An editor's container may be made anew while the gateway goes on.
            self._logged = self.container
            self.ledger.take((event,))
            if event["event"] == "assigned":
                self.addresses.pop(event["name"], None)
                self.addresses[event["name"]] = event["address"]
                if len(self.addresses) > _MOST_ADDRESSES:
                    del self.addresses[next(iter(self.addresses))]
            elif event["event"] == "policy":
                self.version = event["version"]
            elif event["event"] == "credentials":
                self._has_credentials = True
            elif event["event"] == "refused":
                # A line that cannot be read may have been a policy or credentials: the gateway has neither then.
                if event["op"] in ("", "policy"):
                    self.version = 0
                if event["op"] in ("", "credentials"):
                    self._has_credentials = False

    def keep_credentials(self, container: str, credentials: Credentials | None) -> None:
        """Store the secrets that the start of `container` read, in place of those of an earlier start; None for none."""
        with self.lock:
            self._credentials = (container, credentials) if credentials is not None else None

    def credentials_of(self, container: str) -> Credentials | None:
        """The secrets that the start of the container with this id read; None if there are none."""
        with self.lock:
            own = self._credentials
            return own[1] if own is not None and own[0] == container else None

    def lacks_credentials(self) -> bool:
        """Whether the gateway has no credentials, though some are stored."""
        with self.lock:
            return not self._has_credentials and self._credentials is not None

    def has_what_is_wanted(self) -> bool:
        """Whether the gateway has the policy that it was last sent, and the credentials if there are any."""
        with self.lock:
            has_credentials = self._has_credentials or self._credentials is None
            return self.version == self.wanted and has_credentials

    def add_use(self, serial: str) -> None:
        """Store that an approval for one connection was used, until `drop_use`."""
        with self.lock:
            self._uses[serial] = None

    def uses(self) -> tuple[str, ...]:
        """The serials of approvals for one connection whose use is not noted yet."""
        with self.lock:
            return tuple(self._uses)

    def drop_use(self, serial: str) -> None:
        """Forget a use, as it is noted now."""
        with self.lock:
            self._uses.pop(serial, None)

    def known(self) -> tuple[tuple[str, str], ...]:
        """(name, synthetic address) of every name that got one."""
        with self.lock:
            return tuple(self.addresses.items())
