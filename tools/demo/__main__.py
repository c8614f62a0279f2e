"""Run the demo: `./dev demo`.

Exit 0: every step kept its promise. 1: one did not. 4: the machine lacks an engine, and only the
steps that need none were shown.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tools.demo import steps, where
from tools.demo.screen import DemoError, Screen
from tools.engine import processes
from tools.engine.image import BUSYBOX_TAG
from tools.engine.packages import InstallError
from tools.engine.private import EngineError
from tools.signals import end_like_ctrl_c, uninterrupted

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLE = os.path.join(ROOT, "tools", "demo", "project")
_END_SECONDS = 30.0


def main() -> int:
    """Parse the command line and run the steps."""
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="install and start without asking")
    parser.add_argument("--image", default="", help="use this local image")
    args = parser.parse_args()
    end_like_ctrl_c()
    started = time.monotonic()
    try:
        with _workplace() as (screen, project):
            code = _steps(screen, project, args)
    except KeyboardInterrupt:
        print("\ninterrupted: everything was taken down", file=sys.stderr)
        return 130
    except DemoError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except (InstallError, EngineError, RuntimeError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 4
    print(f"\ndone in {time.monotonic() - started:.0f} s; nothing was left running")
    return code


def _steps(screen: Screen, project: str, args: argparse.Namespace) -> int:
    screen.heading(1, "The engine")
    with where.engine(screen, args.yes) as engine:
        screen.environment["DOCKER_HOST"] = engine.host or "unix:///nonexistent/docker.sock"
        demo = steps.Demo(screen, project, args.image or BUSYBOX_TAG, engine.host, [])
        if not engine.host:
            screen.say(f"No engine: {engine.reason}. The steps that need none follow.")
        try:
            _show(demo, args.image)
        finally:
            screen.heading(10, "Everything is taken down")
            with uninterrupted():
                steps.take_down(demo)
    if not engine.host:
        screen.say("\nNot shown without an engine: steps 2, 5 and 6 (image, up, verify).")
        screen.say(f"The whole demo: {where.RETRY}")
        return 4
    return 0


def _show(demo: steps.Demo, image: str) -> None:
    screen = demo.screen
    for name in ("HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST"):
        screen.say(f"$ export {name}={screen.environment[name]}")
    screen.say(f"$ cp -r {os.path.relpath(SAMPLE, ROOT)} {demo.project}")
    if os.geteuid() == 0:
        screen.say(f"$ chown -R 1000:1000 {demo.project}")
    screen.say(f"$ export PATH={os.path.dirname(sys.executable)}:$PATH; cd {demo.project}")
    if demo.docker_host:
        screen.heading(2, "A local image: no registry is needed")
        steps.image(demo, image)
    screen.heading(3, "What the project gives away")
    steps.check(demo)
    screen.heading(4, "One small wish, one generated file")
    steps.generate(demo)
    if demo.docker_host:
        screen.heading(5, "The workspace runs in its sandbox")
        steps.run(demo)
        screen.heading(6, "Does it hold?")
        steps.verify(demo)
    screen.heading(7, "Saved, regenerated")
    steps.regenerate(demo)
    screen.heading(8, "In the editor, while typing")
    steps.language_server(demo)
    screen.heading(9, "What is in force")
    steps.status(demo)


@contextmanager
def _workplace() -> Iterator[tuple[Screen, str]]:
    """A temporary home and a copy of the sample project: the user's own state is not touched."""
    folder = tempfile.mkdtemp(prefix="sandboxd-demo-")
    try:
        project = shutil.copytree(SAMPLE, f"{folder}/weather")
        _give_to_a_user(project)
        for name in ("home", "run"):
            os.makedirs(f"{folder}/{name}", mode=0o700)
        yield Screen(_environment(folder), project), project
    finally:
        with uninterrupted():
            _await_processes(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _await_processes(folder: str) -> None:
    """Wait until nobody lives in a home below `folder`: a daemon that was stopped may have a last line to write."""
    if sys.platform == "linux":
        processes.wait_until(lambda: not processes.with_home(folder, below=True), _END_SECONDS)


def _give_to_a_user(project: str) -> None:
    """As root, make the copy belong to uid 1000: a workspace is seldom root's."""
    if os.geteuid() == 0:
        for path, folders, files in os.walk(project):
            for name in (".", *folders, *files):
                os.chown(os.path.join(path, name), 1000, 1000)


def _environment(folder: str) -> dict[str, str]:
    names = ("LANG", "LC_ALL", "TERM", "PATH")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    return {
        **environment,
        **_npm_settings(),
        "PATH": f"{os.path.dirname(sys.executable)}:{environment.get('PATH', os.defpath)}",
        "HOME": f"{folder}/home",
        "XDG_RUNTIME_DIR": f"{folder}/run",
        **{f"XDG_{n}_HOME": f"{folder}/home/.{n.lower()}" for n in ("CONFIG", "STATE", "DATA")},
        "XDG_CACHE_HOME": f"{folder}/home/.cache",
        # Status and data in the order in which a terminal shows them.
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": str(shutil.get_terminal_size((96, 24)).columns),
    }


def _npm_settings() -> dict[str, str]:
    """How npm reaches its registry here, and its cache, so that the second run is quick."""
    home = os.path.expanduser("~")
    settings = {"npm_config_cache": f"{home}/.npm", "npm_config_userconfig": f"{home}/.npmrc"}
    settings["npm_config_update_notifier"] = "false"
    for name, value in os.environ.items():
        if name.lower().startswith("npm_config_") or name == "NODE_EXTRA_CA_CERTS":
            settings[name] = value
    return settings


if __name__ == "__main__":
    sys.exit(main())
