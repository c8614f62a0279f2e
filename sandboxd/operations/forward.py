"""Forward ports of a project's sandbox to this machine, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandboxd.engine.client import Engine
    from sandboxd.forward.forwarder import Forwarded, Forwarder
    from sandboxd.forward.listening import Listener
    from sandboxd.forward.ports import Wish


def look(engine: Engine, directory: str, name: str = "") -> tuple[Listener, ...]:
    """The ports on which programs listen in the running sandbox `name` of the project that `directory` lies in.

    :raises ContainerGone: no such sandbox runs
    """
    from sandboxd.forward import listening
    from sandboxd.life.find import locate

    return listening.look(engine, locate(engine, project_folder(directory), name).id)


def prepare(
    engine: Engine,
    directory: str,
    environ: Mapping[str, str],
    wishes: Sequence[Wish],
    address: str,
    tell: Callable[[str], None],
    name: str = "",
) -> Forwarder:
    """Open a listening socket for each of `wishes`, ready to forward; nothing is connected to the sandbox yet.

    :param address: the IP address to listen on; one that other machines can reach only if the policy allows it
    :param tell: called with a sentence about each event while ports are forwarded
    :raises EnvironmentFailure: no such sandbox runs, or a port is taken
    :raises UsageError: `address` is not valid, or the policy forbids it
    """
    from sandboxd.folders import cache_folder
    from sandboxd.forward.forwarder import Forwarder
    from sandboxd.forward.trunk import open_trunk
    from sandboxd.life.find import locate
    from sandboxd.life.service_address import address_of
    from sandboxd.model.labels import PROJECT

    require_address(address, environ)
    folder = project_folder(directory)
    sandbox = locate(engine, folder, name).labels[PROJECT]
    for wish in wishes:
        if wish.service:
            address_of(engine, sandbox, wish.service)
    before_listening(address, wishes, environ, sandbox)
    cache = cache_folder(environ)
    return Forwarder(
        lambda container: open_trunk(engine, container, cache),
        lambda: locate(engine, folder, name).id,
        listen(wishes, address),
        tell,
        lambda service: address_of(engine, sandbox, service),
    )


def require_address(address: str, environ: Mapping[str, str]) -> None:
    """Refuse an address to listen on that the policy forbids.

    :raises UsageError: it forbids `address`
    """
    from sandboxd.forward import local
    from sandboxd.policy import floor

    if not local.is_loopback(address) and (demands := floor.load(environ)).no_trust:
        raise UsageError(
            f"`{demands.path_of('trust')}` forbids to grant anything, and at `{address}` others could "
            "reach the sandbox",
            "leave `--address` out",
        )


def before_listening(
    address: str, wishes: Sequence[Wish], environ: Mapping[str, str], sandbox: str
) -> None:
    """Record in the audit record that other machines will be able to reach the sandbox, if `address` is not local.

    :param sandbox: the sandbox's identity
    :raises RecordFailure: it cannot be recorded
    """
    from sandboxd.forward import local
    from sandboxd.operations import recording

    if not local.is_loopback(address):
        ports = [
            f"{wish.service}:{wish.inside}" if wish.service else str(wish.inside) for wish in wishes
        ]
        recording.before_forward(environ, sandbox, address, ports)


def listen(wishes: Sequence[Wish], address: str) -> list[Forwarded]:
    """A listening socket for each of `wishes`; if one cannot be opened, all are closed.

    :raises EnvironmentFailure: a port is taken
    :raises UsageError: `address` is not valid
    """
    from sandboxd.forward import local
    from sandboxd.forward.forwarder import Forwarded

    ports: list[Forwarded] = []
    try:
        for wish in wishes:
            ports.append(Forwarded(local.listen(wish, address), wish.inside, wish.service))
    except BaseException:
        for port in ports:
            port.listener.close()
        raise
    return ports
