"""Makes the container of a plan from the decisions.

Nothing that reopens the host is ever emitted: no host namespaces, sockets, devices other than graphics
processors by grant, or annotations other than the one that switches gVisor's seccomp filter on.
"""

from __future__ import annotations

from sandboxd.config.model import Config
from sandboxd.config.values import takes_from_host
from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.model.container import Container, Mount, Pair
from sandboxd.model.labels import PROFILE, PROJECT
from sandboxd.model.values import Origin, Value
from sandboxd.plan import base as base_config
from sandboxd.plan import controls, extra_folders, network, network_ca
from sandboxd.plan.capabilities import capabilities
from sandboxd.plan.container_name import container_name
from sandboxd.plan.decisions import Decisions
from sandboxd.plan.git_settings import git_settings
from sandboxd.plan.gpus import gpus
from sandboxd.plan.layout import Layout, layout
from sandboxd.plan.limits import limits
from sandboxd.plan.mounts import target_folder
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.runtime import Choice
from sandboxd.plan.workspace import WorkspaceFacts


def make_container(
    decisions: Decisions, host: HostFacts, workspace: WorkspaceFacts, notes: Notes
) -> tuple[Container, Layout]:
    """The container for the project at `workspace.path`, and the layout of its writable folders.

    Reasons are added to `notes` in the order of the calls here.
    """
    profile, config, choice, base, seccomp, apparmor, user, mode = decisions
    target = target_folder(workspace.path)
    mounts, places = _places(decisions, workspace, target, notes)
    bound = limits(profile, choice, host, notes)
    env = (*_environment(config, base, notes), *places.env)
    env = network_ca.with_variables(env, workspace.network_ca, notes)
    container = Container(
        name=container_name(workspace.sandbox),
        place=None,
        image=_image(config, base, notes),
        runtime=_runtime(choice, notes),
        user=user,
        cap_drop=_dropped_capabilities(profile, notes),
        cap_add=capabilities(profile, config, notes),
        security_opt=controls.security_options(profile, seccomp, apparmor, notes),
        network=network.without_gateway(profile, mode, network.inner(mode, workspace), notes),
        mounts=mounts,
        read_only_rootfs=places.read_only_root
        or (_switch("read_only_rootfs", base.read_only_rootfs, notes) if base else None),
        init=_switch("init", base.init, notes) if base else None,
        env=(*env, *git_settings(choice, env, _roots_copy(profile, user, target), notes)),
        annotations=controls.gvisor_annotations(choice, seccomp, notes),
        labels=_labels(workspace.sandbox, profile),
        memory=bound.memory,
        cpus=bound.cpus,
        pids_limit=bound.pids,
        ulimits=bound.ulimits,
        gpus=gpus(config, base, choice, host, notes),
        log_driver=bound.log_driver,
        log_options=bound.log_options,
        command=places.command,
        stop_signal=places.stop_signal,
        working_dir=notes.value("working_dir", target, target, "the workspace"),
    )
    return container, places


def _places(
    decisions: Decisions, workspace: WorkspaceFacts, target: str, notes: Notes
) -> tuple[tuple[Value[Mount], ...], Layout]:
    """All mounts in the order to make them, and the layout that some of them are of."""
    profile, config, choice, base, _, _, user, _ = decisions
    shared = {setting.value for setting in config.wishes.shared_volumes}
    own = base_config.mounts(base, workspace, target, shared, notes) if base else ()
    covered = frozenset(mount.value.target for mount in own)
    places = layout(profile, workspace, choice, user, config.wishes, covered, notes)
    authorities = network_ca.mounts(workspace.network_ca, notes)
    before = (*places.first, *own, *places.last, *authorities)
    occupied = [mount.value.target for mount in before]
    extra = extra_folders.mounts(decisions, workspace, occupied, notes)
    return (*before, *extra), places


def _dropped_capabilities(profile: Profile, notes: Notes) -> tuple[Value[str], ...]:
    why = "every capability not given back is taken"
    return tuple(notes.value("cap_drop", cap, cap, why) for cap in profile.cap_drop)


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
    """The folder of a private copy for a user without a known number: the engine can only make it root's."""
    numbered = user is not None and user.value.partition(":")[0].isdigit()
    return target if profile.access == "copy" and not numbered else ""


def _require_name(image: str) -> None:
    """Refuse a text that a tool would take for something else than an image.

    The whole name is sent to a registry, so no variable of the host may be in it.
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


def _labels(sandbox: str, profile: Profile) -> tuple[Value[Pair], ...]:
    pairs = (
        Pair(PROJECT, sandbox),
        Pair(PROFILE, profile.name),
    )
    origin = Origin("plan", f"profile {profile.name}", "labels")
    return tuple(Value(pair, origin) for pair in pairs)
