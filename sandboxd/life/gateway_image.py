"""The image of a gateway in an engine: made once of what is installed here, or named by the user's policy.

An image's name can be given to another one by whoever builds there, a repository's Compose file among
them. So an image of ours is known by its id, which is noted where no sandbox can write.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import platform
import sys
import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.engine.payload import gateway_image
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.folders import cache_folder
from sandboxd.model.labels import GATEWAY_IMAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.client import Engine

NAME = "sandboxd-gateway"

_IMPORT_SECONDS = 120.0
_OLD_SECONDS = 30 * 24 * 3600.0
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


def ensure(engine: Engine, named: str, progress: Callable[[str], None]) -> str:
    """The id of the image to start a gateway from; it is imported into the engine if it is missing.

    :param named: the image, by digest, that the user's policy names for engines that cannot run ours; '' for none
    :raises EnvironmentFailure: no image can be had; the message says what is missing, and how to name one in the policy
    """
    version = gateway_image.digest()
    recalled = _recall(engine, version)
    if recalled and engine.has_image(recalled):
        return recalled
    why = _obstacle(engine)
    if not why:
        try:
            archive = gateway_image.archive(cache_folder(os.environ))
        except EnvironmentFailure as error:
            why = error.message
        else:
            progress("making the gateway's image of this machine's Python (once)")
            return _import(engine, archive, version)
    if named:
        return engine.image_id(named)
    raise EnvironmentFailure(
        f"no gateway can be started, which names through a gateway need: {why}",
        'name an image of it in the policy.toml of your config folder: `gateway_image = "NAME@sha256:..."`; '
        'or, without any network, `[network] mode = "none"` in sandboxd.toml',
    )


def _obstacle(engine: Engine) -> str:
    """The reason why this machine's Python cannot run in the engine; '' where it can."""
    if sys.platform != "linux":
        return "this machine's Python is not one for Linux"
    if importlib.util.find_spec("_ssl") is None:
        return "this machine's Python has no `ssl`, by which a gateway goes out with a credential"
    version = engine.version()
    here = _ARCHITECTURES.get(platform.machine(), platform.machine())
    system, architecture = str(version.get("Os")), str(version.get("Arch"))
    if (system, architecture) != ("linux", here):
        return (
            f"the engine runs {system} on {architecture}, and this machine's Python is for {here}"
        )
    return ""


def _import(engine: Engine, archive: bytes, version: str) -> str:
    try:
        engine.import_image(
            archive, NAME, version, f"{GATEWAY_IMAGE}={version}", seconds=_IMPORT_SECONDS
        )
        identifier = engine.image_id(f"{NAME}:{version}")
    except failures.EngineFailure as error:
        raise EnvironmentFailure(
            f"the engine does not take the gateway's image: {error.detail or error.message}",
            error.hint,
        ) from None
    _remember(engine, version, identifier)
    _remove_old(engine, identifier)
    return identifier


def _remove_old(engine: Engine, newest: str) -> None:
    """Remove images of earlier versions, except one that is in use or that another user needs."""
    with contextlib.suppress(failures.EngineFailure):
        for image in engine.images(GATEWAY_IMAGE):
            is_old = time.time() - float(image.get("Created") or time.time()) > _OLD_SECONDS
            if is_old and image.get("Id") != newest:
                with contextlib.suppress(failures.EngineFailure):
                    engine.remove_image(str(image["Id"]))


def _recall(engine: Engine, version: str) -> str:
    path = _path(engine, version)
    with contextlib.suppress(SandboxdError):
        return read_source(path).text.strip() if path else ""
    return ""


def _remember(engine: Engine, version: str, identifier: str) -> None:
    """Note the image's id; if that fails, the image is built again next time."""
    path = _path(engine, version)
    if path:
        with contextlib.suppress(OSError, SandboxdError):
            write_private(path, identifier.encode())


def _path(engine: Engine, version: str) -> str:
    folder = cache_folder(os.environ)
    host = hashlib.sha256(engine.host.encode()).hexdigest()[:16]
    return os.path.join(folder, "gateway-images", f"{host}-{version}") if folder else ""
