"""Config + host + hand-written base + workspace -> Plan. Pure: the same inputs give the same plan.

A control that cannot be enforced is either a refusal (the profile needs it) or a named downgrade.
Nothing that reopens the host is ever emitted: no host namespaces, devices, sockets or annotations
other than the one that switches gVisor's seccomp filter on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.config.model import Config
from sandboxd.config.values import takes_from_host
from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.model.container import Container, Pair
from sandboxd.model.labels import PROFILE, PROJECT
from sandboxd.model.values import Origin, Value
from sandboxd.plan import base as base_config
from sandboxd.plan import controls, profiles
from sandboxd.plan.container_name import container_name
from sandboxd.plan.floor import apply as apply_floor
from sandboxd.plan.floor import runtime as runtime_of
from sandboxd.plan.git_settings import git_settings
from sandboxd.plan.layout import layout, without_control_over
from sandboxd.plan.limits import limits
from sandboxd.plan.mounts import target_folder
from sandboxd.plan.notes import Notes
from sandboxd.plan.plan import Plan
from sandboxd.plan.profiles import Profile
from sandboxd.plan.runtime import Choice, choose
from sandboxd.plan.user import choose_user
from sandboxd.plan.workspace import WorkspaceFacts
from sandboxd.policy.floor import NO_FLOOR, Floor

if TYPE_CHECKING:
    from sandboxd.plan.compose import ComposeProject


class Grants(NamedTuple):
    """Grants of the user for this run, made outside of the repository."""

    allow_runc: bool = False
    trusted: bool = False
    """This very sandboxd.toml may take controls away."""


NO_GRANTS = Grants()


def make_plan(
    config: Config,
    host: HostFacts,
    base: Container | None,
    workspace: WorkspaceFacts,
    grants: Grants = NO_GRANTS,
    floor: Floor = NO_FLOOR,
    project: ComposeProject | None = None,
) -> Plan:
    """The sandbox for the project at `workspace.path`.

    `base` is the container of a hand-written devcontainer.json, None if there is none; `project`
    the Compose project that it is a service of.

    :raises UsageError: the config asks for what its profile does not allow
    :raises EnvironmentFailure: the host cannot enforce what the profile needs
    """
    profile = profiles.load(config.profile.value)
    profile, config = apply_floor(profile, config, floor, grants.trusted)
    notes = Notes(profile.name)
    allow_runc = grants.allow_runc and not (floor.no_runc_grant or floor.gvisor)
    asked = runtime_of(profile, config, floor, host, grants.trusted, allow_runc)
    choice = choose(profile, asked, host, allow_runc, notes)
    if base is not None:
        base = _usable(base, profile, notes)
    target = target_folder(workspace.path)
    file = profile.seccomp_runsc if choice.gvisor else profile.seccomp_runc
    seccomp = profiles.seccomp_path(file)
    if seccomp and not controls.seccomp_works(profile, choice, host, notes):
        seccomp = ""
    apparmor = controls.apparmor_profile(profile, choice, host, notes)
    user = choose_user(profile, config, base, host, workspace, notes)
    shared = {setting.value for setting in config.wishes.shared_volumes}
    taken = base_config.mounts(base, workspace.path, target, shared, notes) if base else ()
    covered = frozenset(mount.value.target for mount in taken)
    places = layout(profile, workspace, choice, user, config.wishes, covered, notes)
    bound = limits(profile, choice, host, notes)
    env = (*_environment(config, base, notes), *places.env)
    container = Container(
        name=container_name(workspace.path),
        place=None,
        image=_image(config, base, notes),
        runtime=_runtime(choice, notes),
        user=user,
        cap_drop=tuple(
            notes.value("cap_drop", cap, cap, "every capability not given back is taken")
            for cap in profile.cap_drop
        ),
        cap_add=controls.capabilities(profile, config, notes),
        security_opt=controls.security_options(profile, seccomp, apparmor, notes),
        network=controls.network(profile, config, base, notes),
        mounts=(*places.first, *taken, *places.last),
        read_only_rootfs=places.read_only_root
        or (_switch("read_only_rootfs", base.read_only_rootfs, notes) if base else None),
        init=_switch("init", base.init, notes) if base else None,
        env=(*env, *git_settings(choice, env, _roots_copy(profile, user, target), notes)),
        annotations=controls.gvisor_annotations(choice, seccomp, notes),
        labels=_labels(workspace.path, profile),
        memory=bound.memory,
        cpus=bound.cpus,
        pids_limit=bound.pids,
        ulimits=bound.ulimits,
        log_driver=bound.log_driver,
        log_options=bound.log_options,
        command=places.command,
        stop_signal=places.stop_signal,
        working_dir=notes.value("working_dir", target, target, "the workspace"),
    )
    if base is not None and project is not None:
        no_network = container.network is not None and container.network.value == "none"
        from sandboxd.plan import compose

        project = compose.beside(project, profile, no_network, base, workspace, notes)
    brought = base_config.say_brought(notes)
    controls.say_what_stays_open(profile, choice, host, container, notes)
    return Plan(
        workspace=workspace.path,
        profile=profile.name,
        container=container,
        reasons=tuple(notes.reasons),
        downgrades=tuple(notes.downgrades),
        seccomp_path=seccomp,
        control_files=workspace.existing_control_files,
        left_out=tuple(notes.left_out),
        gvisor=choice.gvisor,
        stubs=places.stubs,
        prepare=places.prepare,
        compose=project,
        brought=brought,
    )


def _usable(base: Container, profile: Profile, notes: Notes) -> Container:
    """The hand-written container without what may not count in a plan."""
    # Late: it brings the reader of YAML along.
    from sandboxd.plan import compose

    base_config.leave_out(base, notes)
    base = compose.without_host_variables(base, notes)
    return without_control_over(base, notes) if profile.read_only_root else base


def _image(config: Config, base: Container | None, notes: Notes) -> Value[str] | None:
    if config.image is not None:
        image = config.image.value
        _require_name(image)
        return notes.value("image", image, image, "asked for", "config", config.image.place)
    if base is None:
        raise UsageError(
            "no image is named",
            '`sandboxd init` writes a sandboxd.toml that names one; in yours it is `image = "..."`',
        )
    if base.image is None:
        return None
    image = base.image.value
    _require_name(image)
    return notes.value("image", image, image, "from your config", "config", base.image.place)


def _roots_copy(profile: Profile, user: Value[str] | None, target: str) -> str:
    """The folder of a copy for a user of no number: only the engine's root can own it then."""
    numbered = user is not None and user.value.partition(":")[0].isdigit()
    return target if profile.access == "copy" and not numbered else ""


def _require_name(image: str) -> None:
    """Refuse a text that a tool would take for something else than an image.

    A registry is told the whole name, so no variable of the host may be in it.
    """
    hint = 'write the name of an image: `image = "..."` in sandboxd.toml'
    if image.startswith("-"):
        raise UsageError(f"the image `{image}` would be taken for an option of docker", hint)
    if takes_from_host(image):
        raise UsageError(f"the image `{image}` names a variable of the host, maybe a secret", hint)


def _runtime(choice: Choice, notes: Notes) -> Value[str] | None:
    if not choice.name:
        notes.value("runtime", "", "the engine's default", choice.why, choice.decided_by)
        return None
    return notes.value("runtime", choice.name, choice.name, choice.why, choice.decided_by)


def _environment(config: Config, base: Container | None, notes: Notes) -> tuple[Value[Pair], ...]:
    chosen = {v.value.name: v for v in (base_config.environment(base, notes) if base else ())}
    for setting in config.environment:
        name, value = setting.value
        chosen[name] = notes.value(
            "env", Pair(name, value), name, "asked for", "config", setting.place
        )
    return tuple(chosen.values())


def _switch(field: str, value: Value[bool] | None, notes: Notes) -> Value[bool] | None:
    """A switch of the hand-written config that can only tighten."""
    if value is None or not value.value:
        return None
    return notes.value(field, True, "true", "from your config", "config", value.place)


def _labels(workspace: str, profile: Profile) -> tuple[Value[Pair], ...]:
    pairs = (
        Pair(PROJECT, workspace),
        Pair(PROFILE, profile.name),
    )
    origin = Origin("plan", f"profile {profile.name}", "labels")
    return tuple(Value(pair, origin) for pair in pairs)
