"""Options of a command from the fields of an operation's type (`operations.option`), and back. Imports nothing slow."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, TypeVar

    from sandboxd.operations.option import Options

    OptionsT = TypeVar("OptionsT", bound=Options)


def add(
    parser: argparse.ArgumentParser, options: type[Options], *fields: str, before: str = ""
) -> None:
    """Add the options that fields of `options` are.

    :param fields: their names; none for all that are not those of its base
    :param before: what their help begins with
    """
    for name in fields or options.own_arguments:
        each = options.arguments[name]
        text = before + each.help
        if isinstance(each.default, bool):
            parser.add_argument(*each.spellings, action="store_true", help=text)
        elif isinstance(each.default, int):
            text += f" (default: {each.default})"
            parser.add_argument(
                *each.spellings, type=int, default=each.default, metavar=each.metavar, help=text
            )
        elif each.default is None or isinstance(each.default, str):
            if each.default:
                text += f" (default: {each.default})"
            parser.add_argument(
                *each.spellings, default=each.default, metavar=each.metavar, help=text
            )
        else:
            parser.add_argument(
                *each.spellings, action="append", default=[], metavar=each.metavar, help=text
            )


def chosen(args: argparse.Namespace, options: type[OptionsT], **more: object) -> OptionsT:
    """The options as they were typed, with files of variables read; a field that is no option of the command has its
    default.

    :param more: values of fields, whatever was typed
    :raises UsageError: such a file cannot be read
    """
    values = {
        name: _value(getattr(args, each.dest), each.default)
        for name, each in options.arguments.items()
        if hasattr(args, each.dest)
    }
    make: Any = options
    result: OptionsT = make(**{**values, **more})
    return result


def needs(options: type[Options]) -> dict[str, str]:
    """Argument name -> value of the `Ability` that it needs, for each option that not every backend has."""
    return {each.dest: each.needs for each in options.arguments.values() if each.needs}


def _value(typed: Any, default: object) -> object:
    if isinstance(default, bool):
        return not default if typed else default
    if isinstance(default, int):
        return typed
    if default is None or isinstance(default, str) or not typed:
        return typed or default
    from sandboxd.cli import env_file

    return env_file.read(typed)
