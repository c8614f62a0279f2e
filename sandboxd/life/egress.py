"""The gateway of a sandbox as part of its start and end: started with it, given its policy, removed with it."""

from __future__ import annotations

import contextlib
import functools
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine import timeline
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import (
    gateway,
    gateway_difference,
    gateway_image,
    host_isolation,
    name_server_file,
    networks,
    running_gateway,
    service_start,
    services,
    sources,
)
from sandboxd.life.ask_program import ask_program
from sandboxd.life.end import remove
from sandboxd.model.labels import ASK_PROGRAM, DECOY_FILE, NAMED, PROJECT, RESOLV_CONF
from sandboxd.plan import decoy, inner_network
from sandboxd.plan.plan import Plan
from sandboxd.state import subnets
from sandboxd.state.inside_files import file_for_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.egress.policy import Policy
    from sandboxd.engine.client import Engine
    from sandboxd.life.service_start import Sick
    from sandboxd.model.engine_answers import CreateRequest, Inspected, MountRequest
    from sandboxd.policy.gateway_rights import GatewayRights

    Give: TypeAlias = Callable[
        [str, Callable[[GatewayRights], GatewayRights]], AbstractContextManager["Offer"]
    ]


class Joined(NamedTuple):
    """The inner network that a sandbox's container joins, and the gateway's policy, from which settings inside are
    derived.
    """

    workspace: str
    pair: networks.Pair
    policy: Policy
    """Only read for the names, addresses and variables that the container is told; it enforces nothing here."""


class Offer(NamedTuple):
    """What a gateway is to be given; nobody may revoke any of it until it has that."""

    rights: GatewayRights
    """For the gateway that runs."""
    anew: Callable[[], GatewayRights]
    """Returns those for one that is made anew: whatever approvals for one connection an earlier one had, it may have
    used.
    """


class Egress(NamedTuple):
    """The networks, the image and the rights with which one sandbox's gateway is started or updated."""

    workspace: str
    pair: networks.Pair
    image: str
    rights: GatewayRights
    credentials: Credentials | None = None
    """None: a gateway that already runs keeps the credentials it has."""
    give: Callable[[], AbstractContextManager[Offer]] | None = None
    """Opens a context with the rights that the sandbox has at that moment; nobody may revoke any while it is open.
    None: `rights` are used as they are.
    """

    def giving(self) -> AbstractContextManager[Offer]:
        """A context whose value is the rights to send to the gateway; they cannot be revoked while it is open."""
        if self.give is not None:
            return self.give()
        return contextlib.nullcontext(Offer(self.rights, lambda: self.rights))

    @property
    def joined(self) -> Joined:
        """The network that the sandbox's own container is to join."""
        return Joined(self.workspace, self.pair, self.rights.policy)


def prepare(
    engine: Engine,
    workspace: str,
    rights: GatewayRights,
    named_image: str,
    progress: Callable[[str], None],
    addresses_before: Iterable[tuple[str, str]] = (),
    credentials: Credentials | None = None,
    give: Give | None = None,
) -> Egress:
    """Create or find the networks and the image for the gateway of a sandbox, and complete its policy.

    :param workspace: the sandbox's identity
    :param rights: without version, service addresses and the networks of the host, which are added here
    :param named_image: the image that the user's policy names for engines that cannot run ours; '' for none
    :param addresses_before: (name, synthetic address) pairs of an earlier gateway, which stay valid
    :param credentials: sent to the gateway after its policy; None leaves those of a running one
    :param give: opens the context of `Egress.give`; its arguments are the id of the inner network, and a function that
        completes rights for this machine. None: `rights` are final
    :raises EnvironmentFailure: one of them cannot be created; then nothing may start
    """
    with timeline.span("gateway", "image and networks"):
        image = gateway_image.ensure(engine, named_image, progress)
        pair = networks.ensure(engine, workspace, progress)
        known = tuple(addresses_before)

        def complete(rights: GatewayRights) -> GatewayRights:
            return gateway.complete(engine, pair, rights, known)

        whole = complete(rights)
    # Said last: of an engine that does not answer it would be no news.
    if not sources.can_read_ours(engine):
        progress("`sandboxd-ask` is left out: this engine cannot bind a file of this user")
    held = functools.partial(give, pair.inner.id, complete) if give is not None else None
    return Egress(workspace, pair, image, whole, credentials, held)


def add_to(
    body: CreateRequest,
    joined: Joined,
    engine: Engine,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Connect the container of a create request to the inner network: name servers, proxy variables, mounted files.

    :param body: the request, which is changed
    :param settings: further files to mount read-only: text by path inside
    """
    gateway_address = joined.pair.inner.addresses.gateway
    host = body["HostConfig"]
    host["NetworkMode"] = joined.pair.inner.name
    host["Dns"] = [gateway_address]
    # Without it the engine copies the host's search domains, and programs inside would ask for them.
    host["DnsSearch"] = ["."]
    if name := body.get("Labels", {}).get(NAMED):
        endpoint = {"IPAMConfig": {"IPv4Address": dict(joined.policy.services)[name]}}
        body["NetworkingConfig"] = {"EndpointsConfig": {joined.pair.inner.name: endpoint}}
    names = [variable.partition("=")[0] for variable in body["Env"]]
    added = (
        *inner_network.proxies(gateway_address, names),
        *inner_network.npm_by_name(joined.policy.rules, names),
    )
    body["Env"] = [*body["Env"], *(f"{pair.name}={pair.value}" for pair in added)]
    # The engine's stub at 127.0.0.11 is dead in gVisor's own network stack (gvisor #7469). A remote
    # engine, or another user's, cannot bind a file of ours.
    if sources.can_read_ours(engine):
        files = {
            RESOLV_CONF: name_server_file.ensure(joined.workspace, gateway_address),
            ASK_PROGRAM: ask_program(os.environ),
        }
        bait = {DECOY_FILE: text} if (text := decoy.text(joined.policy)) else {}
        for target, text in {**(settings or {}), **bait}.items():
            name = os.path.basename(target)
            files[target] = file_for_inside(os.environ, name, text.encode(), 0o644)
        binds: list[MountRequest] = [
            {"Type": "bind", "Source": source, "Target": target, "ReadOnly": True}
            for target, source in files.items()
        ]
        host["Mounts"] = [*(host.get("Mounts") or []), *binds]


@contextlib.contextmanager
def beside(
    engine: Engine, egress: Egress | None, progress: Callable[[str], None], number: str = ""
) -> Iterator[None]:
    """Start or update the gateway in parallel to the block; on exit, wait until it is ready.

    On an engine whose host has not yet been seen to be unreachable from the inner network, the block starts only after
    the gateway has checked that: otherwise a program in the sandbox could talk to the host meanwhile.

    :param egress: None where the sandbox has no gateway: then nothing is done
    :param number: the random number of this start, which becomes a label of the gateway
    :raises EnvironmentFailure: the gateway cannot run, or its network is not isolated
    """
    if egress is None:
        yield
        return
    failures: list[BaseException] = []

    def run() -> None:
        try:
            follow(engine, egress, progress, number)
        except BaseException as error:
            failures.append(error)

    thread = timeline.thread(run, "gateway")

    def wait() -> None:
        with timeline.span("gateway", "wait for it"):
            thread.join()
        if failures:
            raise failures[0]

    thread.start()
    try:
        # Asked while the gateway starts, so that it takes no time of its own.
        isolation = host_isolation.place(os.environ, engine, egress.pair.inner.driver)
        if not host_isolation.is_known(isolation):
            wait()
            host_isolation.note(isolation)
        yield
    except BaseException:
        thread.join()
        raise
    wait()


def follow(
    engine: Engine, egress: Egress, progress: Callable[[str], None], number: str = ""
) -> bool:
    """Make the gateway run with its current rights: a running one that is unchanged is updated, any other replaced.

    :param number: the random number of this start, which becomes a label of a new gateway
    :returns: whether a new gateway was created
    :raises EnvironmentFailure: it cannot run, or its network is not isolated; then no gateway runs
    """
    # Held until it has them: what is taken back meanwhile is taken from it afterwards.
    with timeline.span("gateway", "have it run"), egress.giving() as offer:
        return _follow(engine, egress, offer, progress, number)


def _follow(
    engine: Engine,
    egress: Egress,
    offer: Offer,
    progress: Callable[[str], None],
    number: str,
) -> bool:
    pair, workspace = egress.pair, egress.workspace
    present = gateway.container_of(engine, workspace)
    if present is not None and present.state == "running":
        inspected = engine.inspect(present.id)
        wanted = gateway.body(egress.image, pair.inner, workspace)
        expected = gateway_difference.as_limited(wanted, inspected, engine.info)
        why = gateway_difference.difference(inspected, expected, pair)
        if not why:
            try:
                # One that was started again by hand has no policy, and has forgotten what it used.
                knows = running_gateway.version(engine, workspace) != 0
                rights = offer.rights if knows else offer.anew()
                gateway.push(engine, workspace, rights, True, egress.credentials)
                return False
            except EnvironmentFailure as error:
                why = error.message
        progress(f"the gateway is made anew: {why}")
    gateway.start(
        engine,
        workspace,
        pair,
        egress.image,
        offer.anew(),
        number,
        egress.credentials,
        progress,
        present,
    )
    return True


def start_services(
    engine: Engine,
    plan: Plan,
    egress: Egress | None,
    workspace: Inspected,
    start: str,
    progress: Callable[[str], None],
    check: Callable[[], None],
) -> tuple[Sick, ...]:
    """Make exactly the plan's other services run on the inner network; return those that fail to.

    Called after workspace and gateway, since a service may share the workspace's network.

    :param egress: None where the sandbox has no gateway: then there are no services
    :param workspace: the sandbox's running container, as the engine describes it
    :param start: the random number of the start that created the sandbox; '' if the sandbox ran already
    :param check: called while waiting; ends the wait by raising
    :raises EnvironmentFailure: the engine does not answer
    """
    if egress is None:
        return ()
    if not plan.services:
        services.leave(engine, plan.sandbox)
        return ()
    with timeline.span("services", "have them run"):
        around = surroundings(engine, egress.pair.inner, workspace)
        return service_start.follow(engine, plan, around, start, progress, check)


def surroundings(
    engine: Engine, inner: networks.Inner, workspace: Inspected
) -> services.Surroundings:
    """The network, name-server file and workspace container that the other services of a running sandbox use."""
    folder = (workspace["Config"].get("Labels") or {}).get(PROJECT, "")
    ours = sources.can_read_ours(engine)
    resolv_conf = name_server_file.ensure(folder, inner.addresses.gateway) if ours else ""
    return services.surroundings(inner, resolv_conf, workspace)


def leave(engine: Engine, workspace: str, *, with_network: bool = False) -> None:
    """Remove the gateway and the other services of a sandbox whose own container is already gone.

    :param workspace: the sandbox's identity
    :param with_network: also remove its inner network; for a project without generated files, which would name it
    """
    if (present := gateway.container_of(engine, workspace)) is not None:
        remove(engine, present.id)
    services.leave(engine, workspace)
    if with_network:
        networks.remove(engine, workspace)
        subnets.forget(os.environ, workspace)
        name_server_file.remove(workspace)


@contextlib.contextmanager
def left_on_failure(engine: Engine, workspace: str, discards: bool) -> Iterator[None]:
    """If the block fails to remove a sandbox whose work is discarded, remove its gateway, so that it has no network.

    :param workspace: the sandbox's identity
    :param discards: whether the work is discarded; False: the gateway keeps running
    """
    try:
        yield
    except EnvironmentFailure:
        if discards:
            # One that does not end either is found by the next `down`.
            with contextlib.suppress(EnvironmentFailure):
                leave(engine, workspace)
        raise


@contextlib.contextmanager
def leaving(engine: Engine, workspace: str) -> Iterator[None]:
    """Remove the gateway in parallel to the block, which starts a sandbox whose plan has no gateway any more.

    :param workspace: the sandbox's identity
    :raises EnvironmentFailure: a part of it is still there
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            leave(engine, workspace)
        except BaseException as error:
            failures.append(error)

    thread = timeline.thread(run, "leave")
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if failures:
        raise failures[0]
