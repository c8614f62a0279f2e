"""Forwards ports of a sandbox on a cluster through a command in the Pod, since Kubernetes' port-forward fails with
gVisor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.cluster import running
from sandboxd.cluster.attended import PodCommand
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.folders import cache_folder
from sandboxd.forward import listening
from sandboxd.forward.forwarder import Forwarder
from sandboxd.forward.trunk import Trunk, prepare
from sandboxd.operations import forward
from sandboxd.operations.on_cluster._work import inside
from sandboxd.operations.on_cluster.target import running_pod

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandboxd.forward.listening import Listener
    from sandboxd.forward.ports import Wish
    from sandboxd.operations.on_cluster.target import Target


def look(target: Target) -> tuple[Listener, ...]:
    """The ports on which programs listen inside.

    :raises PodGone: no sandbox runs there
    """
    running_pod(target)
    _, output = running.quietly(target.cluster, target.pod, listening.LOOK)
    return listening.parse(output)


def prepare_ports(
    target: Target, wishes: Sequence[Wish], address: str, tell: Callable[[str], None]
) -> Forwarder:
    """Open a listening socket for each of `wishes`, ready to forward.

    :param address: the IP address to listen on
    :param tell: called with a sentence about each event while ports are forwarded
    :raises PodGone: no sandbox runs there
    :raises UsageError: a port belongs to another service, or `address` is not valid or not allowed
    """
    for wish in wishes:
        if wish.service:
            raise UsageError(
                f"the service `{wish.service}` is not on the cluster",
                "forward ports of the sandbox itself",
            )
    forward.require_address(address, target.environ)
    running_pod(target)
    forward.before_listening(address, wishes, target.environ, target.sandbox)
    return Forwarder(
        lambda _pod: _open(target), lambda: _locate(target), forward.listen(wishes, address), tell
    )


def _locate(target: Target) -> str:
    return str(running_pod(target)["metadata"]["uid"])


def _open(target: Target) -> Trunk:
    try:
        request, text = prepare(inside(target), cache_folder(target.environ))
    except TimeoutError:
        raise EnvironmentFailure(
            "the sandbox does not start a relay in time",
            f"look at what runs in it: `sandboxd exec{target.option} ps`",
        ) from None
    command = PodCommand(
        target.cluster,
        target.pod,
        request.command,
        folder="/",
        env=request.env,
        tty=False,
        stdin=True,
        must_end_input=False,
    )
    command.connection.sendall(text)
    return _PodTrunk(command)


class _PodTrunk(Trunk):
    """The connection to the relay in a Pod, which goes with the command."""

    def __init__(self, command: PodCommand) -> None:
        super().__init__(command.connection, b"")
        self._command = command

    def close(self) -> None:
        self._command.close()
