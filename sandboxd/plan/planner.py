"""Config + host + hand-written base + workspace -> Plan. Pure: the same inputs give the same plan.

First the decisions, then the container that they are made into, then what the plan says of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.config.model import Config
from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import why_no_gateway
from sandboxd.model.container import Container
from sandboxd.model.control_name import ControlName
from sandboxd.plan import base as base_config
from sandboxd.plan import (
    controls,
    credentials,
    extra_folders,
    git_settings,
    nested,
    network,
    subpath_mounts,
)
from sandboxd.plan.container import make_container
from sandboxd.plan.decisions import Decisions, make_decisions
from sandboxd.plan.floor import apply as apply_floor
from sandboxd.plan.floor import network_of_refused
from sandboxd.plan.grants import NO_GRANTS, Grants
from sandboxd.plan.hiding import hiding
from sandboxd.plan.lasting import lasting
from sandboxd.plan.layout import seconds
from sandboxd.plan.names import not_checked
from sandboxd.plan.notes import Notes
from sandboxd.plan.plan import Plan, Rooms
from sandboxd.plan.profiles import Profile
from sandboxd.plan.reasons import LeftOut
from sandboxd.plan.synced import lasting_copy, synced
from sandboxd.plan.workspace import WorkspaceFacts
from sandboxd.policy.floor import NO_FLOOR, Floor

if TYPE_CHECKING:
    from sandboxd.credentials.uses import Use
    from sandboxd.egress.policy import Policy
    from sandboxd.plan.compose import ComposeProject
    from sandboxd.plan.project_hosts import ProjectHosts
    from sandboxd.policy.rights import Source


def make_plan(
    profile: Profile,
    config: Config,
    host: HostFacts,
    base: Container | None,
    workspace: WorkspaceFacts,
    grants: Grants = NO_GRANTS,
    floor: Floor = NO_FLOOR,
    project: ComposeProject | None = None,
) -> Plan:
    """The sandbox for the project at `workspace.path`.

    `profile` is the one that the config names; `base` the container of a hand-written
    devcontainer.json, None if there is none; `project` the Compose project that it is a service of.

    :raises UsageError: the config asks for what its profile does not allow
    :raises EnvironmentFailure: the host cannot enforce what the profile needs
    """
    notes = Notes(profile.name)
    decisions = make_decisions(profile, config, host, base, workspace, grants, floor, notes)
    on_cluster = host.engine is not None and host.engine.is_cluster
    _refuse_writers_side_by_side(decisions.profile, workspace, on_cluster=on_cluster)
    wanted = [setting.value for setting in decisions.config.wishes.folders]
    extra_folders.refuse(wanted, floor, on_cluster=on_cluster)
    container, places = make_container(decisions, host, workspace, notes)
    project = _beside(project, decisions, container, host, workspace, notes)
    nested.refuse_beside(config, project)
    brought = base_config.say_brought(notes)
    egress = network.egress(
        decisions.profile,
        decisions.config,
        decisions.network,
        floor,
        workspace.path,
        workspace.hosts,
        notes,
    )
    _say_without_gateway(egress.policy, host, notes)
    network.say_without_rules(decisions.network, host, notes)
    uses = credentials.plan_uses(decisions.config, egress.policy, workspace.path, notes)
    hooks_refused = _say_hooks(decisions, notes)
    joined = network.inner(decisions.network, workspace)
    hidden = hiding(
        decisions.profile,
        decisions.config,
        floor,
        notes,
        on_cluster=on_cluster,
    )
    copy = synced(
        decisions.profile,
        decisions.choice,
        workspace,
        places,
        decisions.user,
        decisions.config.wishes,
        notes,
    )
    controls.say_what_stays_open(
        decisions.profile, decisions.choice, decisions.network, joined, host, container, notes
    )
    subpath_mounts.say_where_impossible(
        host.engine, (value.value for value in container.mounts), workspace.path, notes
    )
    return Plan(
        workspace=workspace.path,
        profile=profile.name,
        container=container,
        reasons=tuple(notes.reasons),
        downgrades=tuple(notes.downgrades),
        seccomp_path=decisions.seccomp,
        control_files=workspace.existing_control_files,
        left_out=tuple(notes.left_out),
        gvisor=decisions.choice.gvisor,
        stubs=places.stubs,
        prepare=places.prepare,
        compose=project,
        brought=brought,
        refuses_root=profile.user == "non-root",
        egress=_with_services(credentials.with_uses(egress.policy, uses), project),
        services=project.services if project is not None and egress.policy is not None else (),
        inner=joined,
        proposals=egress.proposals,
        credentials=uses,
        runs_hooks=decisions.profile.hooks,
        hooks_refused=hooks_refused,
        repository=places.repository,
        own_git=places.own_git,
        extra_folders=tuple(folder.path for folder in workspace.extra_folders),
        repository_name=workspace.linked.name if workspace.linked is not None else "",
        lasting=(*lasting(decisions.profile, workspace, notes), *lasting_copy(copy)),
        rooms=Rooms(decisions.profile.copy, decisions.profile.home, decisions.profile.tmp),
        synced=copy,
        subpath_mounts=subpath_mounts.are_possible(host.engine),
        hiding=hidden,
        git=git_settings.of_user(workspace, notes),
        name=workspace.name,
        time_limit=seconds(decisions.profile.time) if decisions.profile.time else 0,
    )


class Network(NamedTuple):
    """The network of a plan, which is the same on every host."""

    mode: str
    """``none``, ``allow`` or ``open``."""
    policy: Policy | None
    """The policy of the gateway, as in `Plan.egress`."""
    source: Source
    problem: str = ""
    """The reason why the config's network settings are not in force; '' if they are."""
    uses: tuple[Use, ...] = ()
    """The credentials that the sandbox may use, including those that need no port of the gateway."""
    is_granted: bool = False
    """Whether the config asks for more than its profile, and the user trusts this content of it."""


def make_network(
    profile: Profile,
    config: Config,
    base: Container | None,
    workspace: str,
    hosts: ProjectHosts,
    trusted: bool,
    floor: Floor,
    project: ComposeProject | None = None,
) -> Network:
    """The network of a plan; if policy minimum or grant refuse the config, the profile's own network.

    What the config takes away from the profile applies even then: an edit without a grant opens nothing, and a list
    that was shorter than the profile's stays so. The same holds if another part of the config is refused: a running
    sandbox goes on as it was started, except for its network.

    :param trusted: whether the user trusts this content of sandboxd.toml
    """
    problem = ""
    try:
        limited, allowed = apply_floor(profile, config, floor, trusted, hosts)
    except UsageError as error:
        problem = error.message
        limited, allowed = network_of_refused(profile, config, floor, trusted, hosts)
    mode = network.mode(limited, allowed, base)
    notes = Notes(profile.name)
    policy = network.egress(limited, allowed, mode, floor, workspace, hosts, notes).policy
    uses = credentials.plan_uses(allowed, policy, workspace, notes) if policy is not None else ()
    is_listed = allowed.network.allow is not None or bool(allowed.network.private)
    source: Source = "sandboxd.toml" if is_listed else "profile"
    policy = _with_services(credentials.with_uses(policy, uses), project)
    is_granted = trusted and not problem
    if policy is not None and not problem:
        problem = not_checked(profile, config, hosts)
    return Network(mode.value, policy, source, problem, uses, is_granted)


def _refuse_writers_side_by_side(
    profile: Profile, workspace: WorkspaceFacts, *, on_cluster: bool
) -> None:
    """Refuse a named sandbox that would write the workspace folder itself.

    :raises UsageError: it would
    """
    # On a cluster each has a volume of its own, whatever its profile.
    if workspace.name and profile.access == "rw" and not on_cluster:
        act = "be kept the same as your folder" if profile.synced else "write your folder itself"
        raise UsageError(
            f"`{workspace.name}` would {act}, as another sandbox of it may",
            'give each a private copy (`profile = "agent"`, or `[workspace] layout = "clone"`, in '
            "sandboxd.toml), or a folder of its own: `git worktree add`",
        )


def _say_without_gateway(policy: Policy | None, host: HostFacts, notes: Notes) -> None:
    """Note that the engine makes no gateway: `up` refuses such a plan, and other tools find no network."""
    without = why_no_gateway(host)
    if policy is not None and without is not None:
        notes.downgrade(ControlName.NETWORK, without.why, without.fix)


def _say_hooks(decisions: Decisions, notes: Notes) -> tuple[LeftOut, ...]:
    if decisions.base is None or not decisions.base.lifecycle:
        return ()
    # Late: most projects have none, and `up` reads no config for them.
    from sandboxd.plan.remote import say_hooks

    return say_hooks(decisions.profile, decisions.base.lifecycle, notes)


def _beside(
    project: ComposeProject | None,
    decisions: Decisions,
    container: Container,
    host: HostFacts,
    workspace: WorkspaceFacts,
    notes: Notes,
) -> ComposeProject | None:
    """The other services of the project as they may run beside `container`."""
    if decisions.base is None or project is None:
        return project
    from sandboxd.plan import compose

    no_network = container.network is not None and container.network.value == "none"
    has_gateway = decisions.network.value == "allow"
    beside = compose.beside(
        project,
        decisions.profile,
        no_network,
        has_gateway,
        decisions.choice.gvisor,
        decisions.base,
        workspace,
        notes,
    )
    if beside.services and decisions.choice.gvisor:
        controls.note_filter_of_services(host, notes)
    return beside


def _with_services(policy: Policy | None, project: ComposeProject | None) -> Policy | None:
    """`policy` with the names of the project's other services, whether they can be started or not."""
    if policy is None or project is None:
        return policy
    return policy._replace(services=project.names)
