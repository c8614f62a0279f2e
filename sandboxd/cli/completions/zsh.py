"""Zsh 5, by `_arguments`; works as a file of `$fpath` and when it is sourced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sandboxd.cli.command_tree import (
    COMMAND,
    FILES,
    FOLDERS,
    WORDS,
    Argument,
    Command,
    Option,
    Values,
)

_HEAD = "#compdef sandboxd\n# made by `sandboxd completion zsh`\n"
_TAIL = """
if [ "$funcstack[1]" = "_sandboxd" ]; then
    _sandboxd "$@"
else
    compdef _sandboxd sandboxd
fi
"""
_ACTIONS = {FILES: "_files", FOLDERS: "_files -/", COMMAND: "_command_names -e"}


def script(commands: Sequence[Command]) -> str:
    """The script for `commands`."""
    top = Command((), "", "", (Option(("--version",), "print the version", None, ""),), (), ())
    top = top._replace(actions=tuple(commands), options=(*_HELP, *top.options))
    functions = [_function(each) for command in commands for each in (*command.actions, command)]
    return "\n".join([_HEAD, *functions, _function(top), _TAIL.lstrip("\n")])


_HELP = (Option(("-h", "--help"), "show what it does", None, ""),)


def _function(command: Command) -> str:
    lines = [f"{_name(command)}() {{"]
    if command.actions:
        lines += ["    local curcontext=$curcontext state line ret=1", "    local -a actions"]
    lines.append("    _arguments -s -S" + (" -C" if command.actions else "") + " \\")
    specs = [spec for option in command.options for spec in _option(option)]
    specs += _places(command)
    lines.append(" \\\n".join(f"        {spec}" for spec in specs))
    if command.actions:
        lines[-1] += " && ret=0"
        lines += _dispatch(command)
    return "\n".join([*lines, "}\n"])


def _name(command: Command) -> str:
    return "_".join(["_sandboxd", *(word.replace("-", "_") for word in command.words)])


def _dispatch(command: Command) -> Iterator[str]:
    yield "    case $state in"
    yield "        action)"
    yield "            actions=("
    for action in command.actions:
        words = action.words[-1].replace(":", r"\:")
        yield f"                {_quote(f'{words}:{action.summary}')}"
    yield "            )"
    yield "            _describe -t commands command actions && ret=0 ;;"
    yield "        rest)"
    yield "            curcontext=${curcontext%:*}-$line[1]:"
    yield "            case $line[1] in"
    for action in command.actions:
        yield f"                {action.words[-1]}) {_name(action)} && ret=0 ;;"
    yield "            esac ;;"
    yield "    esac"
    yield "    return ret"


def _option(option: Option) -> Iterator[str]:
    about = option.help.replace("[", r"\[").replace("]", r"\]")
    value = f":{_plain(option.label)}:{_action(option.values)}" if option.values else ""
    others = f"({' '.join(option.names)})" if len(option.names) > 1 else ""
    for name in option.names:
        equals = "=" if value and name.startswith("--") else ""
        yield _quote(f"{others}{name}{equals}[{about}]{value}")


def _places(command: Command) -> Iterable[str]:
    if command.actions:
        return ["'1:command:->action'", "'*::argument:->rest'"]
    if any(argument.values.kind == COMMAND for argument in command.arguments):
        return ["'(-)1:command:_command_names -e'", "'*::argument:_normal'"]
    return [_place(argument) for argument in command.arguments]


def _place(argument: Argument) -> str:
    label = _plain(argument.label)
    if argument.repeated:
        return _quote(f"*:{label}:{_action(argument.values)}")
    return _quote(f"{'' if argument.needed else ':'}:{label}:{_action(argument.values)}")


def _action(values: Values) -> str:
    return f"({' '.join(values.words)})" if values.kind == WORDS else _ACTIONS.get(values.kind, "")


def _plain(text: str) -> str:
    return text.replace(":", r"\:")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
