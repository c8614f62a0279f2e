"""What a daemon does for a sandbox beyond a single operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from sandboxd.credentials.ssh_agent.choice import Choice
    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.model.remote import Port

    WaitForPorts: TypeAlias = Callable[[str, tuple[Port, ...]], tuple[str, ...]]
    """Waits until a daemon has opened the ports of a workspace's config; each with its address here, or why it
    has none. () where no daemon does."""


def _keep_no_credentials(_sandbox: str, _container: str, _credentials: Credentials | None) -> None:
    """Do nothing: without a daemon nobody starts a gateway again."""


def _serve_no_ssh(_sandbox: str, _container: str, _choice: Choice | None) -> bool:
    """False: without a daemon nobody passes signatures on."""
    return False


def _open_no_port(_workspace: str, _ports: tuple[Port, ...]) -> tuple[str, ...]:
    """(): without a daemon nobody opens a port."""
    return ()


def _settle_nothing(_sandbox: str, _seconds: float) -> str | None:
    """None: without a daemon there is no session."""
    return None


def _settle_no_commits(_sandbox: str, _seconds: float) -> None:
    """Without a daemon each command exchanges commits by itself."""


class Keeping(NamedTuple):
    """Services of the daemon that operations call. The defaults, for a process without a daemon, do nothing."""

    register: Callable[[str, bool], None] | None = None
    """Adds a workspace to those that the daemon watches. The flag says whether its files are checked and generated
    again.

    None: this process is no daemon, and one that runs is told.
    """
    keep_credentials: Callable[[str, str, Credentials | None], None] = _keep_no_credentials
    """Keeps the secrets that a start gave a sandbox (by its identity) in memory, for when the gateway of the container
    with this id is restarted; None: forgets them.
    """
    keep_ssh: Callable[[str, str, Choice | None], bool] = _serve_no_ssh
    """Serves a sandbox (by its identity) the SSH keys that its start chose, in the container with this id only. None:
    stops that. Returns whether keys are served.
    """
    wait_for_ports: WaitForPorts = _open_no_port
    settle_copy: Callable[[str, float], str | None] = _settle_nothing
    """Has both sides of a sandbox's copy (by its identity) compared by the session that keeps them the same, within so
    many seconds. Returns why they are not the same, '' where they are; None if no session did it.
    """
    settle_commits: Callable[[str, float], None] = _settle_no_commits
    """Waits until commits that either side of a sandbox (by its identity) made before the call have passed, for so many
    seconds at most."""


NOTHING_KEPT = Keeping()
