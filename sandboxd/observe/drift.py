"""The differences between a running container and its plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.model.labels import (
    ASK_PROGRAM,
    DECOY_FILE,
    EGRESS,
    MADE_BY,
    RESOLV_CONF,
    SETTINGS_FOLDER,
    UP,
)
from sandboxd.model.subpath_volumes import key_of, volume_name
from sandboxd.observe.pin import lost

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.model.container import Container, Mount, Pair
    from sandboxd.model.values import Value
    from sandboxd.observe.pin import Pin


class Drift(NamedTuple):
    """One difference; '' means that the value is absent."""

    control: str
    planned: str
    live: str


_GIT_SETTINGS = ("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")

# Settings of one value, and what the engine makes of "not set".
_SINGLE = {
    "runtime": "",
    "privileged": "false",
    "user": "",
    "network": "bridge",
    "pid": "",
    "ipc": "private",
    "uts": "",
    "userns": "",
    "read_only_rootfs": "false",
    "gpus": "",
    "memory": "",
    "cpus": "",
    "pids_limit": "",
    "image": "",
}

# What an engine chooses where a plan is silent. Podman limits the processes of each container.
_LEFT_TO_ENGINE = ("runtime", "user", "pids_limit")
_ULIMITS_OF_ENGINE = ("nofile", "nproc")


def differences(planned: Container, live: Container) -> tuple[Drift, ...]:
    """The differences of `live` from `planned`; () for none.

    Both must be read by `observe.inspection`, the plan through its create request. Variables and labels that the image
    adds are no difference, and neither is what the plan leaves to the engine: its runtime, and limits that Podman sets
    on each container.
    """
    planned = _beside_gateway(planned, live)
    drifts = []
    for field, default in _SINGLE.items():
        expected = _text(getattr(planned, field)) or default
        real = _text(getattr(live, field)) or default
        if expected != real and not (field in _LEFT_TO_ENGINE and not expected):
            drifts.append(Drift(field.replace("_", "-"), expected, real))
    for field in ("cap_add", "cap_drop", "devices", "ports", "annotations"):
        drifts += _sets(field.replace("_", "-"), getattr(planned, field), getattr(live, field))
    drifts += _sets("ulimits", planned.ulimits, _without_engines(planned, live))
    if planned.log_driver is not None:
        drifts += _sets(
            "log-driver", (planned.log_driver,), (live.log_driver,) if live.log_driver else ()
        )
        drifts += _sets("log-opt", planned.log_options, live.log_options)
    drifts += _options(planned, live)
    drifts += _mounts(planned, live)
    drifts += _environment(planned, live)
    return tuple(drifts)


def of_lost(pins: Iterable[Pin]) -> tuple[Drift, ...]:
    """A difference for each mount that the host removed, though the engine still reports it, or that was never made."""
    return tuple(
        Drift(f"pin {pin.name}", f"mounted at {pin.target}", f"{pin.state.value}: {pin.why}")
        for pin in lost(pins)
    )


def _beside_gateway(planned: Container, live: Container) -> Container:
    """`planned` as it is started behind a gateway: on its inner network."""
    inner = planned.label(EGRESS)
    if not inner or live.label(EGRESS) != inner:
        return planned
    ours = [v for v in live.mounts if _is_of_gateway(v.value.target) and v.value.read_only]
    return planned._replace(
        network=planned.network and planned.network._replace(value=inner),
        mounts=(*planned.mounts, *(v for v in ours if v.value.type == "bind")),
    )


def _is_of_gateway(target: str) -> bool:
    return target in (RESOLV_CONF, ASK_PROGRAM, DECOY_FILE) or target.startswith(SETTINGS_FOLDER)


def _text(value: Value[object] | None) -> str:
    if value is None:
        return ""
    return str(value.value).lower() if isinstance(value.value, bool) else str(value.value)


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return ":".join(str(part) for part in value if part not in ((), ""))
    return str(value)


def _sets(name: str, planned: Iterable[Value[Any]], live: Iterable[Value[Any]]) -> list[Drift]:
    expected = {_show(v.value) for v in planned}
    real = {_show(v.value) for v in live}
    missing = [Drift(name, item, "") for item in sorted(expected - real)]
    return missing + [Drift(name, "", item) for item in sorted(real - expected)]


def _without_engines(planned: Container, live: Container) -> list[Value[Pair]]:
    """The limits of `live` without those that Podman gives to each container, where the plan has none of them."""
    own = {limit.value.name for limit in planned.ulimits}
    return [
        limit
        for limit in live.ulimits
        if limit.value.name in own or limit.value.name not in _ULIMITS_OF_ENGINE
    ]


def _options(planned: Container, live: Container) -> list[Drift]:
    """Security options by name: the last of each is the one in force."""
    drifts = []
    names = {o.value.name for o in (*planned.security_opt, *live.security_opt)}
    for name in sorted(names):
        expected, real = planned.option(name), live.option(name)
        before = expected.value.value if expected else ""
        after = real.value.value if real else ""
        if before != after:
            drifts.append(Drift(name, before, after))
    return drifts


def _mounts(planned: Container, live: Container) -> list[Drift]:
    expected = {v.value.target: v.value for v in planned.mounts}
    real = {v.value.target: v.value for v in live.mounts if not _is_of_image(v.value)}
    drifts = []
    for target in sorted(expected.keys() | real.keys()):
        one, other = expected.get(target), real.get(target)
        before, after = _mount(one), _mount(other)
        if before != after and not _is_same_pin(one, other):
            drifts.append(Drift(f"mount {target}", before, after))
    return drifts


def _is_same_pin(planned: Mount | None, live: Mount | None) -> bool:
    """Whether both are the same folder read-only, which an editor mounts as a part of another volume."""
    if planned is None or live is None or live.type != "bind" or not live.read_only:
        return False
    return planned.source == volume_name(key_of(live.source), writable=False)


def _is_of_image(mount: Mount) -> bool:
    """Whether it is an anonymous volume, which the engine makes for a `VOLUME` of the image."""
    return mount.type == "volume" and bool(re.fullmatch(r"[0-9a-f]{64}", mount.source))


def _mount(mount: Mount | None) -> str:
    if mount is None:
        return ""
    mode = "read-only" if mount.read_only else "read-write"
    return " ".join(part for part in (mount.type, mount.source, mode) if part)


def _environment(planned: Container, live: Container) -> list[Drift]:
    real = {v.value.name: v.value.value for v in live.env}
    # `up` alone gives all settings of git: a generated file is no place for the user's name.
    of_up = live.label(MADE_BY) == UP
    drifts = []
    for value in planned.env:
        name = value.value.name
        if not of_up and name.startswith(_GIT_SETTINGS):
            continue
        if real.get(name) != value.value.value:
            # Values may be secrets; that it differs is enough.
            drifts.append(Drift(f"env {name}", "set", "other value" if name in real else ""))
    return drifts
