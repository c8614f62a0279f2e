"""The difference of an existing gateway from the one that sandboxd would make. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandboxd.life.networks import Pair
    from sandboxd.model.engine_answers import CreateRequest, HostConfig, Inspected

_CONTROLLERS = {"Memory": "MemoryLimit", "PidsLimit": "PidsLimit"}
"""Limits of a container (`HostConfig`), each with the field of the engine's `/info` that says whether it is enforced.
"""


def difference(inspected: Inspected, expected: CreateRequest, pair: Pair) -> str:
    """The first difference between an existing gateway and what `body` would create, in words; '' for none."""
    config: Mapping[str, Any] = inspected.get("Config") or {}
    actual: Mapping[str, Any] = inspected.get("HostConfig") or {}
    wanted: Mapping[str, Any] = expected["HostConfig"]
    if inspected.get("Image") != expected["Image"]:
        return "its image is another one"
    for key in ("Cmd", "User", "OpenStdin", "StdinOnce"):
        if config.get(key) != expected[key]:
            return f"its `{key}` is another one"
    if not set(expected["Env"]) <= set(config.get("Env") or []):
        return "its environment is another one"
    for key in ("NetworkMode", "ReadonlyRootfs", "Memory", "PidsLimit", "Sysctls", "SecurityOpt"):
        if actual.get(key) != wanted[key] and not _is_untold(key, actual):
            return f"its `{key}` is another one"
    for key in ("CapAdd", "CapDrop"):
        if _capabilities(actual.get(key)) != _capabilities(wanted[key]):
            return f"its `{key}` is another one"
    opened = ("Privileged", "Binds", "Mounts", "Devices", "PidMode", "UTSMode", "UsernsMode")
    for key in (*opened, "VolumesFrom", "PortBindings", "ExtraHosts", "Init"):
        if actual.get(key):
            return f"its `{key}` is set"
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    ids = {str(endpoint.get("NetworkID")) for endpoint in networks.values()}
    if ids != {pair.inner.id, pair.outer}:
        return "it is on other networks"
    return ""


def _is_untold(key: str, actual: Mapping[str, Any]) -> bool:
    """Whether Podman does not tell a value.

    The gateway itself reports the switches of its kernel that matter, and its networks are compared by their ids.
    """
    return key in ("NetworkMode", "Sysctls") and key in actual and actual[key] is None


def as_limited(
    expected: CreateRequest, inspected: Inspected, info: Callable[[], Mapping[str, Any]]
) -> CreateRequest:
    """`expected` without the limits that the existing container lacks because the engine cannot enforce them.

    :param info: returns the engine's `/info`; called only if a limit is missing
    """
    actual: Mapping[str, Any] = inspected.get("HostConfig") or {}
    missing = [key for key in _CONTROLLERS if not actual.get(key)]
    if not missing:
        return expected
    able = info()
    without = {key: actual.get(key) for key in missing if able.get(_CONTROLLERS[key]) is False}
    host = cast("HostConfig", {**expected["HostConfig"], **without})
    return cast("CreateRequest", {**expected, "HostConfig": host})


def _capabilities(value: Iterable[str] | None) -> set[str]:
    return {name.upper().removeprefix("CAP_") for name in value or ()}
