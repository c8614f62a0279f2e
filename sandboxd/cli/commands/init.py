"""Write a first `sandboxd.toml`: what the project asks for, in a few lines."""

from __future__ import annotations

import argparse
import os

from sandboxd.cli import terminal
from sandboxd.errors import EXIT_OK, UsageError

HELP = "write a first sandboxd.toml"

DEFAULT_IMAGE = "mcr.microsoft.com/devcontainers/base:debian"

_TEXT = """\
# What this project's sandbox may do. Change it, then run `sandboxd generate`
# (a running daemon does that by itself). `sandboxd explain-plan` says what follows.

# {purpose}
profile = "{profile}"

# "auto" takes gVisor where it works, else hardened runc, and says which and why.
runtime = "auto"
{image}
# [capabilities]
# add = ["NET_BIND_SERVICE"]

# [network]
# mode = "none"

# [environment]
# EDITOR = "vi"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", default=".", help="folder of the project")
    parser.add_argument("--profile", default="dev", help="named profile (default: dev)")
    parser.add_argument(
        "--image", help=f"image of the sandbox (default: {DEFAULT_IMAGE}, or your config's)"
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.config import FILE_NAME
    from sandboxd.files import write_atomic
    from sandboxd.ipc import client
    from sandboxd.plan import profiles
    from sandboxd.project import HAND_WRITTEN

    profile = profiles.load(args.profile)
    if not os.path.isdir(args.path):
        raise UsageError(f"there is no folder `{args.path}`", "name the folder of a project")
    path = os.path.join(args.path, FILE_NAME)
    if os.path.lexists(path):
        raise UsageError(f"`{path}` exists already", "edit it, then run `sandboxd generate`")
    written = any(os.path.lexists(os.path.join(args.path, name)) for name in HAND_WRITTEN)
    text = _TEXT.format(
        purpose=profile.purpose[0].upper() + profile.purpose[1:],
        profile=profile.name,
        image=_image(args.image, written),
    )
    write_atomic(path, text.encode())
    terminal.status(f"wrote {path}")
    if client.register(os.environ, os.path.realpath(args.path), start=False) is None:
        terminal.status("the running daemon keeps its files generated")
        terminal.status("next: `sandboxd up`")
    else:
        terminal.status("next: `sandboxd generate`, then `sandboxd up`")
    return EXIT_OK


def _image(image: str | None, has_config: bool) -> str:
    import json

    if image is None and has_config:
        return "\n# The image is that of your devcontainer.json.\n"
    # A JSON string is a TOML basic string, also where the name holds quotes.
    return f"\nimage = {json.dumps(image or DEFAULT_IMAGE)}\n"
