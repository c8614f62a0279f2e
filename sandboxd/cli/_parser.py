"""The parser of commands, in a module of its own: importing `argparse` costs what a check does."""

from __future__ import annotations

import argparse

from sandboxd import terminal
from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


_UNKNOWN = "unrecognized arguments: "
_BESIDE = "not allowed with argument "
_NUMBERS = {"invalid int": "whole number", "invalid float": "number"}
_QUOTES = "'\""
_REQUIRED = "the following arguments are required: "
_OF_THE_FILE = {
    "--profile": "the line `profile = ...` in sandboxd.toml chooses it",
    "--on": "on a cluster work `up`, `exec`, `shell`, `forward`, `cp`, `logs`, `status`, `list`, `review`, `drift`, `verify`, `down`, `doctor`, `agent` and `egress log`, `check`, `allow`, `deny`",
    "--here": "no sandboxd.toml sends this command to a cluster: without `--on` it is about this machine",
    "--image": "the line `image = ...` in sandboxd.toml chooses it",
}
"""Options that people look for in other commands, each with the way to go."""


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Fills the paragraphs of a docstring to the terminal; what is indented stays as it is."""

    def __init__(self, prog: str, *more: Any, **settings: Any) -> None:
        # Without a width argparse imports `shutil`, which imports three compression libraries.
        settings.setdefault("width", terminal.width() - 2)
        super().__init__(prog, *more, **settings)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        import textwrap

        paragraphs = text.strip().split("\n\n")
        return "\n\n".join(
            textwrap.indent(part, indent)
            if part.startswith(" ")
            else textwrap.fill(
                part,
                width,
                initial_indent=indent,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
            for part in paragraphs
        )


def _in_our_words(message: str) -> str:
    """An error of argparse about one argument; any other as it is."""
    names, colon, fault = message.partition(": ")
    if not message.startswith("argument ") or not colon:
        return message
    name = names.removeprefix("argument ").rpartition("/")[2]
    if fault.startswith("ignored explicit argument"):
        return f"`{name}` takes no value"
    if fault.startswith("expected "):
        return f"`{name}` needs a value"
    if fault.startswith(_BESIDE):
        return f"`{name}` does not go with `{fault.removeprefix(_BESIDE).rpartition('/')[2]}`"
    kind, _, value = fault.partition(" value: ")
    if kind in _NUMBERS and value:
        return f"`{value.strip(_QUOTES)}` is no {_NUMBERS[kind]} for `{name}`"
    return message


def parse(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """The arguments of a command, whose options may stand before, between and behind its own words.

    :raises UsageError: they are not what the command takes
    """
    positionals = parser._get_positional_actions()
    # Before Python 3.13 argparse takes a second word that may be absent for absent at the first option.
    if len(positionals) > 1 and all(action.nargs in (None, "?") for action in positionals):
        return parser.parse_intermixed_args(words)
    return parser.parse_args(words)


class Parser(argparse.ArgumentParser):
    """Reports a usage error like every other error, and knows an option by its whole name alone."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        # An abbreviation means another option, or none, as soon as a version adds one.
        self.allow_abbrev = False

    def error(self, message: str) -> NoReturn:
        if message.startswith(_REQUIRED):
            raise self._missing(message.removeprefix(_REQUIRED).split(", ")[0])
        if message.startswith(_UNKNOWN):
            raise self._unknown(message.removeprefix(_UNKNOWN).split()[0])
        raise UsageError(_in_our_words(message), self._see_help())

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, unknown = super().parse_known_args(args, namespace)
        if unknown and self.prog.count(" ") > 1:
            # Else the command reports what its action does not know, without the options of the action.
            self.error(_UNKNOWN + " ".join(unknown))
        return known, unknown

    def _missing(self, name: str) -> UsageError:
        """The error about a word that the command needs, with the words that it may be."""
        for action in self._get_positional_actions():
            words = list(map(str, action.choices or ()))
            if words and name == action.dest and not action.metavar:
                # The argument's own name is shown nowhere else.
                return UsageError(f"`{'` or `'.join(words)}` is missing", self._see_help())
            if words and name == action.metavar:
                choices = ", ".join(f"`{word}`" for word in words)
                return UsageError(f"`{name}` is missing", f"choose one of {choices}")
        return UsageError(f"`{name}` is missing", self._see_help())

    def _see_help(self) -> str:
        return f"see `{self.prog} --help`"

    def _unknown(self, word: str) -> UsageError:
        """The error about a word that the command has no use for, with the nearest option."""
        from difflib import get_close_matches

        name = word.partition("=")[0]
        if not name.startswith("-"):
            takes_project = "--project" in self._option_string_actions
            other = f"another project is `--project {word}`; " if takes_project else ""
            return UsageError(f"`{word}` is one argument too many", other + self._see_help())
        if name in _OF_THE_FILE:
            return UsageError(f"there is no option `{name}`", _OF_THE_FILE[name])
        known = list(self._option_string_actions)
        close = [option for option in known if option.startswith(name)]
        close = close or get_close_matches(name, known, n=1, cutoff=0.7)
        hint = f"did you mean `{close[0]}`? " if close else ""
        return UsageError(f"there is no option `{name}`", hint + self._see_help())

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse's own sentence differs between Pythons.
        if action.choices is not None and value not in action.choices:
            name = f" of `{action.option_strings[-1]}`" if action.option_strings else ""
            raise UsageError(
                f"`{value}` is no choice{name}",
                "choose one of " + ", ".join(f"`{choice}`" for choice in action.choices),
            )
