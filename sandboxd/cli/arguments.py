"""Options of a command from the fields of an operation's type (`operations.option`), and back. Imports nothing slow."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, TypeVar

    from sandboxd.operations.option import Options

    OptionsT = TypeVar("OptionsT", bound=Options)


def add(parser: argparse.ArgumentParser, options: type[Options], *fields: str) -> None:
    """Add the options that fields of `options` are.

    :param fields: their names; none for all
    """
    for name, each in options.arguments.items():
        if fields and name not in fields:
            continue
        if isinstance(each.default, bool):
            parser.add_argument(each.option, action="store_true", help=each.help)
        elif isinstance(each.default, str):
            parser.add_argument(
                each.option, default=each.default, metavar=each.metavar, help=each.help
            )
        else:
            parser.add_argument(
                each.option, action="append", default=[], metavar=each.metavar, help=each.help
            )


def chosen(args: argparse.Namespace, options: type[OptionsT], **more: object) -> OptionsT:
    """What was typed, with files of variables read; the fields in `more` have these values instead.

    :raises UsageError: such a file cannot be read
    """
    values = {
        name: _value(getattr(args, each.dest), each.default)
        for name, each in options.arguments.items()
    }
    make: Any = options
    result: OptionsT = make(**{**values, **more})
    return result


def on_cluster(options: type[Options]) -> dict[str, str]:
    """What to do instead of each option that has no meaning on a cluster, by its name in the parsed arguments."""
    return {each.dest: each.on_cluster for each in options.arguments.values() if each.on_cluster}


def _value(typed: Any, default: object) -> object:
    if isinstance(default, bool):
        return not default if typed else default
    if isinstance(default, str) or not typed:
        return typed or default
    from sandboxd.cli import env_file

    return env_file.read(typed)
