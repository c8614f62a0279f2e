"""docs/commands.md, from the commands' docstrings and arguments."""

from __future__ import annotations

from argparse import SUPPRESS, Action, ArgumentParser, _SubParsersAction

from sandboxd.cli.main import build_parser, command_names, load_command


def page() -> str:
    """Each command with its arguments, and below it each of its actions."""
    parts = ["# Commands\n"]
    for name in command_names():
        parts += _sections("##", build_parser(name, load_command(name)))
    return "\n".join(parts)


def _sections(heading: str, parser: ArgumentParser) -> list[str]:
    about = (parser.description or "").strip()
    parts = [f"{heading} {parser.prog}", about, "\n".join(map(_line, _shown(parser)))]
    texts = ["\n\n".join(filter(None, parts)) + "\n"]
    for actions in parser._actions:
        if isinstance(actions, _SubParsersAction):
            index = [f"- `{each.dest}`: {each.help}" for each in actions._choices_actions]
            texts[0] = "\n".join(filter(None, [texts[0], *index])) + "\n"
            # An action without arguments or a text of its own is told by its line.
            for each in actions.choices.values():
                if each.description or _shown(each):
                    texts += _sections(f"{heading}#", each)
    return texts


def _shown(parser: ArgumentParser) -> list[Action]:
    return [
        action
        for action in parser._actions
        if action.dest != "help"
        and action.help != SUPPRESS
        and not isinstance(action, _SubParsersAction)
    ]


def _line(action: Action) -> str:
    """One argument in a list. Not argparse's own help: its form differs between Pythons."""
    return f"- `{_spelling(action)}`: {action.help}"


def _spelling(action: Action) -> str:
    named = action.metavar or "|".join(action.choices or ())
    value = named if isinstance(named, str) else " ".join(named)
    if not action.option_strings:
        return str(value or action.dest)
    shown = "" if action.nargs == 0 else f" {value or action.dest.upper()}"
    return ", ".join(action.option_strings) + shown
