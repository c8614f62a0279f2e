"""The decisions of a plan: profile, runtime, filters and user, before the container is made.

If a control cannot be enforced, the plan is refused when the profile needs it; otherwise it is a named downgrade.
"""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.config.model import Config
from sandboxd.config.values import takes_from_host
from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.model.container import Container
from sandboxd.model.control_name import ControlName
from sandboxd.model.values import Value
from sandboxd.plan import base as base_config
from sandboxd.plan import chosen_limits, controls, nested, network, profiles
from sandboxd.plan.base import has_roots_group, is_root
from sandboxd.plan.floor import apply as apply_floor
from sandboxd.plan.floor import runtime as runtime_of
from sandboxd.plan.grants import Grants
from sandboxd.plan.layout import without_control_over
from sandboxd.plan.network import Mode
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.runtime import Choice, choose
from sandboxd.plan.workspace import WorkspaceFacts
from sandboxd.policy.floor import Floor

_IDS = 65536
"""How many ids `userns-remap` maps by default, from root's on."""

_USER = 1000
"""The first user of a distribution, and of most images."""


def choose_user(
    profile: Profile,
    config: Config,
    base: Container | None,
    host: HostFacts,
    workspace: WorkspaceFacts,
    notes: Notes,
) -> Value[str] | None:
    """The user inside: the config's, that of the hand-written file, else the workspace's owner by number.

    :returns: None leaves the user to the image; a downgrade is noted if the profile wants a user other than root
    :raises UsageError: the config asks for root under a profile that does not allow it
    """
    if config.user is not None:
        if profile.user == "non-root" and is_root(config.user.value):
            raise UsageError(
                f"profile `{profile.name}` does not run as root, and sandboxd.toml asks for "
                f"`{config.user.value}`",
                "name another user or take `user` out of sandboxd.toml",
            )
        if profile.user == "non-root" and has_roots_group(config.user.value):
            raise UsageError(
                f"profile `{profile.name}` does not run in root's group, and sandboxd.toml asks for "
                f"`{config.user.value}`",
                'name another group in sandboxd.toml: `user = "1000:1000"`',
            )
        user = _with_group(config.user.value)
        return notes.value("user", user, user, "asked for", "config", config.user.place)
    for written in (base.user, base.remote_user) if base is not None else ():
        if written is None or takes_from_host(written.value):
            continue
        if written.origin.kind in ("label", "feature"):
            # An image's user by name often cannot write the workspace; its owner by number can.
            continue
        if not is_root(written.value) and not has_roots_group(written.value):
            user = _with_group(written.value)
            return notes.value("user", user, user, "from your config", "config", written.place)
    if profile.user == "image":
        return None
    if host.engine is not None and host.engine.rootless:
        notes.downgrade(
            ControlName.NON_ROOT_USER,
            "a rootless engine maps the workspace's owner to root inside; outside it is that user",
        )
        why = "only this user can write the workspace under a rootless engine"
        return notes.value("user", "0:0", "0:0", why, "host")
    if host.engine is not None and host.engine.root_outside is not None:
        owner = workspace.owner_uid or 0, workspace.owner_gid or 0
        return _user_by_map(host.engine.root_outside, *owner, notes)
    if not workspace.owner_uid:
        notes.downgrade(
            ControlName.NON_ROOT_USER,
            "the workspace belongs to root, so the image's own user is kept",
            'give the workspace to a user (`chown -R`), or name one: `user = "..."` in sandboxd.toml',
        )
        return None
    # The owner of the files needs no group of root's to write them.
    user = f"{workspace.owner_uid}:{workspace.owner_gid or workspace.owner_uid}"
    return notes.value("user", user, user, "the owner of the workspace, who is not root", "host")


def _user_by_map(root: tuple[int, int], uid: int, gid: int, notes: Notes) -> Value[str]:
    """The user inside under an engine with `userns-remap`: the workspace's owner, if a user inside is mapped to it.

    :param root: the ids of the host that those of root inside are mapped to; others follow them
    :param uid: the workspace's owner; `gid` its group
    """
    inside, group = uid - root[0], gid - root[1]
    if 0 < inside < _IDS:
        user = f"{inside}:{group if 0 < group < _IDS else inside}"
        return notes.value("user", user, user, "the owner of the workspace, as mapped", "host")
    who = "no user inside" if inside else "only root inside"
    notes.downgrade(
        ControlName.WORKSPACE,
        f"this engine maps users (`userns-remap`), and {who} is user {uid} outside, who owns the folder: what "
        "others may not write cannot be written inside",
        f"`sudo chown -R {root[0] + _USER}:{root[1] + _USER}` on the folder, or an engine without `userns-remap`",
    )
    why = "a user who is not root; the workspace's owner is none inside"
    return notes.value("user", f"{_USER}:{_USER}", f"{_USER}:{_USER}", why, "host")


def _with_group(user: str) -> str:
    """A numeric user with a group: an engine gives root's group to a user that the image does not list.

    Engines take digits other than ASCII's for a name.
    """
    return f"{user}:{user}" if user.isascii() and user.isdecimal() else user


class Decisions(NamedTuple):
    """The decisions from which the container is made.

    `profile` and `config` are limited by the policy minimum and the user's grants; `base` is the hand-written container
    without what may not be taken over, None if there is none. `seccomp` is the path of a shipped profile and `apparmor`
    the name of one, '' for the engine's default. `user` is None if it is left to the image; `network` is what was
    decided for `sandboxd up`.
    """

    profile: Profile
    config: Config
    choice: Choice
    base: Container | None
    seccomp: str
    apparmor: str
    user: Value[str] | None
    network: Mode


def make_decisions(
    profile: Profile,
    config: Config,
    host: HostFacts,
    base: Container | None,
    workspace: WorkspaceFacts,
    grants: Grants,
    floor: Floor,
    notes: Notes,
) -> Decisions:
    """Decide what `config` gets on `host`; downgrades and parts that are left out are added to `notes`.

    :raises UsageError: the config asks for something that its profile does not allow
    :raises EnvironmentFailure: the host cannot enforce something that the profile needs
    """
    own = profile
    profile, config = apply_floor(profile, config, floor, grants.trusted, workspace.hosts)
    notes.limits = chosen_limits.deciders(own, profile, config)
    choice = _runtime(profile, config, host, grants, floor, notes)
    if base is not None:
        base = _usable(base, profile, notes)
    seccomp = _seccomp(profile, config, choice, host, notes)
    apparmor = controls.apparmor_profile(profile, choice, host, notes)
    if nested.is_wanted(config):
        nested.say(choice, host, notes)
    user = choose_user(profile, config, base, host, workspace, notes)
    mode = network.mode(profile, config, base)
    return Decisions(profile, config, choice, base, seccomp, apparmor, user, mode)


def _runtime(
    profile: Profile, config: Config, host: HostFacts, grants: Grants, floor: Floor, notes: Notes
) -> Choice:
    allow_runc = grants.allow_runc and not (floor.no_runc_grant or floor.gvisor)
    setting = runtime_of(profile, config, floor, host, grants.trusted, allow_runc)
    return choose(profile, setting, host, allow_runc, notes)


def _usable(base: Container, profile: Profile, notes: Notes) -> Container:
    """The hand-written container without what may not count in a plan."""
    # Late: it brings the reader of YAML along.
    from sandboxd.plan import compose

    base_config.leave_out(base, notes)
    base = compose.without_host_variables(base, notes)
    return without_control_over(base, notes) if profile.read_only_root else base


def _seccomp(
    profile: Profile, config: Config, choice: Choice, host: HostFacts, notes: Notes
) -> str:
    runc, runsc = profile.seccomp_runc, profile.seccomp_runsc
    if nested.is_wanted(config):
        runc, runsc = profile.nested_runc, profile.nested_runsc
    path = profiles.seccomp_path(runsc if choice.gvisor else runc)
    if not path and not choice.gvisor:
        controls.note_default_filter(host, notes)
    return path if path and controls.seccomp_works(profile, choice, host, notes) else ""
