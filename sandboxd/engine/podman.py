"""Translates between Docker's engine API, which all other code uses, and Podman's variant of it.

Podman's service takes requests as Docker does but reads some values otherwise (a seccomp filter is a path on its own
machine, a tmpfs without a mode is closed for everybody), and describes a container in other terms. A description is
translated only where both terms mean the same.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, Any, cast

from sandboxd.errors import EnvironmentFailure, UnreadableError
from sandboxd.files import read_bytes, write_private
from sandboxd.folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from docker.api.client import APIClient

    from sandboxd.model.engine_answers import CreateRequest, HostConfig, Inspected, MountRequest

_SECCOMP = "seccomp="
_OPEN_TO_ALL = 0o1777
# Notes of Podman's own on each container; they ask for nothing.
_NOTES = (
    "io.container.manager",
    "io.podman.annotations.pids-limit",
    "io.podman.annotations.seccomp",
    "org.opencontainers.image.stopSignal",
    "org.systemd.property.KillSignal",
    "org.systemd.property.TimeoutStopUSec",
)
NO_ADDRESS = "<nil>"
"""What it says to Docker's clients where there is no address."""

_DEFAULT_NETWORK = "podman"
_OWN_MODES = ("default", "bridge", "none", "host", "private", "pasta", "slirp4netns")
_NO_IPV6 = {"net.ipv6.conf.eth0.disable_ipv6": "1", "net.ipv6.conf.default.disable_ipv6": "1"}
_UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3}


def signs(signature: str) -> bool:
    """Whether the header `Server` of an answer is Podman's."""
    return signature.startswith("Libpod/")


def identity(info: Mapping[str, Any]) -> str:
    """An id that is the same in all answers of one Podman, whose service makes up another `ID` for each.

    The escape attempt `engine-socket` computes it inside in the same way.

    :param info: the answer to `/info`
    """
    text = f"{info.get('Name')}\0{info.get('DockerRootDir')}"
    return hashlib.sha256(text.encode()).hexdigest()


_LIMITS = {"memory": "MemoryLimit", "pids": "PidsLimit", "cpu": "CpuCfsQuota"}
"""The controllers of limits, each with the field of `/info` that says whether the engine can enforce the limit."""


def controllers(session: APIClient) -> frozenset[str] | None:
    """The controllers of cgroup version 2 that Podman may use; None with version 1, or where it does not tell."""
    response = session._get(session._url("/libpod/info"))
    if response.status_code != 200:
        return None
    answer = response.json()
    host = answer.get("host") if isinstance(answer, dict) else None
    names = host.get("cgroupControllers") if isinstance(host, dict) else None
    if not isinstance(host, dict) or host.get("cgroupVersion") != "v2":
        return None
    return frozenset(map(str, names)) if isinstance(names, list) else None


def info(answer: Mapping[str, Any], there: frozenset[str] | None = None) -> dict[str, Any]:
    """The answer to `/info` with one `ID`, and with the limits that this Podman enforces, not those of its machine.

    :param there: its `controllers`; Podman 6.1 says that it can limit processes where it has no controller for them
    """
    options = answer.get("SecurityOptions") or []
    if answer.get("CgroupVersion") == "1" and "name=rootless" in options:
        # "Resource limits are not supported and ignored on cgroups V1 rootless systems", its log says then.
        answer = {**answer, "MemoryLimit": False, "PidsLimit": False, "CpuCfsQuota": False}
    without = {_LIMITS[name]: False for name in _lacking(there)}
    return {**answer, **without, "ID": identity(answer)}


def _lacking(there: frozenset[str] | None) -> set[str]:
    return _LIMITS.keys() - there if there is not None else set()


def make_volumes(session: APIClient, body: CreateRequest) -> None:
    """Create the volumes of a request that bind a folder: Podman would make an empty volume of that name.

    :raises EnvironmentFailure: a volume of that name exists and binds something else
    """
    for mount in (body.get("HostConfig") or {}).get("Mounts") or []:
        options = mount.get("VolumeOptions") or {}
        wanted = (options.get("DriverConfig") or {}).get("Options")
        if not wanted:
            continue
        volume = session.create_volume(
            mount.get("Source"),
            driver="local",
            driver_opts=wanted,
            labels=options.get("Labels"),
        )
        if volume.get("Options") != wanted:
            raise EnvironmentFailure(
                f"the volume `{mount.get('Source')}` stands for something else",
                f"`podman volume rm {mount.get('Source')}`, then run the command again",
            )


def request(
    body: CreateRequest, keep: Callable[[str], str], there: frozenset[str] | None = None
) -> CreateRequest:
    """The request with which Podman creates the container that Docker would create for `body`.

    :param keep: stores the text of a seccomp filter; returns the path of a file that Podman can read
    :param there: its `controllers`
    """
    host = cast("HostConfig", dict(body.get("HostConfig") or {}))
    _leave_out_limits(host, there)
    options = host.get("SecurityOpt") or []
    host["SecurityOpt"] = [_filter_as_path(option, keep) for option in options]
    # Its own default lets other containers join.
    host["IpcMode"] = host.get("IpcMode") or "private"
    host["Mounts"] = [_with_mode(mount) for mount in host.get("Mounts") or []]
    user = str(body.get("User") or "")
    host["Tmpfs"] = {
        target: _memory_options(options, user)
        for target, options in (host.get("Tmpfs") or {}).items()
    }
    if _is_named(host.get("NetworkMode") or ""):
        # Docker gives no IPv6 where a network has none; here the host would answer at its link-local address.
        host["Sysctls"] = {**_NO_IPV6, **(host.get("Sysctls") or {})}
    return cast("CreateRequest", {**body, "HostConfig": host})


def _leave_out_limits(host: HostConfig, there: frozenset[str] | None) -> None:
    """Take out the limits without a controller, with which no container starts; Docker takes and ignores them.

    `info` says that they are not enforced, so a plan names the loss.
    """
    lacking = _lacking(there)
    if "pids" in lacking:
        # 0 is the one value for which nothing is written: without it Podman sets a limit of its own.
        host["PidsLimit"] = 0
    if "memory" in lacking:
        host.pop("Memory", None)
        host.pop("MemorySwap", None)
    if "cpu" in lacking:
        host.pop("NanoCpus", None)


def _is_named(mode: str) -> bool:
    """Whether a container is on a network that somebody made, and so has the interface `eth0` there."""
    return bool(mode) and ":" not in mode and mode not in _OWN_MODES


def _filter_as_path(option: str, keep: Callable[[str], str]) -> str:
    text = option.removeprefix(_SECCOMP)
    is_text = option.startswith(_SECCOMP) and text.lstrip().startswith("{")
    return _SECCOMP + keep(text) if is_text else option


def _with_mode(mount: MountRequest) -> MountRequest:
    """Memory is open to every user where nothing else is asked for: Podman's mode would be 0."""
    if mount.get("Type") != "tmpfs":
        return mount
    options = {"Mode": _OPEN_TO_ALL, **(mount.get("TmpfsOptions") or {})}
    return cast("MountRequest", {**mount, "TmpfsOptions": options})


def _memory_options(text: str, user: str) -> str:
    """Options of a memory mount, with Docker's defaults spelled out, since Podman's are others.

    :param user: the container's, as ``UID[:GID]``: Podman gives memory to that user alone, by the option `U`
    """
    options = [option for option in text.split(",") if option]
    uid, _, gid = user.partition(":")
    owner = {f"uid={uid}", f"gid={gid or uid}"}
    if uid and owner <= set(options):
        options = [*(option for option in options if option not in owner), "U"]
    if not {"exec", "noexec"} & set(options):
        options.append("noexec")
    if not {"tmpcopyup", "notmpcopyup"} & set(options):
        options.append("notmpcopyup")
    return ",".join(options)


def keeper(host: str, is_local: bool) -> Callable[[str], str]:
    """The function that stores seccomp filters for the Podman at `host`, for `request`.

    It raises EnvironmentFailure where Podman cannot read files of this machine, or the file cannot be written.

    :param is_local: whether Podman runs on this machine
    """

    def keep(text: str) -> str:
        if not is_local:
            raise EnvironmentFailure(
                f"the Podman at `{host}` is on another machine, and takes a seccomp filter only as a file of "
                "its own",
                "run sandboxd on that machine; or use Docker there, which takes the filter itself",
            )
        return keep_filter(text)

    return keep


def keep_filter(text: str) -> str:
    """Store the text of a seccomp filter in a file of this user, named by its digest; returns the path.

    :raises EnvironmentFailure: it cannot be written
    """
    path = os.path.join(_folder(), f"{_digest(text)}.json")
    write_private(path, text.encode())
    return path


def kept_filter(path: str) -> str:
    """The text of the filter in a file that `keep_filter` made; `path` if the content does not match the name."""
    folder, name = os.path.split(path)
    if folder != _folder():
        return path
    try:
        text = read_bytes(path).decode("utf-8", "replace")
    except UnreadableError:
        return path
    return text if name == f"{_digest(text)}.json" else path


def _folder() -> str:
    return os.path.join(state_folder(os.environ), "seccomp")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def described(session: APIClient, answer: Inspected) -> Inspected:
    """`answer` about a container in Docker's terms, completed by what only Podman's own API tells."""
    url = session._url("/libpod/containers/{0}/json", answer["Id"])
    own = session._result(session._get(url), json=True)
    return description(answer, own if isinstance(own, dict) else {}, kept_filter)


def kill(session: APIClient, container: str) -> None:
    """Kill a container that is to be removed: Podman would wait ten seconds for a program that ignores its stop
    signal.
    """
    url = session._url("/containers/{0}/kill", container)
    # Any answer will do: of one that does not run, or is not there, removing says what is to be said.
    session._post(url)


def description(
    answer: Inspected, own: Mapping[str, Any], text_of: Callable[[str], str]
) -> Inspected:
    """Podman's description of a container in Docker's terms.

    :param own: the answer of Podman's own API, which names the runtime and the capabilities
    :param text_of: returns the text of the seccomp filter at a path, or the path if sandboxd did not write the file
    """
    host = cast("dict[str, Any]", dict(answer.get("HostConfig") or {}))
    own_host = own.get("HostConfig") or {}
    host["Runtime"] = str(own.get("OCIRuntime") or "").rpartition("/")[2] or host.get("Runtime")
    for key in ("PidMode", "UTSMode"):
        if host.get(key) == "private":
            host[key] = ""
    host["Annotations"] = {
        name: value for name, value in (host.get("Annotations") or {}).items() if name not in _NOTES
    }
    host["SecurityOpt"] = [
        _SECCOMP + text_of(option.removeprefix(_SECCOMP))
        if option.startswith(_SECCOMP + "/")
        else option
        for option in host.get("SecurityOpt") or []
    ]
    host["Ulimits"] = [
        {**limit, "Name": str(limit["Name"]).lower().removeprefix("rlimit_")}
        for limit in host.get("Ulimits") or []
    ]
    if host.get("NanoCpus"):
        # It gives both, and takes only one of them.
        host["CpuPeriod"] = host["CpuQuota"] = 0
    _read_capabilities(host, own)
    _read_log_size(host, own_host)
    # Not told, other than none.
    host["Sysctls"] = None
    host["Mounts"], host["Binds"] = _mounts(answer), []
    networks = {
        name: {**endpoint, "Gateway": str(endpoint.get("Gateway") or "").removeprefix(NO_ADDRESS)}
        for name, endpoint in ((answer.get("NetworkSettings") or {}).get("Networks") or {}).items()
    }
    if host.get("NetworkMode") == "bridge" and _DEFAULT_NETWORK in networks:
        networks["bridge"] = networks.pop(_DEFAULT_NETWORK)
    elif host.get("NetworkMode") == "bridge" and networks:
        # Its word for all networks that somebody made; which of several was the first it does not tell.
        host["NetworkMode"] = next(iter(networks)) if len(networks) == 1 else None
    settings = {**(answer.get("NetworkSettings") or {}), "Networks": networks}
    return cast("Inspected", {**answer, "HostConfig": host, "NetworkSettings": settings})


def _read_capabilities(host: dict[str, Any], own: Mapping[str, Any]) -> None:
    """Put the capabilities as Docker's words: all dropped, and those that remain given back.

    Podman tells the difference from its own default; without one nothing was asked for.
    """
    if "BoundingCaps" in own and (host.get("CapDrop") or host.get("CapAdd")):
        host["CapDrop"] = ["ALL"]
        # None for none at all.
        names = own["BoundingCaps"] or []
        host["CapAdd"] = [str(name).removeprefix("CAP_") for name in names]


def _read_log_size(host: dict[str, Any], own_host: Mapping[str, Any]) -> None:
    """Add the size of the log, which the answer for Docker's clients leaves out."""
    log = dict(host.get("LogConfig") or {})
    size = re.fullmatch(
        r"(\d+(?:\.\d+)?)([kMG]?)B", str((own_host.get("LogConfig") or {}).get("Size"))
    )
    if size is not None and float(size[1]) and not log.get("Config"):
        bytes_ = round(float(size[1]) * _UNITS[size[2]])
        log["Config"] = {"max-size": f"{bytes_ // 1000**2}m"}
    host["LogConfig"] = log


def _mounts(answer: Inspected) -> list[MountRequest]:
    """The mounts as a request names them: Podman gives them as `-v` takes them."""
    mounts: list[MountRequest] = []
    for mount in answer.get("Mounts") or []:
        kind = mount.get("Type") or "bind"
        source = mount.get("Name") if kind == "volume" else mount.get("Source")
        entry: MountRequest = {
            "Type": kind,
            "Source": source or "",
            "Target": mount["Destination"],
            "ReadOnly": not mount.get("RW", True),
        }
        if (spread := mount.get("Propagation") or "rprivate") != "rprivate":
            entry["BindOptions"] = {"Propagation": spread}
        mounts.append(entry)
    return mounts
