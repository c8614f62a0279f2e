"""Builds a project's image from the bytes that were trusted, with the tools of the user.

The files are copied out first: what changes in the workspace meanwhile does not enter the build.
"""

from __future__ import annotations

import contextlib
import json
import os
import posixpath
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.folders import cache_folder
from sandboxd.life import build_failure, build_network
from sandboxd.plan.recipe import LOCKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.egress.policy import Upstream
    from sandboxd.engine.client import Engine
    from sandboxd.plan.recipe import Recipe

DEVCONTAINER_CLI = "@devcontainers/cli@0.89.0"

# A build that loads packages takes minutes.
BUILD_SECONDS = 1800.0
_LEFT_SECONDS = 2 * BUILD_SECONDS
_LOOK_SECONDS = 0.1
_PREFIX = "sandboxd-build-"


def build(
    engine: Engine,
    recipe: Recipe,
    environ: Mapping[str, str],
    progress: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
    proxy: Upstream | None = None,
) -> None:
    """Make the image `recipe.tag`; nothing of a failed build is left but the builder's cache.

    :param check: called repeatedly while the builder works; ends it by raising
    :param proxy: the company's proxy, through which steps and the fetching of Features go out; None for none
    :raises EnvironmentFailure: a tool for it is missing, or it fails
    """
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_place(environ)) as folder:
        tree = os.path.join(folder, "workspace")
        os.mkdir(tree)
        _copy(recipe, tree)
        recipe = build_network.prepare(recipe, tree, proxy)
        if recipe.features:
            command = _with_features(recipe, folder, environ, progress)
        else:
            command = _plain(recipe, tree, environ)
        progress(f"building `{recipe.tag}` with the engine's builder, outside of the runtime")
        of_engine = engine.identity.environ(environ)
        of_tools = build_network.environment(of_engine, proxy, recipe.network_ca)
        _run(command, of_tools, folder, progress, check)


def _place(environ: Mapping[str, str]) -> str | None:
    """The folder for builds; None for the system's temporary folder, where there is no home.

    npm obeys a `package.json`, `.npmrc` or `node_modules` of every folder above the one it runs in,
    and anybody may write those of `/tmp`.
    """
    cache = cache_folder(environ)
    if cache is None:
        return None
    place = os.path.join(cache, "builds")
    os.makedirs(place, mode=0o700, exist_ok=True)
    for entry in os.scandir(place):
        # Left by a build whose process was killed.
        if entry.name.startswith(_PREFIX) and time.time() - entry.stat().st_mtime > _LEFT_SECONDS:
            shutil.rmtree(entry.path, ignore_errors=True)
    return place


def _copy(recipe: Recipe, tree: str) -> None:
    os.makedirs(os.path.join(tree, recipe.context), exist_ok=True)
    for part in recipe.parts:
        path = os.path.join(tree, part.path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if stat.S_ISLNK(part.mode):
            os.symlink(os.fsdecode(part.data), path)
            continue
        with open(path, "wb") as file:
            file.write(part.data)
        os.chmod(path, stat.S_IMODE(part.mode))


def _plain(recipe: Recipe, tree: str, environ: Mapping[str, str]) -> list[str]:
    words = [_docker(environ), "build", f"--tag={recipe.tag}"]
    words += [f"--file={os.path.join(tree, recipe.dockerfile)}"]
    words += [f"--target={recipe.target}"] if recipe.target else []
    words += [f"--build-arg={name}={value}" for name, value in recipe.args]
    return [*words, os.path.join(tree, recipe.context)]


def _with_features(
    recipe: Recipe, folder: str, environ: Mapping[str, str], progress: Callable[[str], None]
) -> list[str]:
    """The command line of the dev container CLI, with a config that has nothing but the build.

    It takes local Features only from below `.devcontainer`.
    """
    _docker(environ)
    home = os.path.join(folder, ".devcontainer")
    os.makedirs(home)
    own = os.path.join(folder, "workspace", recipe.folder)
    features = {}
    for name, options in recipe.features:
        local = name.startswith(("./", "../"))
        written = f"./{posixpath.normpath(name).replace('../', '')}" if local else name
        if local:
            target = os.path.join(home, written)
            shutil.copytree(os.path.join(own, name), target, dirs_exist_ok=True)
        features[written] = options
    for lock in LOCKS:
        if os.path.isfile(os.path.join(own, lock)):
            shutil.copy(os.path.join(own, lock), os.path.join(home, "devcontainer-lock.json"))
    config: dict[str, object] = {"features": features}
    if recipe.base:
        config["image"] = recipe.base
    else:
        config["build"] = {
            "dockerfile": f"../workspace/{recipe.dockerfile}",
            "context": f"../workspace/{recipe.context}",
            "args": dict(recipe.args),
            **({"target": recipe.target} if recipe.target else {}),
        }
    with open(os.path.join(home, "devcontainer.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    cli = _devcontainer_cli(folder, environ, progress)
    return [*cli, "build", f"--workspace-folder={folder}", f"--image-name={recipe.tag}"]


def _docker(environ: Mapping[str, str]) -> str:
    program = shutil.which("docker", path=environ.get("PATH"))
    if program is None:
        raise EnvironmentFailure(
            "the project's image has to be built, and there is no program `docker`",
            'install the docker command line, or name an image: `image = "..."` in sandboxd.toml',
        )
    return program


def _devcontainer_cli(
    folder: str, environ: Mapping[str, str], progress: Callable[[str], None]
) -> list[str]:
    program = shutil.which("devcontainer", path=environ.get("PATH"))
    if program is not None:
        return [program]
    npx = shutil.which("npx", path=environ.get("PATH"))
    if npx is None:
        raise EnvironmentFailure(
            "the project has Features, and the dev container CLI, which installs them, is not there",
            "`npm install -g @devcontainers/cli`, or name an image that has them: "
            '`image = "..."` in sandboxd.toml',
        )
    # The top of a project for npm, whatever is in the folders above.
    with open(os.path.join(folder, "package.json"), "w", encoding="utf-8") as file:
        file.write("{}\n")
    progress(f"there is no program `devcontainer`: npx runs `{DEVCONTAINER_CLI}`")
    return [npx, "--yes", DEVCONTAINER_CLI]


def _run(
    command: list[str],
    environ: Mapping[str, str],
    folder: str,
    progress: Callable[[str], None],
    check: Callable[[], None],
) -> None:
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            code = _wait(process, check)
        except BaseException:
            # The dev container CLI has children of its own.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        output.seek(0)
        written = output.read()
    if code:
        failed = build_failure.read(written, folder)
        for line in failed.lines:
            progress(f"build | {line}")
        raise EnvironmentFailure(
            f"the build failed with exit code {code}{f' at {failed.step}' if failed.step else ''}",
            "the lines above are its last ones; `sandboxd up` builds again once what they name is corrected",
        )


def _wait(process: subprocess.Popen[bytes], check: Callable[[], None]) -> int:
    """The exit code of a build.

    :raises EnvironmentFailure: it does not end in time
    """
    deadline = time.monotonic() + BUILD_SECONDS
    while time.monotonic() < deadline:
        check()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_LOOK_SECONDS)
    raise EnvironmentFailure(
        f"the build did not end within {BUILD_SECONDS / 60:.0f} minutes",
        'build it yourself, then name it: `image = "..."` in sandboxd.toml',
    )
