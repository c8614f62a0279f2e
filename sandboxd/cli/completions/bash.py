"""Bash 3.2 or newer, without the `bash-completion` package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sandboxd.cli.command_tree import COMMAND, FILES, FOLDERS, WORDS, Command, Values

_ENGINE = r"""
_sandboxd_offer() { # KIND [WORD ...]: candidates that begin with $cur
    local IFS=$'\n' kind=$1
    shift
    case $kind in
        words) COMPREPLY=($(compgen -W "$*" -- "$cur")) ;;
        files) COMPREPLY=($(compgen -f -- "$cur")) ;;
        folders) COMPREPLY=($(compgen -d -- "$cur")) ;;
        command) COMPREPLY=($(compgen -c -f -- "$cur")) ;;
    esac
    # Bash quotes what it knows to be names of files, which a repository may have made up to be
    # commands; where it cannot be told so (3.2), it is done here.
    case $kind in
        files | folders | command)
            compopt -o filenames 2>/dev/null || [ ${#COMPREPLY[@]} = 0 ] ||
                COMPREPLY=($(printf '%q\n' "${COMPREPLY[@]}"))
            ;;
    esac
}

_sandboxd() {
    local cur=${COMP_WORDS[COMP_CWORD]} where= awaited= place=0 i word
    COMPREPLY=()
    # Bash splits `--format=json` at the `=`.
    [ "$cur" = "=" ] && cur=
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [ "$word" = "=" ]; then
            continue
        elif [ -n "$awaited" ]; then
            awaited=
        elif [ "$word" = "--" ]; then
            _sandboxd_offer command
            return
        elif _sandboxd_takes_value "$where" "$word"; then
            awaited=$word
        elif [[ $word == -* ]]; then
            continue
        elif _sandboxd_is_command "$where $word"; then
            where="$where $word"
        else
            place=$((place + 1))
        fi
    done
    if [ -n "$awaited" ]; then
        _sandboxd_value "$where" "$awaited"
    elif [[ $cur == -* ]]; then
        _sandboxd_options "$where"
    else
        _sandboxd_place "$where" "$place"
    fi
}

complete -F _sandboxd sandboxd
"""


def script(commands: Sequence[Command]) -> str:
    """The script for `commands`."""
    every = [each for command in commands for each in (command, *command.actions)]
    parts = [
        "# bash completion for sandboxd; made by `sandboxd completion bash`\n",
        _function("is_command", [(_where(each), ":") for each in every], '"$1"', "return 1"),
        _function(
            "takes_value",
            [(f"{_where(each)}:{name}", ":") for each, name, _ in _options_with_value(every)],
            '"$1:$2"',
            "return 1",
        ),
        _function(
            "value",
            [
                (f"{_where(each)}:{name}", _offer(values))
                for each, name, values in _options_with_value(every)
            ],
            '"$1:$2"',
        ),
        _function("options", [("", _words(("--help", "--version"))), *_options(every)], '"$1"'),
        _function(
            "place",
            [(":0", _words(each.words[0] for each in commands)), *_places(every)],
            '"$1:$2"',
        ),
        _ENGINE.lstrip("\n"),
    ]
    return "\n".join(parts)


def _where(command: Command) -> str:
    return "".join(f" {word}" for word in command.words)


def _options_with_value(every: Sequence[Command]) -> Iterable[tuple[Command, str, Values]]:
    for command in every:
        for option in command.options:
            if option.values is not None:
                for name in option.names:
                    yield command, name, option.values


def _options(every: Sequence[Command]) -> Iterable[tuple[str, str]]:
    for command in every:
        yield (
            _where(command),
            _words(name for option in command.options for name in option.names),
        )


def _places(every: Sequence[Command]) -> Iterable[tuple[str, str]]:
    for command in every:
        where = _where(command)
        if command.actions:
            yield f"{where}:0", _words(action.words[-1] for action in command.actions)
        for number, argument in enumerate(command.arguments):
            place = "*" if argument.repeated else str(number)
            yield f"{where}:{place}", _offer(argument.values)


def _offer(values: Values) -> str:
    if values.kind == WORDS:
        return _words(values.words)
    return f"_sandboxd_offer {values.kind}" if values.kind in (FILES, FOLDERS, COMMAND) else ":"


def _words(words: Iterable[str]) -> str:
    # `compgen -W` splits at what IFS holds, which here is the end of a line.
    return "_sandboxd_offer words $'" + r"\n".join(words) + "'"


def _function(name: str, cases: Iterable[tuple[str, str]], of: str, otherwise: str = "") -> str:
    """A shell function with one `case` of each pattern; patterns with the same action share a line."""
    shared: dict[str, list[str]] = {}
    for pattern, action in cases:
        quoted = f"'{pattern[:-1]}'*" if pattern.endswith("*") else f"'{pattern}'"
        shared.setdefault(action, []).append(quoted)
    lines = [f"        {' | '.join(patterns)}) {action} ;;" for action, patterns in shared.items()]
    if otherwise:
        lines.append(f"        *) {otherwise} ;;")
    return f"_sandboxd_{name}() {{\n    case {of} in\n" + "\n".join(lines) + "\n    esac\n}\n"
