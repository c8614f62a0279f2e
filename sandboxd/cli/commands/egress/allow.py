"""Let a name through, for a time, in all sandboxes of this project, whichever `--name` says; on a cluster, in one.

To allow a name means that whatever runs inside may do anything there, sending your files included. What
a policy denies, and addresses that are never dialled (this machine, link-local, metadata), no approval
opens. `sandboxd egress promote` makes it a rule that lasts.
"""

from __future__ import annotations

import time

from sandboxd import terminal
from sandboxd.cli.commands.egress import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "let a name through, for a time"


def configure(parser: argparse.ArgumentParser) -> None:
    _asking.add_host(parser)
    parser.add_argument(
        "--for",
        dest="duration",
        metavar="TIME",
        default="24h",
        help="how long: `30m`, `2h`, `7d` (default: 24h)",
    )
    parser.add_argument("--once", action="store_true", help="for one connection only")


def run(args: argparse.Namespace) -> int:
    from sandboxd.egress import words
    from sandboxd.operations.egress.durations import seconds

    answer = _asking.ask(
        args, "allow", text=args.host, duration=seconds(args.duration), once=args.once
    )
    length = _asking.when(answer["until"], answer["once"], time.time())
    terminal.status(f"allowed {length}: `{answer['name']}` at {_asking.ports(answer['ports'])}")
    terminal.status(words.CONSEQUENCE)
    if answer["replaced"]:
        terminal.status(f"you had denied `{answer['name']}`: that denial is gone")
    _asking.say_whether_live(args, answer)
    terminal.status(
        f"`sandboxd egress promote {_asking.word(args.host)}` makes it a rule of sandboxd.toml"
    )
    return 0
