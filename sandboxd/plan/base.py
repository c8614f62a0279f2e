"""Decides which parts of a hand-written config the plan takes over and which it leaves out, each with the reason."""

from __future__ import annotations

import posixpath
from collections.abc import Collection

from sandboxd.config.values import takes_from_host
from sandboxd.errors import UsageError
from sandboxd.model.container import Container, Mount, Pair
from sandboxd.model.control_name import ControlName
from sandboxd.model.feature import asks
from sandboxd.model.values import Origin, Value
from sandboxd.plan.layout import SOURCE
from sandboxd.plan.notes import Notes
from sandboxd.plan.reasons import Addition
from sandboxd.plan.volumes import own_name
from sandboxd.plan.workspace import WorkspaceFacts

_OWN_FOLDER = posixpath.dirname(SOURCE)

_HARMLESS_NETWORKS = ("", "default", "bridge", "none")

_FROM_HOST = "it copies a variable of the host, maybe a secret, into the sandbox"

_APP_PORT = (
    "not published, since other machines could reach it: `sandboxd up` forwards it to this machine alone, an "
    "editor what `forwardPorts` names"
)

# Field of Container -> why sandboxd does not take it over.
_NEVER: dict[str, str] = {
    "cap_add": "capabilities come from the profile; ask for more in sandboxd.toml: `[capabilities] add`",
    "security_opt": "security options come from the profile",
    "annotations": "annotations can reopen the host to a gVisor sandbox",
    "devices": "a device of the host is outside every other control",
    "runtime": "sandboxd chooses the runtime",
    "pid": "the host's or another container's processes could be seen and signalled",
    "ipc": "shared memory of the host or of another container could be read",
    "uts": "the host's name could be changed",
    "userns": "user ids would be the host's",
    "cgroupns": "the host's control groups could be seen",
    "ports": "published ports are reachable from other machines; `sandboxd forward` opens ports on this one "
    "alone, and an editor those of `forwardPorts`",
    "host_commands": "it runs on the host, before there is a sandbox",
    "ulimits": "limits come from the profile",
    "memory": "limits come from the profile",
    "pids_limit": "limits come from the profile",
    "cpus": "limits come from the profile",
}


def leave_out(base: Container, notes: Notes) -> None:
    """Note every setting of `base` that is not taken over, because it would weaken the sandbox or the profile decides
    it.
    """
    if base.privileged is not None and base.privileged.value:
        setting = base.privileged
        if setting.origin.key == "runArgs":
            setting = setting._replace(written="--privileged")
        notes.leave_out(setting, "it switches off every control of the sandbox")
    for field, why in _NEVER.items():
        setting = getattr(base, field)
        # A `Value` is a tuple, too.
        values = (setting,) if isinstance(setting, Value) else setting or ()
        for value in values:
            if value.origin.key == "appPort":
                notes.leave_out(value, _APP_PORT, of_other_tools=True)
            else:
                notes.leave_out(value, why)
    if base.network is not None and not is_harmless_network(base.network.value):
        notes.leave_out(base.network, "it shares the network of the host or of other containers")
    for user in (base.user, base.remote_user):
        if user is not None and user.origin.kind in ("label", "feature"):
            # The plan names a user of its own, and that goes before it.
            continue
        if user is not None and takes_from_host(user.value):
            notes.leave_out(user, _FROM_HOST)
        elif user is not None and is_root(user.value):
            notes.leave_out(user, "root inside is one kernel bug away from root outside")
        elif user is not None and has_roots_group(user.value):
            notes.leave_out(
                user, "a file of root's group in the workspace can give that group away"
            )
    if (own := _other_user(base)) is not None and base.remote_user is not None:
        notes.leave_out(base.remote_user, f"the sandbox has one user, `{own}` of `containerUser`")
    for use in base.features:
        # The settings of well-known Features, whose own files are not read.
        for item in asks(use.value) or ():
            origin = Origin("feature", use.written or use.value.id, "")
            notes.brought.setdefault(origin, []).append(f"`{item}`")
    for unseen in base.unseen:
        if unseen.source == "compose":
            raise UsageError(
                f"the project's Compose files are not all seen: {unseen.reason}",
                unseen.hint or "name an image in sandboxd.toml to run without Compose",
            )
        if unseen.source == "features":
            fix = "`sandboxd drift` compares the running container with the plan"
            notes.unread.append(Addition(unseen.reason, fix))
            notes.downgrade(
                ControlName.FEATURES,
                f"{unseen.reason}: the dev container CLI puts it into the container all the same",
                fix,
            )


def _other_user(base: Container) -> str | None:
    """The `containerUser`, if the sandbox uses it instead of the `remoteUser`; else None."""
    user, remote = base.user, base.remote_user
    if user is None or remote is None or user.value == remote.value:
        return None
    for value in (user, remote):
        is_ours = value.origin.kind not in ("label", "feature")
        if (
            not is_ours
            or takes_from_host(value.value)
            or is_root(value.value)
            or has_roots_group(value.value)
        ):
            return None
    return user.value


def say_brought(notes: Notes) -> tuple[Addition, ...]:
    """Note what the image's label or Features would add and `sandboxd up` does not, and return it.

    A source that was not read is one of them.
    """
    additions = []
    for origin, items in notes.brought.items():
        what = f"{origin.describe()} brings {', '.join(items)}"
        fix = _without_label(origin.name) if origin.kind == "label" else "take the Feature out"
        notes.downgrade(
            ControlName.IMAGE_LABEL if origin.kind == "label" else ControlName.FEATURES,
            f"{what}: an editor or the dev container CLI adds it to the sandbox, `sandboxd up` does not",
            fix,
        )
        additions.append(Addition(what, fix))
    return (*additions, *notes.unread)


def _without_label(image: str) -> str:
    """The step, for a person, by which the image's label no longer counts.

    A label in the project's own Dockerfile would not do: tools read that of the image in `FROM`.
    """
    import shlex

    lines = shlex.quote(f"FROM {image}\\nLABEL devcontainer.metadata=[]\\n")
    return f'`printf {lines} | docker build -t plain-image -`, then `image = "plain-image"` in sandboxd.toml'


def is_harmless_network(mode: str) -> bool:
    """Whether a network mode gives the container no more than a bridge network of its own."""
    return mode in _HARMLESS_NETWORKS


def is_root(user: str) -> bool:
    """Whether a `user` or `user:group` is the superuser; `+0` counts, as engines read it as 0."""
    return _is_roots(user.partition(":")[0])


def has_roots_group(user: str) -> bool:
    """Whether the group of a `user:group` is the superuser's.

    With it, a program inside could leave a setgid file in the workspace, which gives that group to whoever runs it on
    the host.
    """
    _, colon, group = user.partition(":")
    return bool(colon) and _is_roots(group)


def _is_roots(name: str) -> bool:
    name = name.strip()
    number = name[1:] if name[:1] in ("+", "-") else name
    return name == "root" or (number.isdecimal() and int(number) == 0)


def mounts(
    base: Container, workspace: WorkspaceFacts, occupied: str, shared: Collection[str], notes: Notes
) -> tuple[Value[Mount], ...]:
    """The mounts of `base` that reach no file of the host.

    :param occupied: the path of the workspace inside
    :param shared: names of volumes that the project may share with other projects
    """
    values = []
    for value in base.mounts:
        if value.origin.key == "workspaceMount" and _is_workspace(value.value, workspace.path):
            continue
        why = _mount_objection(value.value, workspace.path, occupied)
        if not why and value.origin.kind in ("label", "feature"):
            continue
        if why:
            notes.leave_out(value, why)
        else:
            mount = value.value
            item = f"{mount.target} ({mount.type})"
            why = "reaches nothing of the host"
            if mount.type == "volume" and mount.source:
                own = own_name(mount.source, workspace.sandbox, shared)
                why = (
                    "reaches no folder of the host; every project of this engine that names the "
                    f"volume `{mount.source}` shares what is in it"
                    if own == mount.source
                    else f"reaches no folder of the host; `{mount.source}` of your config, as a "
                    "volume of this project alone"
                )
                mount = mount._replace(source=own)
            values.append(notes.value("mounts", mount, item, why, "config", value.place))
    return tuple(values)


def _is_workspace(mount: Mount, workspace: str) -> bool:
    return mount.source.rstrip("/") in ("${localWorkspaceFolder}", workspace)


def _mount_objection(mount: Mount, workspace: str, occupied: str) -> str:
    if mount.type == "bind":
        if _is_workspace(mount, workspace) or mount.source.startswith(workspace + "/"):
            return "a second way to the workspace goes around its pins"
        return (
            "host folders outside the workspace do not enter; `[workspace] folders` in sandboxd.toml has one read "
            "inside"
        )
    if mount.type not in ("tmpfs", "volume"):
        return f"sandboxd does not know mounts of type `{mount.type}`"
    if takes_from_host(" ".join((mount.source, mount.target, *mount.options))):
        return _FROM_HOST
    if mount.type == "volume" and mount.source.startswith("sandboxd-"):
        return "sandboxd's own volumes are folders of the host, of other projects among them"
    if any(
        option.startswith("volume-opt=")
        or (option.startswith("volume-driver=") and option != "volume-driver=local")
        for option in mount.options
    ):
        return "a volume with a driver, or options for one, can be any folder of the host"
    options = mount.options if mount.type == "volume" else ()
    if {",", '"', "\n"}.intersection("".join((mount.source, mount.target, *options))):
        return "tools that take mounts apart at commas would find another one in it"
    # An engine takes a path apart before it compares.
    target = posixpath.normpath("/" + mount.target.lstrip("/"))
    if target == occupied or target.startswith(occupied + "/.git"):
        return "it would cover the workspace or its pins"
    if f"{target}/".startswith(f"{_OWN_FOLDER}/"):
        return "the original of a private copy, and the mark that it is whole, are there"
    return ""


def environment(base: Container, notes: Notes) -> tuple[Value[Pair], ...]:
    """The environment variables of `base` that take no value from the host."""
    values = []
    for value in base.env:
        if takes_from_host(value.value.value):
            notes.leave_out(value, _FROM_HOST)
        else:
            values.append(
                notes.value(
                    "env", value.value, value.value.name, "from your config", "config", value.place
                )
            )
    return tuple(values)
