"""The network of a plan: its mode, and the names that a gateway lets through.

`Plan.egress` is the policy of a gateway, `Plan.inner` the network on which tools that start a sandbox from our files
find it. `Plan.container` has the network for tools that do not use `Plan.inner`, such as Compose.
"""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.config.model import Config
from sandboxd.egress.policy import Policy
from sandboxd.findings import Place
from sandboxd.host.facts import WITH_RULES_AGAIN, WITHOUT_RULES, WITHOUT_RULES_MEANS, HostFacts
from sandboxd.model.container import Container
from sandboxd.model.control_name import ControlName
from sandboxd.model.labels import DECOY_FILE
from sandboxd.model.values import Origin, Value
from sandboxd.plan import decoy, names
from sandboxd.plan.container_name import container_name
from sandboxd.plan.inner_network import InnerNetwork, inner_network
from sandboxd.plan.names import Usual
from sandboxd.plan.network_limits import permitted
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.project_hosts import ProjectHosts
from sandboxd.plan.workspace import WorkspaceFacts
from sandboxd.policy.floor import Floor

EGRESS = "egress"
"""The `field` of a reason that is about a name, not about the container."""


_OWN = "a network namespace of its own on the engine's bridge"
_CLOSED = "nothing may leave it"
_WHO_MAKES_IT = (
    "`sandboxd up` makes network and gateway, and so does the daemon for an editor; without them nothing is "
    "reached"
)
_OPEN_WITHOUT = (
    "the engine's bridge where another tool starts the sandbox and finds no gateway; `sandboxd up` makes "
    "one for the names that `sandboxd explain-plan` shows"
)
_CLOSED_WITHOUT = (
    "none where another tool starts the sandbox and finds no gateway; `sandboxd up` makes one for the "
    "names that `sandboxd explain-plan` shows"
)


class Mode(NamedTuple):
    """The mode of a network, ``none``, ``allow`` (names, through a gateway) or ``open``, and what decided it."""

    value: str
    why: str
    decided_by: str = ""
    """``config``, or '' if the profile decided it."""
    place: Place | None = None


def mode(profile: Profile, config: Config, base: Container | None) -> Mode:
    """The network's mode.

    `profile` and `config` are limited by policy minimum and grant already.
    """
    setting = config.network.wanted_mode
    if base is not None and base.network is not None and base.network.value == "none":
        return Mode("none", "from your config", "config", base.network.place)
    if setting is not None and setting.value != profile.network.mode:
        return Mode(setting.value, "asked for", "config", setting.place)
    if profile.network.mode == "none":
        return Mode("none", _CLOSED)
    return Mode(profile.network.mode, _OWN)


def inner(chosen: Mode, workspace: WorkspaceFacts) -> InnerNetwork | None:
    """The inner network to which other tools connect the container; None if they use none of ours."""
    if chosen.value != "allow" or not workspace.subnet:
        return None
    return inner_network(container_name(workspace.sandbox), workspace.subnet)


def without_gateway(
    profile: Profile, chosen: Mode, joined: InnerNetwork | None, notes: Notes
) -> Value[str]:
    """The container's network for tools that create no gateway.

    :param joined: the inner network that files for other tools name instead; None if they name none
    """
    if chosen.value != "allow":
        name = "bridge" if chosen.value == "open" else "none"
        return notes.value("network", name, name, chosen.why, chosen.decided_by, chosen.place)
    name = "bridge" if profile.network.without_gateway == "open" else "none"
    if joined is not None:
        why = f"names through the gateway at {joined.gateway}: {_WHO_MAKES_IT}"
        notes.reason("network", joined.name, why)
        return Value(name, Origin("plan", notes.profile, "network"), None, joined.name)
    why = _OPEN_WITHOUT if name == "bridge" else _CLOSED_WITHOUT
    return notes.value("network", name, name, why)


class Egress(NamedTuple):
    """The policy of a gateway, None without a gateway, and the hosts to propose to the user."""

    policy: Policy | None = None
    proposals: tuple[names.Proposal, ...] = ()


def egress(
    profile: Profile,
    config: Config,
    chosen: Mode,
    floor: Floor,
    workspace: str,
    hosts: ProjectHosts,
    notes: Notes,
) -> Egress:
    """The policy of the gateway for the project at `workspace`; the reason for each name is noted.

    The policy's version, addresses, services, forbidden networks of the host and proxy credentials are added when a
    gateway is started.
    """
    if chosen.value != "allow":
        return Egress()
    own, outside = permitted(names.usual(profile, config, hosts), floor)
    has_bait = profile.network.canary
    policy = Policy(
        rules=names.rules(config, own),
        denied=tuple(floor.network_deny),
        canaries=(decoy.name(workspace),) if has_bait else (),
        upstream=floor.network_proxy,
        decoys=(decoy.token(workspace),) if has_bait else (),
    )
    _note(config, own, outside, policy, floor, notes)
    if config.network.allow is None:
        for each in names.added_since_start(profile, config, hosts):
            why = f"{each.why}, and did not when the sandbox started: `sandboxd down`, then `up`"
            notes.reason(EGRESS, f"not {each.entry.text}", why)
    return Egress(policy, names.proposals(config, hosts, own, policy))


def say_without_rules(chosen: Mode, host: HostFacts, notes: Notes) -> None:
    """Note that the engine makes no firewall rules, by which Docker separates networks and translates addresses."""
    if chosen.value == "none" or host.engine is None or host.engine.firewall_rules is not False:
        return
    notes.downgrade(
        ControlName.NETWORKS,
        f"{WITHOUT_RULES}: {WITHOUT_RULES_MEANS}",
        WITH_RULES_AGAIN,
    )


def say_what_stays_open(
    chosen: Mode, joined: InnerNetwork | None, container: Container, notes: Notes
) -> None:
    """Note the container's open network as a downgrade, if it has one."""
    if joined is not None or container.network is None or container.network.value == "none":
        return
    if chosen.value == "allow":
        notes.downgrade(
            ControlName.NETWORK,
            "open where the sandbox is started without its gateway: the host's own services, "
            "link-local addresses and DNS can be reached; `sandboxd up` lets only the allowed names through",
            'start it with `sandboxd up`, or set `[network] mode = "none"` in sandboxd.toml',
            of_other_tools=True,
        )
        return
    notes.downgrade(
        ControlName.NETWORK,
        "open: the host's own services, link-local addresses and DNS can be reached",
        'set `[network] mode = "none"` in sandboxd.toml if the work needs no network',
    )


def _note(
    config: Config,
    own: tuple[Usual, ...],
    outside: tuple[Usual, ...],
    policy: Policy,
    floor: Floor,
    notes: Notes,
) -> None:
    if config.network.allow is None:
        for each in own:
            notes.reason(EGRESS, each.entry.in_full(), f"{each.why}; {each.entry.admits()}")
        for each in outside:
            path = floor.path_of("network_allow")
            notes.reason(EGRESS, f"not {each.entry.text}", f"`{path}` does not hold it", "floor")
    for setting in (*(config.network.allow or ()), *config.network.private):
        entry = setting.value
        private = "; it may lead to a private address" if entry.private else ""
        notes.reason(EGRESS, entry.in_full(), f"asked for{private}; {entry.admits()}", "config")
    for pattern in policy.denied:
        path = floor.path_of("network_deny")
        notes.reason(EGRESS, f"not {pattern}", f"denied by `{path}`, whatever allows it", "floor")
    if policy.upstream is not None:
        but = ", ".join(f"`{each}`" for each in policy.upstream.direct)
        why = (
            f"by `{floor.path_of('network_proxy')}`; which address it dials is checked here only for names "
            "that resolve here, too" + (f"; {but} without it" if but else "")
        )
        notes.reason(EGRESS, f"through the proxy {policy.upstream}", why, "floor")
    for name in policy.canaries:
        why = (
            f"a tripwire: `{DECOY_FILE}` names it beside a token that is worth nothing; who uses either has "
            "looked for secrets, and is reported"
        )
        notes.reason(EGRESS, f"not {name}", why)
