"""The command line as data, read from the commands' own parsers: for completions and the man page."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

from sandboxd.cli.main import build_parser, command_names, load_command

WORDS, FILES, FOLDERS, COMMAND, ANYTHING = "words", "files", "folders", "command", "anything"


class Values(NamedTuple):
    """The values that a place of the command line takes: these words, else files, folders, a command line, or anything."""

    kind: str = ANYTHING
    words: tuple[str, ...] = ()


class Option(NamedTuple):
    """One option of a command."""

    names: tuple[str, ...]
    help: str
    values: Values | None
    """None for a switch, which takes no value."""
    label: str
    """The name of its value in help texts."""


class Argument(NamedTuple):
    """A word by its place on the command line."""

    label: str
    help: str
    values: Values
    needed: bool
    repeated: bool


class Command(NamedTuple):
    """A command, or an action of one (`sandboxd daemon start`); `words` lead to it."""

    words: tuple[str, ...]
    summary: str
    description: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    actions: tuple[Command, ...]


def commands() -> tuple[Command, ...]:
    """All commands, in alphabetical order."""
    return tuple(_command(name) for name in command_names())


def everything() -> tuple[Command, ...]:
    """All commands, each followed by its actions."""
    return tuple(each for command in commands() for each in (command, *command.actions))


def _command(name: str) -> Command:
    module = load_command(name)
    parser = build_parser(name, module)
    return _read(parser, (name,), module.HELP, (module.__doc__ or "").strip())


def _read(
    parser: argparse.ArgumentParser, words: tuple[str, ...], summary: str, description: str
) -> Command:
    options, arguments, actions = [], [], []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            summaries = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, inner in action.choices.items():
                actions.append(_read(inner, (*words, name), summaries[name], ""))
        elif action.help == argparse.SUPPRESS:
            continue
        elif action.option_strings:
            values = None if action.nargs == 0 else _values(action)
            options.append(
                Option(tuple(action.option_strings), action.help or "", values, _label(action))
            )
        else:
            arguments.append(
                Argument(
                    _label(action),
                    action.help or "",
                    _values(action),
                    needed=_is_required(action),
                    repeated=action.nargs in ("*", "+", argparse.REMAINDER),
                )
            )
    return Command(words, summary, description, tuple(options), tuple(arguments), tuple(actions))


def _is_required(action: argparse.Action) -> bool:
    """Whether an argument has to be given. To argparse `*` is required, although it may be empty."""
    if action.nargs == "*":
        return False
    return action.required or action.nargs == argparse.REMAINDER


def _label(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return action.dest.upper()


def _values(action: argparse.Action) -> Values:
    if action.choices:
        return Values(WORDS, tuple(str(choice) for choice in action.choices))
    if not action.option_strings and action.dest == "path":
        return Values(FOLDERS)
    values = _NAMED.get(_label(action))
    return values() if values is not None else Values()


def _rules() -> Values:
    from sandboxd import rules

    return Values(WORDS, tuple(rules.ids()))


def _profiles() -> Values:
    from sandboxd.config.values import profile_names

    return Values(WORDS, profile_names())


def _templates() -> Values:
    from sandboxd import templates

    return Values(WORDS, templates.names())


def _purposes() -> Values:
    from sandboxd.plan.recommend import PURPOSES

    return Values(WORDS, tuple(purpose.name for purpose in PURPOSES))


def _sources() -> Values:
    from sandboxd.setup.gvisor import SOURCES

    return Values(WORDS, SOURCES)


# The possible values of an argument, by the name that `--help` shows for it.
_NAMED: dict[str, Callable[[], Values]] = {
    "FILE": lambda: Values(FILES),
    "F": lambda: Values(FILES),
    "PATH": lambda: Values(FILES),
    "DIR": lambda: Values(FOLDERS),
    "COMMAND": lambda: Values(COMMAND),
    "PURPOSE": _purposes,
    "RULE": _rules,
    "SOURCE": _sources,
    "PROFILE": _profiles,
    "TEMPLATE": _templates,
}
