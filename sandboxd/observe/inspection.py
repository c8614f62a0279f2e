"""Reads the engine's description of a container, from `docker inspect` or a create request, as a `model.Container`.

Both have the same form, so a plan's request and the live container are read by the same code and compare without false
differences.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from sandboxd.model.container import Container, Device, Mount, Pair, SecurityOption
from sandboxd.model.gpus import ALL, spelling
from sandboxd.model.values import Origin, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.model.container import MountType
    from sandboxd.model.engine_answers import CreateRequest, Inspected, MountPoint

T = TypeVar("T")

# Docker's registry, and Podman's for what was made on the machine.
_SHORT = re.compile(r"^(?:docker\.io/(?:library/)?|localhost/)")


def container(inspect: Inspected) -> Container:
    """The container described by the answer to `GET /containers/ID/json`."""
    config, host = inspect.get("Config") or {}, inspect.get("HostConfig") or {}
    origin = Origin("engine", (inspect.get("Id") or "")[:12])
    read = _Reader(origin, config, host)
    name = (inspect.get("Name") or "").lstrip("/")
    live = read.container(name, read.live_mounts(inspect.get("Mounts") or []))
    joined = (inspect.get("NetworkSettings") or {}).get("Networks") or {}
    return live._replace(network=_with_networks(live.network, joined))


def requested(body: CreateRequest) -> Container:
    """The container described by the body of `POST /containers/create`."""
    host = body.get("HostConfig") or {}
    read = _Reader(Origin("plan", "request"), body, host)
    return read.container("", read.requested_mounts())


def seccomp_identity(text: str) -> str:
    """A short name for a seccomp profile's text; equal for equal profiles."""
    if text in ("", "unconfined", "builtin"):
        return text
    try:
        canonical = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    except ValueError:
        return text
    return f"profile sha256:{hashlib.sha256(canonical.encode()).hexdigest()[:16]}"


class _Reader:
    def __init__(self, origin: Origin, config: Mapping[str, Any], host: Mapping[str, Any]) -> None:
        self._origin = origin
        self._config = config
        self._host = host

    def container(self, name: str, mounts: tuple[Value[Mount], ...]) -> Container:
        host, config = self._host, self._config
        return Container(
            name=name,
            place=None,
            image=self._image(),
            runtime=self._text("Runtime", host),
            privileged=self._flag("Privileged"),
            user=self._text("User", config),
            cap_add=self._capabilities("CapAdd"),
            cap_drop=self._capabilities("CapDrop"),
            security_opt=self._security_options(),
            network=self._network(),
            pid=self._text("PidMode", host),
            ipc=self._text("IpcMode", host),
            uts=self._text("UTSMode", host),
            userns=self._text("UsernsMode", host),
            cgroupns=self._text("CgroupnsMode", host),
            mounts=mounts,
            devices=tuple(
                self._value(
                    Device(
                        d["PathOnHost"], d["PathInContainer"], d.get("CgroupPermissions") or "rwm"
                    ),
                    "Devices",
                )
                for d in host.get("Devices") or []
            ),
            read_only_rootfs=self._flag("ReadonlyRootfs"),
            init=self._flag("Init"),
            env=self._assignments(config.get("Env") or [], "Env"),
            annotations=self._pairs(host.get("Annotations"), "Annotations"),
            labels=self._pairs(config.get("Labels"), "Labels"),
            ports=self._ports(),
            memory=self._number("Memory", str),
            cpus=self._number("NanoCpus", lambda nano: f"{nano / 1e9:g}"),
            pids_limit=self._number("PidsLimit", int),
            ulimits=tuple(
                self._value(Pair(u["Name"], f"{u['Soft']}:{u['Hard']}"), "Ulimits")
                for u in host.get("Ulimits") or []
            ),
            gpus=self._gpus(),
            log_driver=self._text("Type", host.get("LogConfig") or {}),
            log_options=self._pairs((host.get("LogConfig") or {}).get("Config"), "LogConfig"),
            command=tuple(config.get("Cmd") or ()),
            working_dir=self._text("WorkingDir", config),
        )

    def live_mounts(self, mounts: Iterable[MountPoint]) -> tuple[Value[Mount], ...]:
        """The mounts of `Mounts`, and those of `--tmpfs`, which only the request has."""
        results = []
        for mount in mounts:
            kind = _mount_type(mount.get("Type", ""))
            source = mount.get("Name") if kind == "volume" else mount.get("Source")
            read_only = not mount.get("RW", True)
            propagation = mount.get("Propagation") or ""
            options = (
                (f"bind-propagation={propagation}",)
                if kind == "bind" and propagation not in ("", "rprivate")
                else ()
            )
            target = mount["Destination"]
            results.append(Mount(kind, source or "", target, read_only, options))
        return self._mounts(results)

    def requested_mounts(self) -> tuple[Value[Mount], ...]:
        mounts = []
        for bind in self._host.get("Binds") or []:
            source, target, *rest = bind.split(":")
            kind: MountType = "bind" if source.startswith("/") else "volume"
            read_only = bool(rest) and "ro" in rest[0].split(",")
            mounts.append(Mount(kind, source, target, read_only))
        for mount in self._host.get("Mounts") or []:
            propagation = (mount.get("BindOptions") or {}).get("Propagation") or ""
            options = (f"bind-propagation={propagation}",) if propagation else ()
            mounts.append(
                Mount(
                    _mount_type(mount.get("Type", "")),
                    mount.get("Source", ""),
                    mount["Target"],
                    bool(mount.get("ReadOnly")),
                    options if propagation != "rprivate" else (),
                )
            )
        return self._mounts(mounts)

    def _mounts(self, mounts: list[Mount]) -> tuple[Value[Mount], ...]:
        targets = {mount.target for mount in mounts}
        for target, options in (self._host.get("Tmpfs") or {}).items():
            if target not in targets:
                parts = tuple(part for part in options.split(",") if part)
                mounts.append(Mount("tmpfs", "", target, "ro" in parts, parts))
        ordered = sorted(mounts, key=lambda mount: mount.target)
        return tuple(self._value(mount, "Mounts") for mount in ordered)

    def _value(self, value: T, key: str) -> Value[T]:
        return Value(value, self._origin._replace(key=key))

    def _text(self, key: str, source: Mapping[str, Any]) -> Value[str] | None:
        return self._value(str(source[key]), key) if source.get(key) else None

    def _image(self) -> Value[str] | None:
        """The image's name without the registry that engines take where none is named."""
        image = self._text("Image", self._config)
        return image and image._replace(value=_SHORT.sub("", image.value))

    def _flag(self, key: str) -> Value[bool] | None:
        flag = self._host.get(key)
        return None if flag is None else self._value(bool(flag), key)

    def _number(self, key: str, convert: Any) -> Value[Any] | None:
        number = self._host.get(key)
        # 0 and -1 both say "no limit".
        return self._value(convert(number), key) if number and number > 0 else None

    def _capabilities(self, key: str) -> tuple[Value[str], ...]:
        names = [str(name).upper().removeprefix("CAP_") for name in self._host.get(key) or []]
        return tuple(self._value(name, key) for name in sorted(names))

    def _security_options(self) -> tuple[Value[SecurityOption], ...]:
        """``name=value``, ``name:value`` and bare names; a seccomp profile by its identity."""
        options = []
        for text in self._host.get("SecurityOpt") or []:
            cut = min((i for i in (text.find("="), text.find(":")) if i >= 0), default=len(text))
            name, value = text[:cut], text[cut + 1 :]
            if name == "seccomp":
                value = seccomp_identity(value)
            elif name == "no-new-privileges":
                value = value or "true"
            options.append(self._value(SecurityOption(name, value), "SecurityOpt"))
        return tuple(options)

    def _gpus(self) -> Value[str] | None:
        """All device requests as one value: `all`, a number, or the devices that they name."""
        requests = self._host.get("DeviceRequests") or []
        named = tuple(name for request in requests for name in request.get("DeviceIDs") or ())
        counts = [int(request.get("Count") or 0) for request in requests]
        if not requests:
            return None
        if -1 in counts or not (named or any(counts)):
            return self._value(ALL, "DeviceRequests")
        text = spelling(named) if named else str(sum(counts))
        return self._value(text, "DeviceRequests")

    def _network(self) -> Value[str] | None:
        mode = self._host.get("NetworkMode") or "default"
        return self._value("bridge" if mode == "default" else str(mode), "NetworkMode")

    def _assignments(self, items: list[str], key: str) -> tuple[Value[Pair], ...]:
        split = (item.partition("=") for item in items)
        return tuple(self._value(Pair(name, value), key) for name, _, value in split)

    def _pairs(self, table: Mapping[str, str] | None, key: str) -> tuple[Value[Pair], ...]:
        return tuple(self._value(Pair(n, v), key) for n, v in sorted((table or {}).items()))

    def _ports(self) -> tuple[Value[str], ...]:
        ports = []
        for inside, bindings in sorted((self._host.get("PortBindings") or {}).items()):
            for binding in bindings or []:
                address = binding.get("HostIp") or ""
                outside = binding.get("HostPort") or ""
                prefix = f"{address}:" if address else ""
                ports.append(self._value(f"{prefix}{outside}:{inside}", "PortBindings"))
        return tuple(ports)


def _with_networks(network: Value[str] | None, joined: Mapping[str, Any]) -> Value[str] | None:
    """The network that the container was created with, and those that it was connected to since."""
    if network is None:
        return None
    others = sorted(joined.keys() - {network.value})
    if network.value.startswith("container:") or not others:
        return network
    return network._replace(value=", ".join([network.value, *others]))


def _mount_type(text: str) -> MountType:
    return text if text in ("bind", "volume", "tmpfs") else "other"  # type: ignore[return-value]
