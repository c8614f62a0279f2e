"""Run a command in the project's sandbox, with this terminal, its signals and its exit code.

`sandboxd exec -- COMMAND ARGUMENT ...`; everything after `--` belongs to the command.
"""

from __future__ import annotations

from sandboxd import terminal
from sandboxd.cli import attend, failures, plain_arguments
from sandboxd.cli.commands import _sandbox
from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "run a command in the project's sandbox"

NEEDS = {"user": "choose a user", "root": "be root"}
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_on(parser)
    _sandbox.add_no_daemon(parser)
    parser.add_argument("-u", "--user", default="", metavar="USER", help="run as this user")
    parser.add_argument("--root", action="store_true", help="run as root inside the sandbox")
    parser.add_argument("-w", "--workdir", default="", metavar="DIR", help="folder to run in")
    parser.add_argument(
        "-e", "--env", action="append", default=[], metavar="NAME=VALUE", help="set a variable"
    )
    parser.add_argument("-T", "--no-tty", action="store_true", help="never give it a terminal")
    parser.add_argument("-n", "--no-stdin", action="store_true", help="give it no input")
    parser.add_argument(
        "command",
        nargs=plain_arguments.REST,
        metavar="COMMAND",
        help="the command and its arguments",
    )


def run(args: argparse.Namespace) -> int:
    command = _sandbox.command(args)
    if not command:
        raise UsageError("no command is given", "write it after `--`: `sandboxd exec -- ls -l`")
    tty = attend.wants_terminal(allowed=not (args.no_tty or args.no_stdin))
    if args.env and (hint := _sandbox.lacks(args, "hide variables")):
        terminal.status(hint)
    folder, name, user = _sandbox.folder(args), _sandbox.name(args), "0" if args.root else args.user
    return attend.run(
        folder,
        command,
        tty=tty,
        stdin=not args.no_stdin,
        user=user,
        env=attend.terminal_variables(tty) + args.env,
        working_dir=args.workdir,
        name=name,
        starts_daemon=not args.no_daemon,
        at_end=failures.storing(folder, name, command, user, names_why=True),
        on=args.on,
    )
