"""The gateway of one sandbox: a hardened container that passes connections to allowed names, and nothing else.

It starts with four capabilities, sets its addresses up, and drops them all within milliseconds; then it
listens. It lets nothing through before it was given a policy, and a sandbox whose gateway is gone has no way
out at all: nothing here fails open."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from sandboxd.data import data_path
from sandboxd.egress import layout
from sandboxd.egress.broker_wire import credentials_to_json
from sandboxd.egress.wire import policy_to_json
from sandboxd.engine import timeline
from sandboxd.engine.payload import gateway_image
from sandboxd.errors import EnvironmentFailure
from sandboxd.files import read_source
from sandboxd.host import addresses, network_thread
from sandboxd.life import networks, sources
from sandboxd.life.end import remove
from sandboxd.life.gateway_channel import GATEWAY_USER, Channel, attach, attach_first
from sandboxd.model.labels import EDITOR, GATEWAY, START
from sandboxd.model.sandbox_id import name_option
from sandboxd.plan.container_name import container_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.egress.messages import CredentialsSet, Event, PolicySet, Ready
    from sandboxd.engine.client import Engine, Summary
    from sandboxd.life.networks import Inner, Pair
    from sandboxd.model.engine_answers import CreateRequest
    from sandboxd.policy.gateway_rights import GatewayRights

READY_SECONDS = 60.0
"""A gateway is ready within 0.2 s; a machine that starts many at once takes longer."""

_MEMORY = 128 << 20
_PROCESSES = 16
_FILES = 8192
_SYSCTLS = {
    "net.ipv4.ip_forward": "0",
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.icmp_echo_ignore_all": "1",
    "net.ipv6.conf.all.disable_ipv6": "1",
    "net.ipv6.conf.default.disable_ipv6": "1",
}


def name_of(workspace: str) -> str:
    """The name of the container that is a sandbox's gateway.

    :param workspace: the sandbox's identity
    """
    return f"{container_name(workspace)}-gateway"


def way_back(made_by: str | None) -> str:
    """The command that starts a sandbox's gateway again.

    :param made_by: the value of the sandbox container's label `MADE_BY`; None without the label
    """
    return "sandboxd daemon start" if made_by == EDITOR else "sandboxd up"


def container_of(engine: Engine, workspace: str) -> Summary | None:
    """The container, in any state, of a sandbox's gateway; None if there is none.

    It must have the name that we give it, since anybody can set its label.

    :param workspace: the sandbox's identity
    """
    matches = [
        container
        for container in engine.containers(f"{GATEWAY}={workspace}")
        if container.name == name_of(workspace)
    ]
    return matches[0] if matches else None


def substitute(engine: Engine, workspace: str) -> str:
    """The name of a container that may let a sandbox out while its gateway does not run under its own name; '' for none.

    That is a gateway that is paused or was renamed, or whatever else has its address.

    :param workspace: the sandbox's identity
    :raises EnvironmentFailure: a network differs from the one that sandboxd makes
    """
    labelled = engine.containers(f"{GATEWAY}={workspace}")
    if present := next((each for each in labelled if each.state in ("running", "paused")), None):
        return present.name
    pair = networks.pair_of(engine, workspace)
    if pair is None:
        return ""
    address = pair.inner.addresses.gateway
    holders = engine.network_containers(pair.inner.name)
    return next((each[:12] for each, own in holders.items() if own == address), "")


def body(image: str, inner: Inner, workspace: str, number: str = "") -> CreateRequest:
    """The create request of a gateway.

    :param image: the image's id
    :param workspace: the sandbox's identity
    :param number: the random number of the start that it belongs to
    """
    own = inner.addresses
    seccomp = json.loads(read_source(data_path("profiles", "seccomp", "gateway.json")).text)
    return {
        "Image": image,
        "Entrypoint": [],
        "Cmd": gateway_image.command(
            own.gateway, own.subnet, str(GATEWAY_USER), layout.CONTROL_FLAG
        ),
        "Env": gateway_image.environment(),
        "User": "0:0",
        "WorkingDir": "/",
        "Hostname": "gateway",
        "Labels": {GATEWAY: workspace, START: number},
        # The gateway is the first process of its container, and Linux gives that no SIGTERM it does not handle.
        "StopSignal": "SIGKILL",
        "OpenStdin": True,
        # With `StdinOnce` the first reader that detaches would close the channel for all.
        "StdinOnce": False,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "NetworkMode": inner.name,
            "Runtime": "runc",
            "CapDrop": ["ALL"],
            "CapAdd": ["NET_ADMIN", "NET_RAW", "SETGID", "SETUID"],
            "SecurityOpt": [
                "no-new-privileges",
                "seccomp=" + json.dumps(seccomp, separators=(",", ":")),
            ],
            "ReadonlyRootfs": True,
            "Memory": _MEMORY,
            "MemorySwap": _MEMORY,
            "PidsLimit": _PROCESSES,
            "Ulimits": [{"Name": "nofile", "Soft": _FILES, "Hard": _FILES}],
            "LogConfig": {"Type": "none"},
            "RestartPolicy": {"Name": "no"},
            # An engine may put a program of its own first, which then has the gateway's rights.
            "Init": False,
            "Sysctls": _SYSCTLS,
        },
        "NetworkingConfig": {
            "EndpointsConfig": {inner.name: {"IPAMConfig": {"IPv4Address": own.gateway}}}
        },
    }


def start(
    engine: Engine,
    workspace: str,
    pair: Pair,
    image: str,
    rights: GatewayRights,
    number: str = "",
    credentials: Credentials | None = None,
    progress: Callable[[str], None] = lambda _text: None,
    old: Summary | None = None,
) -> PolicySet:
    """Create and start the gateway of the sandbox `workspace` (its identity); return once `rights` are in force.

    A failed attempt leaves nothing behind.

    :param number: the random number of the start that it belongs to
    :param credentials: sent to it after the policy
    :param progress: called with a message if the gateway cannot record refused connections on this host
    :param old: the existing one, which is removed first
    :raises EnvironmentFailure: it does not start, has more privileges than it should, or can reach the host on the
        inner network
    """
    request = body(image, pair.inner, workspace, number)
    if old is not None:
        remove(engine, old.id)
    container = engine.create(name_of(workspace), request)
    try:
        engine.connect_network(pair.outer, container)
        with attach_first(engine, container, workspace) as channel:
            engine.start(container)
            if unseen := blind_spot(_wait_until_safe(channel, pair)):
                progress(unseen)
            return _set(channel, rights, False, credentials)
    except BaseException:
        remove(engine, container)
        raise


def push(
    engine: Engine,
    workspace: str,
    rights: GatewayRights,
    cut: bool = False,
    credentials: Credentials | None = None,
) -> PolicySet:
    """Send `rights` to the running gateway of a sandbox; return once they are in force.

    :param workspace: the sandbox's identity
    :param rights: as `complete` returned them
    :param cut: whether open connections that they do not allow are closed
    :param credentials: sent after the policy; None leaves the gateway the ones it has
    :raises EnvironmentFailure: no gateway runs, or it rejects the policy: then it lets nothing through
    """
    with attach_running(engine, workspace) as channel:
        return _set(channel, rights, cut, credentials)


class GatewayGone(EnvironmentFailure):
    """The sandbox's gateway does not run, so nothing inside reaches the network."""


def attach_running(engine: Engine, workspace: str) -> Channel:
    """Open the control channel of a sandbox's running gateway.

    :param workspace: the sandbox's identity
    :raises GatewayGone: no gateway runs
    :raises EnvironmentFailure: it is paused, or a container that may be it has another name
    """
    present = container_of(engine, workspace)
    if present is None or present.state != "running":
        if present is not None and present.state == "paused":
            raise EnvironmentFailure(
                "the gateway of this sandbox is paused, and goes on with what it had",
                f"`docker unpause {present.name}`",
            )
        if other := substitute(engine, workspace):
            raise EnvironmentFailure(
                f"in the place of this sandbox's gateway is the container `{other}`, which may let through what was "
                "taken back",
                f"remove it, by `docker rm -f {other}`",
            )
        raise GatewayGone(
            "the gateway of this sandbox does not run",
            f"nothing gets out; `sandboxd up{name_option(workspace)}` starts it again",
        )
    return attach(engine, present.id, workspace)


def _set(
    channel: Channel, rights: GatewayRights, cut: bool, credentials: Credentials | None
) -> PolicySet:
    with timeline.span("gateway", "policy"):
        answer = set_policy(channel, rights, cut)
    if credentials is not None:
        set_credentials(channel, credentials)
    return answer


def set_policy(channel: Channel, rights: GatewayRights, cut: bool) -> PolicySet:
    """Send `rights` over `channel` and wait until they are in force; see `push` for `cut`.

    :raises EnvironmentFailure: the gateway rejects the policy and then lets nothing through, or does not answer
    """
    policy = rights.policy

    def answer(event: Event) -> PolicySet | None:
        if event["event"] == "policy" and event["version"] == policy.version:
            return event
        if event["event"] == "refused" and event["op"] == "policy":
            raise EnvironmentFailure(
                f"the gateway refuses the policy and lets nothing through: {event['why']}",
                "correct `[network]` in sandboxd.toml, then run `sandboxd up`",
            )
        return None

    return channel.ask(answer, {"op": "policy", "policy": policy_to_json(policy), "cut": cut})


def set_credentials(channel: Channel, credentials: Credentials) -> CredentialsSet:
    """Replace all credentials of the gateway by these, and wait until they are in force.

    :raises EnvironmentFailure: the gateway rejects them, and then has none; or it does not answer
    """
    mark = secrets.token_hex(8)

    def answer(event: Event) -> CredentialsSet | None:
        if event["event"] == "credentials" and event["mark"] == mark:
            return event
        if event["event"] == "refused" and event["op"] == "credentials":
            raise EnvironmentFailure(
                f"the gateway refuses the credentials, and none is in force: {event['why']}",
                "`sandboxd credentials list` shows them; correct the one that is meant",
            )
        return None

    return channel.ask(
        answer, {"op": "credentials", **credentials_to_json(credentials), "mark": mark}
    )


def complete(
    engine: Engine,
    pair: Pair,
    rights: GatewayRights,
    addresses_before: Iterable[tuple[str, str]] = (),
) -> GatewayRights:
    """Return `rights` with the service addresses and forbidden networks of this machine filled in.

    Equal contents get an equal policy version.

    :param addresses_before: (name, synthetic address) pairs of an earlier gateway, which stay valid
    """
    names = rights.policy.services
    service_addresses = layout.services(pair.inner.addresses, names)
    own = {str(subnet) for subnet in pair.outer_subnets}
    if pid := sources.engine_process(engine):
        own |= addresses.of_process() | addresses.of_process(network_thread.of_process(pid))
    services = tuple((name, service_addresses[owner]) for name, owner in names)
    return rights.on_machine(services, sorted(own), addresses_before)


def _wait_until_safe(channel: Channel, pair: Pair) -> Ready:
    """The gateway's report about itself, once it has also checked its inner network.

    :raises EnvironmentFailure: it has privileges left, or the host is on the inner network
    """
    ready: list[Ready] = []

    def host_answers(event: Event) -> bool | None:
        if event["event"] == "ready":
            ready.append(event)
        return event["answers"] if event["event"] == "host" else None

    with timeline.span("gateway", "until it is safe"):
        answers = channel.wait_for(host_answers, READY_SECONDS)
    weak = weakness(ready[0]) if ready else "it does not say what rights it has"
    if weak:
        raise EnvironmentFailure(
            f"the gateway is not as it has to be: {weak}",
            "`sandboxd doctor` shows what this engine can do",
        )
    if answers:
        raise EnvironmentFailure(
            f"the engine's host answers on the inner network `{pair.inner.name}`, which this engine "
            "cannot keep it off",
            'without a network it is safe: `[network] mode = "none"` in sandboxd.toml',
        )
    return ready[0]


def blind_spot(ready: Ready) -> str:
    """A sentence about refused connections that the gateway cannot record on this host; '' if it records all."""
    if ready["sees_refused_ports"]:
        return ""
    return (
        "connections to ports that no rule names are refused and not recorded: the gateway cannot watch "
        "them here"
    )


def weakness(ready: Ready) -> str:
    """The first hardening measure that the gateway itself lacks, in words; '' if it has them all.

    :param ready: the gateway's own report about its privileges
    """
    if ready["uid"] == 0:
        return "it still is root"
    if int(ready["capabilities"], 16):
        return f"it has capabilities left ({ready['capabilities']})"
    if not ready["no_new_privileges"]:
        return "it can gain privileges"
    if ready["seccomp"] != 2:
        return "no seccomp filter is loaded"
    if ready["ip_forward"]:
        return "its kernel forwards packets"
    if ready["inner_ipv6"]:
        return "its inner interface has IPv6"
    if not ready["way_out"]:
        return "it has no default route, so nothing could get out"
    return ""
