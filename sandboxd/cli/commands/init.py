"""Write a first `sandboxd.toml`: what the project asks for, in a few lines.

With `--template` it is that of a kind of project, with what else such a project needs; nothing that
is there is written over. A profile that takes controls away needs a grant, which naming it with
`--profile` is: for these very lines, until they change (`sandboxd trust`).
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from sandboxd.config.model import Config
    from sandboxd.plan.profiles import Profile

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

{credentials}
# [environment]
# EDITOR = "vi"
"""

_CREDENTIALS = """\
# Tools inside work with these services by your secrets and never have them:
# `sandboxd credentials add NAME` says where one is.
[credentials]
use = {names}
"""

_NO_CREDENTIALS = """\
# [credentials]
# use = ["github", "anthropic"]
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", default=".", help="folder of the project")
    parser.add_argument("--profile", help="named profile (default: dev)")
    parser.add_argument(
        "--image", help=f"image of the sandbox (default: {DEFAULT_IMAGE}, or your config's)"
    )
    parser.add_argument(
        "--credential",
        action="append",
        default=[],
        metavar="NAME",
        help="let it use your secret of a service (`sandboxd credentials list`); can be given more than once",
    )
    parser.add_argument(
        "-t", "--template", metavar="TEMPLATE", help="start from a template, such as `python`"
    )
    parser.add_argument(
        "-o",
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set an option of the template; can be given more than once",
    )
    parser.add_argument(
        "--list-templates", action="store_true", help="show the templates and their options"
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.cli import init_template
    from sandboxd.plan import profiles

    if args.list_templates:
        print(init_template.listing(), end="")
        return EXIT_OK
    if args.option and args.template is None:
        raise UsageError(
            f"`--option {args.option[0]}` is for a template, and none is named",
            "name one: `sandboxd init --template NAME`; `--list-templates` shows them",
        )
    profile = profiles.load(args.profile or "dev")
    if not os.path.isdir(args.path):
        raise UsageError(f"there is no folder `{args.path}`", "name the folder of a project")
    if args.template is not None:
        if args.credential:
            raise UsageError(
                "`--credential` is for a sandboxd.toml without a template",
                f'write `use = ["{args.credential[0]}"]` below `[credentials]` afterwards',
            )
        if args.profile is not None:
            raise UsageError(
                f"template `{args.template}` has a profile, and `--profile {profile.name}` is another",
                "leave one out; `profile` in sandboxd.toml can be changed afterwards",
            )
        init_template.write(args.path, args.template, args.option, args.image)
        _say_forbidden(args.path)
    else:
        _write_config(args.path, profile, args.image, _names(args.credential))
    _say_next(args.path)
    return EXIT_OK


def _say_forbidden(folder: str) -> None:
    """Say it where a policy does not allow the profile of the template, whose other files are of use with another."""
    from sandboxd.plan.floor import FORBIDDEN_HINT, refuse_profile
    from sandboxd.policy import floor
    from sandboxd.project import Project

    try:
        profile = Project.open(folder, os.environ).profile
        refuse_profile(profile, floor.load(os.environ), FORBIDDEN_HINT)
    except UsageError as error:
        terminal.status(f"it cannot run as it is: {error.message}")
        terminal.status(f"  hint: {error.hint}")


def _names(texts: list[str]) -> list[str]:
    """The credentials that were named, each once.

    :raises UsageError: one of them is none
    """
    from sandboxd.credentials import name, services

    for text in texts:
        try:
            name.parse(text)
        except name.NotACredential as error:
            listed = ", ".join(f"`{each}`" for each in services.names())
            raise UsageError(f"`{text}` {error}", f"services: {listed}") from None
    return sorted(set(texts))


def _write_config(folder: str, profile: Profile, image: str | None, credentials: list[str]) -> None:
    from sandboxd.files import CONFIG_NAME, write_atomic
    from sandboxd.plan.floor import refuse_profile
    from sandboxd.policy import floor
    from sandboxd.project import HAND_WRITTEN

    path = os.path.join(folder, CONFIG_NAME)
    if os.path.lexists(path):
        raise UsageError(f"`{path}` exists already", "edit it, then run `sandboxd generate`")
    refuse_profile(
        profile,
        floor.load(os.environ),
        "`sandboxd init --profile NAME` with one that is: {allowed}",
    )
    written = any(os.path.lexists(os.path.join(folder, name)) for name in HAND_WRITTEN)
    text = _TEXT.format(
        purpose=profile.purpose[0].upper() + profile.purpose[1:],
        profile=profile.name,
        image=_image(image, written),
        credentials=_credentials(credentials),
    )
    write_atomic(path, text.encode())
    terminal.status(f"wrote {path}")
    _say_missing(credentials)
    _grant(path, text, profile)


def _grant(path: str, text: str, profile: Profile) -> None:
    """Grant what the new config needs: its text is ours, and the user named its profile."""
    from sandboxd.config import reading
    from sandboxd.plan.floor import loosened
    from sandboxd.plan.granting import wanted
    from sandboxd.policy import floor, trust
    from sandboxd.text import SourceText

    workspace = os.path.realpath(os.path.dirname(path) or ".")
    parsed, _ = reading.parse(SourceText(path, text), workspace)
    if parsed is None or not loosened(profile, parsed):
        return
    # The digest is that of `text`, not of the file, which another program may have changed since.
    parsed = parsed._replace(digest=trust.digest_of(text.encode()))
    try:
        request = wanted(workspace, parsed, profile, None, floor.load(os.environ))
        for grant in request.grants:
            trust.add(os.environ, grant)
    except UsageError as error:
        terminal.status(f"it is not trusted: {error.message}")
        terminal.status(f"  hint: {error.hint}")
        return
    for line in request.lines:
        terminal.status(f"  {line}")
    terminal.status(
        f"trusted, since you named {_what_was_named(parsed, profile)}; "
        "`sandboxd trust revoke` takes it back"
    )


def _what_was_named(config: Config, profile: Profile) -> str:
    credentials = [f"`{name}`" for name in config.credentials.names()]
    named = [f"profile `{profile.name}`"] if profile.needs_grant or not credentials else []
    return " and ".join((*named, *credentials))


def _say_missing(names: list[str]) -> None:
    """Print the credentials for which no place of the secret was given."""
    from sandboxd.credentials import records

    known = {str(record.name) for record in records.load(os.environ)} if names else set()
    for name in names:
        if name not in known:
            terminal.status(f"hint: `sandboxd credentials add {name}` says where its secret is")


def _credentials(names: list[str]) -> str:
    from sandboxd.toml_output import value

    listed = f"[{', '.join(map(value, names))}]"
    return _CREDENTIALS.format(names=listed) if names else _NO_CREDENTIALS


def _say_next(folder: str) -> None:
    from sandboxd.ipc import client

    is_registered = client.register(os.environ, os.path.realpath(folder), start=False) is None
    if is_registered:
        terminal.status("the running daemon keeps its files generated")
    if not is_registered:
        terminal.status("for an editor: `sandboxd generate` writes the files that it starts from")
    terminal.status("next: `sandboxd up`")


def _image(image: str | None, has_config: bool) -> str:
    from sandboxd.toml_output import value

    if image is None and has_config:
        return "\n# The image is that of your devcontainer.json.\n"
    return f"\nimage = {value(image or DEFAULT_IMAGE)}\n"
