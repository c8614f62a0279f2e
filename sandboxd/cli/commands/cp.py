"""Copy files into the sandbox, or out of it: `sandboxd cp FILE :FOLDER`, `sandboxd cp :FILE FOLDER`.

What begins with a colon is inside, from the folder that you stand in; before the colon there may be the name of one
of several sandboxes (`login:notes.md`). A folder is copied with all that is in it.

What comes out is written as `sandboxd review` writes: links are neither followed nor made, nothing goes into a
`.git`, and files that tools on the host act upon come only with `--include`.
"""

from __future__ import annotations

from sandboxd import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

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
    from sandboxd.operations import copying

    directory = _sandbox.folder(args)
    backend = _sandbox.backend(args)
    if target is not None:
        count = copying.copy_in(backend, directory, args.source, path or ".", name)
        terminal.status(f"copied in: {terminal.count(count, 'file')}")
        return EXIT_OK
    copied = copying.copy_out(backend, directory, path, args.target, name, args.include)
    for left, why in copied.left:
        terminal.status(f"`{terminal.one_line(left)}` was not copied: {why}")
    terminal.status(f"copied out: {terminal.count(copied.files, 'file')}")
    return EXIT_ENVIRONMENT if copied.left and not copied.files else EXIT_OK


def _inside(text: str) -> tuple[str, str] | None:
    """The sandbox's name and the path inside; None for a path of the host: `./a:b` is one."""
    from sandboxd.model.sandbox_id import check_name

    name, colon, path = text.partition(":")
    if not colon or "/" in name:
        return None
    return check_name(name), path
