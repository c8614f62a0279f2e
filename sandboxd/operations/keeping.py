"""What a daemon keeps and does for a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.model.remote import Port
    from sandboxd.ssh_agent.choice import Choice

    WaitForPorts: TypeAlias = Callable[[str, tuple[Port, ...]], tuple[str, ...]]
    """Waits until a daemon has opened the ports of a workspace's config; each with its address here, or why it
    has none. () where no daemon does."""


def _keep_no_credentials(_sandbox: str, _credentials: Credentials | None) -> None:
    """Do nothing: without a daemon nobody starts a gateway again."""


def _serve_no_ssh(_sandbox: str, _container: str, _choice: Choice | None) -> bool:
    """False: without a daemon nobody passes signatures on."""
    return False


def _open_no_port(_workspace: str, _ports: tuple[Port, ...]) -> tuple[str, ...]:
    """(): without a daemon nobody opens a port."""
    return ()


class Keeping(NamedTuple):
    """The services of a daemon to the operations that it runs. By default there is none, and nobody does."""

    register: Callable[[str, bool], None] | None = None
    """Keeps a workspace, which is to be checked and generated again or not; None: one that runs is told."""
    keep_credentials: Callable[[str, Credentials | None], None] = _keep_no_credentials
    """Remembers the secrets of a sandbox (its identity) in memory for a gateway that it starts again, or forgets
    them (None)."""
    keep_ssh: Callable[[str, str, Choice | None], bool] = _serve_no_ssh
    """Gives a sandbox, and of it this container (its id) alone, the keys that its start chose, or takes them back
    (None); whether it does."""
    wait_for_ports: WaitForPorts = _open_no_port


NOTHING_KEPT = Keeping()
