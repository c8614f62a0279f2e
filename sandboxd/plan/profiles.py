"""The hardening profiles, read from `profiles/hardening/*.toml`: to add one, add a file."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.config.values import profile_names
from sandboxd.data import data_path
from sandboxd.errors import UsageError
from sandboxd.model.control_name import ControlName

if TYPE_CHECKING:
    from collections.abc import Mapping

NETWORK_STRENGTH = ("none", "allow", "open")
"""The network modes, strictest first."""


class Fault(NamedTuple):
    """A known weakness of a profile; `runtime` is ``runc``, ``runsc`` or '' for both."""

    control: ControlName
    runtime: str
    why: str
    fix: str


class Network(NamedTuple):
    """The network settings of a profile. A mode is ``none``, ``allow`` (names, through a gateway) or ``open``."""

    mode: str = "none"
    allow: tuple[str, ...] = ()
    """Groups, hosts and wildcards, as `[network] allow` of a sandboxd.toml has them."""
    by_files: bool = False
    """Whether the shipped groups that the project's files select are allowed, too."""
    loosest: str = "none"
    """The loosest mode that a trusted sandboxd.toml may choose."""
    without_gateway: str = "none"
    """The mode for a sandbox of the mode ``allow`` that is started by a tool that makes no gateway."""
    canary: bool = False
    """Whether a honeytoken (a host name and a token) is put inside."""


class Profile(NamedTuple):
    """The rights of a sandbox for one purpose.

    `gvisor` is ``preferred``, ``required`` or ``on request``; `user` is ``non-root`` or ``image``. The seccomp fields
    name files of `profiles/seccomp`, `apparmor` a profile of `profiles/apparmor`; '' means the engine's default, but in
    `nested_runc` and `nested_runsc` that `nested_sandbox` is refused. An empty `memory`, `cpus` or `time`, and 0 in
    `processes`, mean no limit; `cpus` is a number of processors (``1.5``), or a share of those of the engine (``50%``).
    With `read_only_root`, `home` and `tmp` are the sizes of these folders in memory. `access` to the workspace is
    ``rw``, ``ro`` or ``copy``, a copy of at most the size `copy`. `needs_grant`: a sandboxd.toml cannot choose the
    profile without the user's grant.
    """

    name: str
    purpose: str
    gvisor: str
    cap_drop: tuple[str, ...]
    cap_add: tuple[str, ...]
    cap_may_add: tuple[str, ...]
    no_new_privileges: bool
    user: str
    seccomp_runc: str
    seccomp_runsc: str
    nested_runc: str
    nested_runsc: str
    network: Network
    memory: str
    processes: int
    control_files: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    needs_grant: bool = False
    apparmor: str = ""
    time: str = ""
    read_only_root: bool = False
    home: str = ""
    tmp: str = ""
    access: str = "rw"
    copy: str = ""
    synced: bool = False
    """Whether `sandboxd up` works on a copy of the workspace that is kept the same; `access` is ``rw``, as other tools
    that start it work on the folder itself.
    """
    hot: str = ""
    """The size of each folder that is mounted as tmpfs under gVisor; '' if none is."""
    cpus: str = ""
    log: str = ""
    """The maximum size of the container's log (``10m``); '' for no limit."""
    gpus: bool = False
    """Whether the user can grant it access to graphics processors."""
    hooks: bool = False
    """Whether `sandboxd up` runs the lifecycle hooks of the config, of its Features and of its image."""
    lasts: bool = False
    """Whether a private copy and its home, and the tools' caches, are in volumes that outlive the container."""
    git_identity: bool = False
    """Whether commits made inside have the user's name and e-mail."""
    hide_secrets: bool = False
    """Whether files that look like a secret and that git does not track stay out of the sandbox."""
    left_open: tuple[str, ...] = ()
    """Files on which tools of the host act and that stay writable nevertheless: patterns of names, and groups of
    `policy.acts_on_host`.
    """

    @property
    def pins(self) -> bool:
        """Whether the profile makes anything in the workspace read-only inside."""
        return bool(self.control_files)


def names() -> tuple[str, ...]:
    """Names of all shipped profiles."""
    return profile_names()


def load(name: str) -> Profile:
    """Read the shipped profile `name`.

    :raises UsageError: there is no such profile
    """
    names = profile_names()
    if name not in names:
        raise UsageError(
            f"there is no profile `{name}`", "choose one of " + ", ".join(f"`{n}`" for n in names)
        )
    path = data_path("profiles", "hardening", name + ".toml")
    # A daemon plans many projects of one profile, and an update may replace the file meanwhile.
    return _read(name, path, os.stat(path).st_mtime_ns)


@functools.cache
def _read(name: str, path: str, _changed: int) -> Profile:
    import tomllib

    with open(path, "rb") as file:
        return _profile(name, tomllib.load(file))


def is_looser(mode: str, other: str) -> bool:
    """Whether the network mode `mode` allows more than `other`."""
    return NETWORK_STRENGTH.index(mode) > NETWORK_STRENGTH.index(other)


def seccomp_path(file: str) -> str:
    """The absolute path of a shipped seccomp profile; '' if `file` is '', which means the engine's default."""
    return data_path("profiles", "seccomp", file) if file else ""


# Every table and key a profile must have: a typo in a profile must not silently loosen it.
_SCHEMA: dict[str, set[str]] = {
    "trust": {"needs_grant"},
    "runtime": {"gvisor"},
    "capabilities": {"drop", "add", "may_add"},
    "privileges": {"no_new_privileges", "user"},
    "seccomp": {"runc", "runsc", "nested_runc", "nested_runsc"},
    "apparmor": {"runc"},
    "network": {"mode", "allow", "by_files", "loosest", "without_gateway", "canary"},
    "devices": {"gpus"},
    "limits": {"memory", "processes", "cpus", "time", "log"},
    "filesystem": {"root", "home", "tmp"},
    "lifecycle": {"hooks"},
    "git": {"identity"},
    "workspace": {"access", "copy", "hot", "lasts", "hide_secrets", "control_files", "left_open"},
}


def _profile(name: str, data: dict[str, Any]) -> Profile:
    extra = data.keys() - _SCHEMA.keys() - {"purpose", "fault"}
    wrong = [key for key, keys in _SCHEMA.items() if data.get(key, {}).keys() != keys]
    if extra or wrong:
        raise ValueError(f"profile {name}: unknown or incomplete tables {sorted({*extra, *wrong})}")
    capabilities, privileges = data["capabilities"], data["privileges"]
    return Profile(
        name=name,
        purpose=data["purpose"],
        gvisor=_one_of(data["runtime"]["gvisor"], "preferred", "required", "on request"),
        cap_drop=tuple(capabilities["drop"]),
        cap_add=tuple(capabilities["add"]),
        cap_may_add=tuple(capabilities["may_add"]),
        no_new_privileges=privileges["no_new_privileges"],
        user=_one_of(privileges["user"], "non-root", "image"),
        seccomp_runc=data["seccomp"]["runc"],
        seccomp_runsc=data["seccomp"]["runsc"],
        nested_runc=data["seccomp"]["nested_runc"],
        nested_runsc=data["seccomp"]["nested_runsc"],
        network=_network(data["network"]),
        memory=data["limits"]["memory"],
        processes=data["limits"]["processes"],
        control_files=tuple(data["workspace"]["control_files"]),
        left_open=tuple(data["workspace"]["left_open"]),
        hide_secrets=data["workspace"]["hide_secrets"],
        faults=tuple(_fault(fault) for fault in data.get("fault", ())),
        needs_grant=data["trust"]["needs_grant"],
        apparmor=data["apparmor"]["runc"],
        time=data["limits"]["time"],
        read_only_root=_one_of(data["filesystem"]["root"], "rw", "ro") == "ro",
        home=data["filesystem"]["home"],
        tmp=data["filesystem"]["tmp"],
        access=_one_of(data["workspace"]["access"], "rw", "ro", "copy"),
        copy=data["workspace"]["copy"],
        hot=data["workspace"]["hot"],
        cpus=_processors(data["limits"]["cpus"]),
        log=data["limits"]["log"],
        gpus=data["devices"]["gpus"],
        hooks=data["lifecycle"]["hooks"],
        git_identity=data["git"]["identity"],
        lasts=data["workspace"]["lasts"],
    )


def _fault(data: Mapping[str, str]) -> Fault:
    return Fault(ControlName(data["control"]), data["runtime"], data["why"], data["fix"])


def _network(data: dict[str, Any]) -> Network:
    for key in ("mode", "loosest"):
        _one_of(data[key], *NETWORK_STRENGTH)
    _one_of(data["without_gateway"], "none", "open")
    return Network(**{**data, "allow": tuple(data["allow"])})


def _processors(value: str) -> str:
    if value and not 0 < float(value.removesuffix("%")) <= (100 if value[-1] == "%" else 1024):
        raise ValueError(f"`{value}` is neither a number of processors nor a share of them")
    return value


def _one_of(value: str, *allowed: str) -> str:
    if value not in allowed:
        raise ValueError(f"`{value}` is none of {allowed}")
    return value
