"""Has a build work in a company's network: through its proxy, and with the certificates of its own authority.

Steps of a build learn the proxy by Docker's predefined arguments, which do not become part of the image. The
certificates, and the variables that name them, are put into each stage: no option of the builder gives them to a step.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandboxd.errors import UsageError
from sandboxd.files import read_source
from sandboxd.plan.build_certificates import FOLDER, with_certificates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.policy import Upstream
    from sandboxd.plan.network_ca import NetworkCa
    from sandboxd.plan.recipe import Recipe

_OF_BASE = ".sandboxd-base"
"""The folder of a Dockerfile for an image that only gets Features."""


def prepare(recipe: Recipe, tree: str, proxy: Upstream | None) -> Recipe:
    """The recipe as it is built in a network with `proxy` and `recipe.network_ca`.

    :param tree: the folder with the copied files of the build, which is changed
    :param proxy: the company's proxy; None for none
    :raises UsageError: the project has a file at a path that is needed here
    """
    if recipe.network_ca is None and proxy is None:
        return recipe
    if not recipe.dockerfile:
        _make_folder(tree, _OF_BASE)
        _write(os.path.join(tree, _OF_BASE, "Dockerfile"), f"FROM {recipe.base}\n")
        recipe = recipe._replace(base="", dockerfile=f"{_OF_BASE}/Dockerfile", context=_OF_BASE)
    if proxy is not None:
        own = {name for name, _ in recipe.args}
        added = [pair for pair in _proxies(proxy).items() if pair[0] not in own]
        recipe = recipe._replace(args=(*added, *recipe.args))
    if recipe.network_ca is not None:
        _put_certificates(recipe, recipe.network_ca, tree)
    return recipe


def environment(
    environ: Mapping[str, str], proxy: Upstream | None, files: NetworkCa | None
) -> dict[str, str]:
    """`environ` for the programs on this machine that fetch Features, with what the user has not set."""
    added = _proxies(proxy, _engine_of(environ)) if proxy is not None else {}
    if files is not None:
        added["NODE_EXTRA_CA_CERTS"] = files.own
    set_by_user = {name.lower() for name in environ}
    return {
        **{name: value for name, value in added.items() if name.lower() not in set_by_user},
        **environ,
    }


def _put_certificates(recipe: Recipe, files: NetworkCa, tree: str) -> None:
    context = os.path.join(tree, recipe.context)
    folder = _make_folder(context, FOLDER)
    # A step that is not root reads them, whatever the umask here.
    os.chmod(folder, 0o755)  # noqa: S103
    for path in files:
        copied = os.path.join(folder, os.path.basename(path))
        shutil.copyfile(path, copied)
        os.chmod(copied, 0o644)
    path = os.path.join(tree, recipe.dockerfile)
    _write(path, with_certificates(read_source(path).text))
    for ignoring in (f"{path}.dockerignore", os.path.join(context, ".dockerignore")):
        # A link would lead out of the copy.
        if os.path.isfile(ignoring) and not os.path.islink(ignoring):
            _write(ignoring, f"{read_source(ignoring).text}\n!{FOLDER}\n")


def _make_folder(above: str, name: str) -> str:
    """:raises UsageError: something of the project is there, maybe a link that leads out of the copy"""
    path = os.path.join(above, name)
    try:
        os.mkdir(path)
    except FileExistsError:
        raise UsageError(
            f"the build reads `{name}` of the project, and sandboxd needs that name for the certificates of your "
            "network",
            "rename it",
        ) from None
    return path


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)


def _proxies(proxy: Upstream, *direct: str) -> dict[str, str]:
    """The variables that name the proxy, and hosts that are reached without it."""
    hosts = [str(pattern).removeprefix("*") for pattern in proxy.direct]
    without = ",".join(["localhost", "127.0.0.1", "::1", *hosts, *filter(None, direct)])
    url = f"http://{proxy}"
    values = {"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": without}
    return {spelling: value for name, value in values.items() for spelling in (name, name.lower())}


def _engine_of(environ: Mapping[str, str]) -> str:
    """The host of an engine that is reached by TCP: the docker command would ask the proxy for it."""
    url = urlsplit(environ.get("DOCKER_HOST", ""))
    return (url.hostname or "") if url.scheme == "tcp" else ""
