"""What the user asks of a start, and what a daemon does for one."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.operations.request import keep_no_credentials, open_no_port, serve_no_ssh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.life.up_down import Replace
    from sandboxd.operations.request import Request, WaitForPorts
    from sandboxd.ssh_agent.choice import Choice


class Wishes(NamedTuple):
    """What the user asks of a start."""

    name: str = ""
    """Of the sandbox, where several work on the project; '' for the one without."""
    allow_runc: bool = False
    """Let hardened runc run what needs gVisor."""
    replace: Replace | None = None
    """What is made anew though it would do; the work in it is kept first."""
    rebuild: bool = False
    """Build the image although it is there."""
    hooks: bool = True
    """Run the lifecycle hooks that are due, once the sandbox runs."""
    until_ready: bool = False
    """Of those, leave what comes behind `waitFor` to the next start."""
    secrets: Mapping[str, str] = MappingProxyType({})
    """Values that hooks, and commands until the next start, get inside; their names are told."""
    dotfiles: str = ""
    """A repository of the user's whose files are installed inside, '' for none."""


WITHOUT_WISHES = Wishes()


class Keeping(NamedTuple):
    """What a daemon keeps and does for a sandbox. By default there is none, and nobody does."""

    register: Callable[[str, bool], None] | None = None
    """Keeps the workspace, which is to be checked and generated again or not; None: one that runs is told."""
    keep_credentials: Callable[[str, Credentials | None], None] = keep_no_credentials
    """Remembers the secrets of a sandbox, or forgets them."""
    keep_ssh: Callable[[str, Choice | None], bool] = serve_no_ssh
    """Gives a sandbox the keys that are chosen; whether it does."""
    wait_for_ports: WaitForPorts = open_no_port
    """Opens the ports of the config, and says where."""


NOTHING_KEPT = Keeping()


def keeping_of(request: Request) -> Keeping:
    """What the daemon that got `request` does, if one did."""
    return Keeping(
        request.register, request.keep_credentials, request.keep_ssh, request.wait_for_ports
    )
