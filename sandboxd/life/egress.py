"""The gateway beside the workspace: started with it, given its policy, and removed with it."""

from __future__ import annotations

import contextlib
import functools
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure
from sandboxd.host import addresses, subnets
from sandboxd.life import (
    gateway,
    gateway_image,
    host_isolation,
    name_server_file,
    networks,
    service_start,
    services,
    sources,
    timeline,
)
from sandboxd.life.ask_program import ask_program, file_for_inside
from sandboxd.life.end import remove
from sandboxd.model.labels import ASK_PROGRAM, DECOY_FILE, NAMED, PROJECT, RESOLV_CONF
from sandboxd.plan import decoy, inner_network
from sandboxd.plan.plan import Downgrade, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.egress.policy import Policy
    from sandboxd.engine.answers import CreateRequest, Inspected, MountRequest
    from sandboxd.engine.client import Engine
    from sandboxd.life.service_start import Sick
    from sandboxd.policy.rights import GatewayRights

    Give: TypeAlias = Callable[
        [Callable[[GatewayRights], GatewayRights]], AbstractContextManager[GatewayRights]
    ]


class Joined(NamedTuple):
    """The inner network of a sandbox as its container sees it: who is there, by the policy of the gateway."""

    workspace: str
    pair: networks.Pair
    policy: Policy
    """It names what the container is told of the network; nothing is let through by it."""


class Egress(NamedTuple):
    """The networks and the image of one sandbox's gateway, and what it lets through."""

    workspace: str
    pair: networks.Pair
    image: str
    rights: GatewayRights
    credentials: Credentials | None = None
    """None: a gateway that runs keeps those that it has."""
    give: Callable[[], AbstractContextManager[GatewayRights]] | None = None
    """Holds what may be given by then while the gateway is given it; None where that stays as it is."""

    def giving(self) -> AbstractContextManager[GatewayRights]:
        """Hold what the gateway is to be given now."""
        return self.give() if self.give is not None else contextlib.nullcontext(self.rights)

    @property
    def joined(self) -> Joined:
        """Its network, for the sandbox's container."""
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
    """The networks, the image and the whole policy for the gateway of `workspace`.

    :param rights: without version, addresses and the host's networks
    :param named_image: the image that the user's policy names for engines that cannot run ours
    :param addresses_before: earlier names and synthetic addresses, which keep their meaning
    :param credentials: sent to the gateway after its policy
    :param give: holds what the sandbox may have by the time at which its gateway is given it, completed by the function
        that it is called with; None where that stays as it is
    :raises EnvironmentFailure: one of them cannot be made; then nothing may start
    """
    # First: an image that is made for nothing takes half a minute.
    networks.refuse_podman(engine)
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
    held = functools.partial(give, complete) if give is not None else None
    return Egress(workspace, pair, image, whole, credentials, held)


def add_to(
    body: CreateRequest,
    joined: Joined,
    engine: Engine,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Put the container of a create request on the inner network, so that only names lead out.

    :param settings: texts of files that tools inside read, by path
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
    """Start or update the gateway in parallel to the block; returns when both are done.

    On an engine that was never seen to keep its host off the inner network the block waits for the gateway:
    what starts in it could talk to the host until the gateway has looked.

    :param number: the random number of the start
    :raises EnvironmentFailure: the gateway cannot be run, or does not hold
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
    """Have the gateway run with its policy: a sound one takes the new policy, else it is replaced.

    Returns whether a new one was made.

    :raises EnvironmentFailure: it cannot be run, or does not hold; then none runs
    """
    # Held until it has them: what is taken back meanwhile is taken from it afterwards.
    with timeline.span("gateway", "have it run"), egress.giving() as rights:
        return _follow(engine, egress, rights, progress, number)


def _follow(
    engine: Engine,
    egress: Egress,
    rights: GatewayRights,
    progress: Callable[[str], None],
    number: str,
) -> bool:
    pair, workspace = egress.pair, egress.workspace
    present = gateway.container_of(engine, workspace)
    if present is not None and present.state == "running":
        inspected = engine.inspect(present.id)
        wanted = gateway.body(egress.image, pair.inner, workspace)
        expected = gateway.as_limited(wanted, inspected, engine.info)
        why = gateway.difference(inspected, expected, pair)
        if not why:
            try:
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
        rights,
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
    """Have exactly the other services of the plan run on the inner network; returns those that do not.

    After workspace and gateway: they may share the workspace's network. Without a gateway there are none.

    :param workspace: the running sandbox
    :param start: the random number of the start that they belong to, '' where the sandbox ran already
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
    """The networks, names and folders for the services beside the running sandbox."""
    folder = (workspace["Config"].get("Labels") or {}).get(PROJECT, "")
    ours = sources.can_read_ours(engine)
    resolv_conf = name_server_file.ensure(folder, inner.addresses.gateway) if ours else ""
    return services.surroundings(inner, resolv_conf, workspace)


def leave(engine: Engine, workspace: str, *, with_network: bool = False) -> None:
    """Remove the gateway and the other services of `workspace`; the workspace's container is gone.

    :param with_network: remove the inner network as well: no generated file names it
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
    """Remove the gateway if the block fails to end a sandbox that is to be thrown away: it then has no way out.

    :param discards: whether that was asked for; the gateway of any other continues
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
    """Remove the gateway in parallel to the block, which starts a sandbox whose plan has none any more.

    :raises EnvironmentFailure: something of it is still there
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


def other_networks(inspected: Inspected, egress: Egress) -> tuple[str, ...]:
    """Names of networks that the workspace's container is on beside its inner one."""
    endpoints = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    return tuple(
        sorted(
            name
            for name, endpoint in endpoints.items()
            if endpoint.get("NetworkID") not in ("", egress.pair.inner.id)
        )
    )


def refuse_other_networks(inspected: Inspected, egress: Egress | None) -> None:
    """:raises EnvironmentFailure: the workspace's container has another way out than its gateway"""
    if egress is None:
        return
    if others := other_networks(inspected, egress):
        raise EnvironmentFailure(
            f"the sandbox is on `{others[0]}`, too, which leads past its gateway",
            "run `sandboxd up` again",
        )


def lost(engine: Engine, egress: Egress | None) -> tuple[Downgrade, ...]:
    """The downgrades that this host's settings cause for a gateway's network.

    With an address-less bridge alone, packets that bind to a device reach the host; no answer comes back.
    """
    if egress is None or egress.pair.inner.driver != "bridge":
        return ()
    if not sources.on_this_machine(engine) or addresses.reverse_path_filter() is not False:
        return ()
    why = (
        "this host's `rp_filter` is 0, so a program inside can send packets to the host's own "
        "addresses, without an answer"
    )
    return (Downgrade("network", why, "`sudo sysctl -w net.ipv4.conf.all.rp_filter=1`"),)
