"""Fish 3 or newer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sandboxd.cli.command_tree import COMMAND, FILES, FOLDERS, WORDS, Command, Option, Values

_HEAD = """# made by `sandboxd completion fish`

function __sandboxd_is --description 'whether these words begin the command line'
    set -l words (commandline -opc)
    set -l wanted (count $argv)
    set -e words[1]
    test (count $words) -ge $wanted; or return
    test $wanted -eq 0; or test "$words[1..$wanted]" = "$argv"
end

function __sandboxd_ends --description 'whether these words are the command line so far'
    __sandboxd_is $argv; and test (count (commandline -opc)) -eq (math (count $argv) + 1)
end

function __sandboxd_lacks --description 'whether none of these words is there yet'
    for word in (commandline -opc)
        contains -- $word $argv; and return 1
    end
    return 0
end

complete -c sandboxd -f
complete -c sandboxd -n __sandboxd_ends -s h -l help -d 'show all commands'
complete -c sandboxd -n __sandboxd_ends -l version -d 'print the version'
"""


def script(commands: Sequence[Command]) -> str:
    """The script for `commands`."""
    lines = [_HEAD]
    for command in commands:
        lines.append(_action(command))
        for each in (command, *command.actions):
            lines += [_action(inner) for inner in each.actions]
            lines += [_option(each, option) for option in each.options]
            lines += _places(each)
    return "\n".join(lines) + "\n"


def _action(command: Command) -> str:
    where = " ".join(["__sandboxd_ends", *command.words[:-1]])
    return _complete(where, f"-a {command.words[-1]}", command.summary)


def _option(command: Command, option: Option) -> str:
    words = [
        f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
    ]
    if option.values is not None:
        words.append(_value(option.values))
    return _complete(_is(command), " ".join(words), option.help)


def _places(command: Command) -> Iterator[str]:
    for argument in command.arguments:
        values = argument.values
        if values.kind == WORDS:
            lacks = f"; and __sandboxd_lacks {' '.join(values.words)}"
            where = _is(command) + ("" if argument.repeated else lacks)
            yield _complete(where, f"-a {_quote(_join(values.words))}", argument.help)
        elif values.kind == FOLDERS:
            yield _complete(_is(command), "-a '(__fish_complete_directories)'", "")
        elif values.kind == COMMAND:
            yield _complete(_is(command), "-a '(__fish_complete_subcommand --fcs-skip=2)'", "")
        elif values.kind == FILES:
            yield _complete(_is(command), "-F", "")


def _value(values: Values) -> str:
    if values.kind == WORDS:
        return f"-x -a {_quote(_join(values.words))}"
    if values.kind == FOLDERS:
        return "-x -a '(__fish_complete_directories)'"
    return "-r -F" if values.kind == FILES else "-x"


def _is(command: Command) -> str:
    return " ".join(["__sandboxd_is", *command.words])


def _join(words: Iterable[str]) -> str:
    return " ".join(words)


def _complete(where: str, what: str, about: str) -> str:
    line = f"complete -c sandboxd -n {_quote(where)} {what}"
    return f"{line} -d {_quote(about)}" if about else line


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
