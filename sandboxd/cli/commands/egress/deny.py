"""Let a name through no more, at any port, in all sandboxes of this project, whichever `--name` says; on a cluster,
in one.

A denial wins over every rule and has no end; open connections to the name are cut. `--undo` takes back
what you answered about a name, be it yes or no.
"""

from __future__ import annotations

from sandboxd import terminal
from sandboxd.cli import following
from sandboxd.cli.commands import _sandbox
from sandboxd.cli.commands.egress import _asking
from sandboxd.errors import EXIT_OK, EnvironmentFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "let a name through no more"


def configure(parser: argparse.ArgumentParser) -> None:
    _asking.add_host(parser, port="")
    parser.add_argument("--undo", action="store_true", help="take your answer about it back")


def run(args: argparse.Namespace) -> int:
    try:
        answer = _asking.ask(args, "deny", text=args.host, undo=args.undo)
    except EnvironmentFailure as failure:
        # It is kept before a gateway is told, which may still let the name through.
        code = EXIT_OK if args.on else following.follow(_workspace(args))
        return following.code_of(code, failure)
    name, count = answer["name"], answer["taken_back"]
    if args.undo:
        terminal.status(f"taken back: {terminal.count(count, 'answer')} about `{name}`")
    else:
        terminal.status(
            f"denied: `{name}`; `sandboxd egress deny --undo {_asking.word(name)}{_sandbox.option(args)}` takes it back"
        )
    _asking.say_whether_live(args, answer)
    # One on another engine is none of the operation's, and a cluster has its own.
    code = 0 if args.on else following.follow(answer["workspace"], elsewhere=True)
    from sandboxd.audit import notes

    problem = answer["problem"]
    return following.code_of(code, notes.unrecorded(problem) if problem else None)


def _workspace(args: argparse.Namespace) -> str:
    import os

    from sandboxd.operations.given_records import folder_of

    return os.path.realpath(folder_of(_sandbox.folder(args), os.environ))
