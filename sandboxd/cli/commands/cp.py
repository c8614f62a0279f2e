"""Copy files into the sandbox, or out of it: `sandboxd cp FILE :FOLDER`, `sandboxd cp :FILE FOLDER`.

What begins with a colon is inside, from the folder that you stand in; before the colon there may be the name of one
of several sandboxes (`login:notes.md`). A folder is copied with all that is in it.

What comes out is written as `sandboxd review` writes: links are neither followed nor made, nothing goes into a
`.git`, and files that tools on the host act upon come only with `--include`.
"""

from __future__ import annotations

import os

from sandboxd import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from sandboxd.review.copy_out import Copied

HELP = "copy files into the project's sandbox, or out of it"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    _sandbox.add_on(parser)
    parser.add_argument("source", metavar="SOURCE", help="a file or folder; `:PATH` is inside")
    parser.add_argument("target", metavar="TARGET", help="a file or folder; `:PATH` is inside")
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="PATH",
        help="also this file that tools on the host act upon; can be given more than once",
    )


def run(args: argparse.Namespace) -> int:
    source, target = _inside(args.source), _inside(args.target)
    if (source is None) == (target is None):
        raise UsageError(
            "one of both has to be inside",
            "`sandboxd cp FILE :` goes in, `sandboxd cp :FILE .` comes out",
        )
    name, path = target or source or ("", "")
    into, out_of = _ways(args, name)
    if target is not None:
        count = into(args.source, path or ".")
        terminal.status(f"copied in: {terminal.count(count, 'file')}")
        return EXIT_OK
    copied = out_of(path, args.target, args.include)
    for left, why in copied.left:
        terminal.status(f"`{terminal.one_line(left)}` was not copied: {why}")
    terminal.status(f"copied out: {terminal.count(copied.files, 'file')}")
    return EXIT_ENVIRONMENT if copied.left and not copied.files else EXIT_OK


def _ways(
    args: argparse.Namespace, name: str
) -> tuple[Callable[[str, str], int], Callable[[str, str, list[str]], Copied]]:
    """The way into the sandbox `name`, and the way out of it."""
    directory = _sandbox.folder(args)
    if args.on:
        from sandboxd.operations.on_cluster import copying as on_cluster
        from sandboxd.operations.on_cluster.target import target

        where = target(args.on, directory, name, os.environ)
        return (
            lambda source, path: on_cluster.copy_in(where, source, path),
            lambda path, to, include: on_cluster.copy_out(where, path, to, include),
        )
    from sandboxd.operations import copying

    engine = _sandbox.connect()
    return (
        lambda source, path: copying.copy_in(engine, directory, source, path, name),
        lambda path, to, include: copying.copy_out(engine, directory, path, to, name, include),
    )


def _inside(text: str) -> tuple[str, str] | None:
    """The sandbox's name and the path inside; None for a path of the host: `./a:b` is one."""
    from sandboxd.model.sandbox_id import check_name

    name, colon, path = text.partition(":")
    if not colon or "/" in name:
        return None
    return check_name(name), path
