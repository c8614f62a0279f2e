"""Forward ports of a project's sandbox to this machine, in this process, whatever backend it runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandboxd.backends.backend import Backend
    from sandboxd.forward.forwarder import Forwarded, Forwarder
    from sandboxd.forward.listening import Listener
    from sandboxd.forward.ports import Wish


def list_listeners(backend: Backend, directory: str, name: str = "") -> tuple[Listener, ...]:
    """The ports on which programs listen in the running sandbox `name` of the project that `directory` lies in.

    :raises EnvironmentFailure: no such sandbox runs, or it does not answer
    """
    from sandboxd.forward import listening

    running = backend.locate(project_folder(directory), name)
    return listening.parse(backend.read(running, listening.LOOK))


def prepare(
    backend: Backend,
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
    :raises UsageError: `address` is not valid, the policy forbids it, or the backend reaches no services
    """
    from sandboxd.backends.backend import Ability
    from sandboxd.forward.forwarder import Forwarder

    services = [wish.service for wish in wishes if wish.service]
    if services and (refusal := backend.cannot.get(Ability.REACH_SERVICES)):
        raise UsageError(f"the service `{services[0]}` {refusal.why}", refusal.hint)
    require_address(address, environ)
    project = project_folder(directory)
    running = backend.locate(project, name)
    for service in services:
        backend.service_address(running, service)
    before_listening(address, wishes, environ, running.sandbox)
    return Forwarder(
        lambda now: backend.open_trunk(running._replace(id=now)),
        lambda: backend.locate(project, name).id,
        listen(wishes, address),
        tell,
        lambda service: backend.service_address(running, service),
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
