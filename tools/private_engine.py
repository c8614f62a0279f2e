"""A private Docker engine, from the shell: `plan`, `install`, `start`, `stop`, `sweep`, `image`.

`start` prints `DOCKER_HOST=...` and `DIR=...`; the engine lives until `stop`, or until `sweep`
finds that the process given as `--owner` is gone.
"""

from __future__ import annotations

import argparse
import os
import sys

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tools.engine import packages, private
from tools.engine.image import BUSYBOX_TAG, import_busybox_image

__all__ = ["import_busybox_image", "main"]


def plan() -> list[str]:
    """What `install` and `start` would do, as lines for people."""
    missing = packages.missing()
    lines = [
        f"install with apt, starting no service: {' '.join(missing)}"
        if missing
        else "install nothing: every package is there",
        f"start a private dockerd below {private.BASE}, with its own containerd, data folder, "
        "socket, network namespace and mount namespace",
        "register with it: runc, runsc and runsc-sandboxd (`--directfs=false`), with the "
        "arguments that start a container on this kernel",
        "at the end: stop its containers and processes, remove its folder and cgroup",
    ]
    reason = packages.can_install()
    return [*lines, f"not possible here: {reason}"] if reason else lines


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code (4: the machine lacks something)."""
    parser = argparse.ArgumentParser(prog="private_engine.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("plan", "install", "sweep"):
        commands.add_parser(name)
    start = commands.add_parser("start")
    start.add_argument("--name", required=True)
    start.add_argument("--dir", default="")
    start.add_argument(
        "--owner", type=int, default=0, help="process whose end lets `sweep` stop it"
    )
    stop = commands.add_parser("stop")
    where = stop.add_mutually_exclusive_group(required=True)
    where.add_argument("--dir")
    where.add_argument("--name")
    image = commands.add_parser("image")
    image.add_argument("--host", required=True, help="value of DOCKER_HOST")
    image.add_argument("--tag", default=BUSYBOX_TAG)
    try:
        return _run(parser.parse_args(arguments))
    except (packages.InstallError, private.EngineError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 4


def _run(args: argparse.Namespace) -> int:
    if args.command == "plan":
        print("\n".join(plan()))
    elif args.command == "install":
        missing = packages.missing()
        absent = packages.install(missing) if missing else []
        print(f"installed: {' '.join(name for name in missing if name not in absent) or 'nothing'}")
        if absent:
            print(f"apt does not have: {' '.join(absent)}", file=sys.stderr)
    elif args.command == "start":
        private.sweep()
        engine = private.start(args.name, args.dir, args.owner)
        print(f"DOCKER_HOST={engine.docker_host}\nDIR={engine.folder}")
        if engine.gvisor:
            print(f"gVisor is not registered: {engine.gvisor}", file=sys.stderr)
    elif args.command == "stop":
        private.stop(args.dir or f"{private.BASE}/{args.name}")
    elif args.command == "sweep":
        for folder in private.sweep():
            print(f"stopped {folder}")
    else:
        print(import_busybox_image(args.host, args.tag))
    return 0


if __name__ == "__main__":
    sys.exit(main())
