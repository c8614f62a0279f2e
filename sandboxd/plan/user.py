"""Chooses the user inside."""

from __future__ import annotations

from sandboxd.config.model import Config
from sandboxd.config.values import takes_from_host
from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.model.container import Container
from sandboxd.model.values import Value
from sandboxd.plan.base import has_roots_group, is_root
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.workspace import WorkspaceFacts


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
            "non-root user",
            "a rootless engine maps the workspace's owner to root inside; outside it is that user",
        )
        why = "only this user can write the workspace under a rootless engine"
        return notes.value("user", "0:0", "0:0", why, "host")
    if not workspace.owner_uid:
        notes.downgrade(
            "non-root user",
            "the workspace belongs to root, so the image's own user is kept",
            'give the workspace to a user (`chown -R`), or name one: `user = "..."` in sandboxd.toml',
        )
        return None
    # The owner of the files needs no group of root's to write them.
    user = f"{workspace.owner_uid}:{workspace.owner_gid or workspace.owner_uid}"
    return notes.value("user", user, user, "the owner of the workspace, who is not root", "host")


def _with_group(user: str) -> str:
    """A numeric user with a group: an engine gives root's group to a user that the image does not list.

    Engines take digits other than ASCII's for a name.
    """
    return f"{user}:{user}" if user.isascii() and user.isdecimal() else user
