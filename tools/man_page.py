"""The manual page `sandboxd(1)`, from the commands' own parsers and docstrings.

A wheel gets it when it is built (`tools/build_hook.py`), so it cannot be out of date. To look at
it: `python -m tools.man_page | man -l -`.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Iterator

from sandboxd import __version__, errors
from sandboxd.cli import command_tree
from sandboxd.cli.command_tree import Argument, Command, Option

_ABOUT = """Finds what a dev container config gives away, generates a sandboxed one, runs the workspace in it and
proves that it holds.

`sandboxd check` needs nothing but the files. To run a project in a sandbox, `sandboxd init` writes its
`sandboxd.toml`, `sandboxd up` starts it, `sandboxd verify` attacks it from inside, and `sandboxd status`
says what is really in force.

Data goes to standard output, everything else to standard error."""

EXITS = {
    errors.EXIT_OK: "all is well",
    errors.EXIT_FINDINGS: "findings at or above the threshold; a file would change (`generate --check`)",
    errors.EXIT_USAGE: "the command line or a config file is wrong, or a file could not be read",
    errors.EXIT_BUG: "a bug in sandboxd; a report to paste into an issue is written",
    errors.EXIT_ENVIRONMENT: "the machine lacks something: no engine, no permission, no image",
    errors.EXIT_DAEMON: "the daemon cannot be reached or answers wrongly",
    errors.EXIT_NOT_HELD: "the sandbox did not hold, or is not what was planned",
}
_FILES = {
    "sandboxd.toml": "what a project asks for, at its root",
    "~/.config/sandboxd/policy.toml": "what you demand of every project",
    "/etc/sandboxd/policy.toml": "what an organisation demands of every project",
    "$XDG_RUNTIME_DIR/sandboxd-UID-*/daemon.sock": "the daemon's socket, private to you",
}
_ENVIRONMENT = {
    "DOCKER_HOST": "the engine, as for docker; without it the current context counts",
    "DOCKER_CONTEXT": "the docker context to use",
    "SANDBOXD_NO_DAEMON": "when it is set, no command starts the daemon by itself",
    "NO_COLOR": "when it is set, nothing is coloured",
    "XDG_CONFIG_HOME": "the folder of your policy and grants (default: ~/.config)",
    "XDG_RUNTIME_DIR": "the folder of the daemon's socket",
}


def page() -> str:
    """The page in the `man` macros that groff and mandoc both read."""
    commands = command_tree.commands()
    lines = [
        f'.TH SANDBOXD 1 "" "sandboxd {_plain(__version__)}" "User Commands"',
        ".nh",  # a command that is divided cannot be pasted
        ".SH NAME",
        r"sandboxd \- check dev container configs, run workspaces in sandboxes",
        ".SH SYNOPSIS",
        ".B sandboxd",
        r"\fICOMMAND\fR [\fIARGUMENT\fR ...]",
        ".PP",
        r"\fBsandboxd\fR \fICOMMAND\fR \fB\-\-help\fR",
        ".PP",
        r"\fBsandboxd \-\-version\fR",
        ".SH DESCRIPTION",
        *_prose(_ABOUT),
        ".SH COMMANDS",
        *(line for command in commands for line in _command(command)),
        ".SH EXIT STATUS",
        *_list((str(code), text) for code, text in EXITS.items()),
        *_code_of_exec(),
        ".SH FILES",
        *_list(_FILES.items()),
        ".SH ENVIRONMENT",
        *_list(_ENVIRONMENT.items()),
        ".SH SEE ALSO",
        r"\fBdocker\fR(1), \fBrunsc\fR(1)",
    ]
    return "\n".join(lines) + "\n"


def _code_of_exec() -> Iterator[str]:
    yield ".PP"
    yield from _prose(
        "`sandboxd exec` and `sandboxd shell` end with the exit code of what they ran."
    )


def _command(command: Command) -> Iterator[str]:
    yield f".SS {_plain(' '.join(command.words))}"
    yield _synopsis(command)
    if command.description:
        yield ".PP"
        yield from _prose(command.description)
    for action in command.actions:
        yield ".TP"
        yield _synopsis(action)
        yield from _sentence(action.summary)
        if _shown(action):
            yield ".RS"
            yield from _arguments(action)
            yield ".RE"
    yield from _arguments(command)


def _shown(command: Command) -> tuple[Option, ...]:
    """Without `--help`, which every command has."""
    return tuple(option for option in command.options if "--help" not in option.names)


def _synopsis(command: Command) -> str:
    words = [rf"\fBsandboxd {_plain(' '.join(command.words))}\fR"]
    if command.actions:
        words.append(r"\fIACTION\fR")
    if _shown(command):
        words.append(r"[\fIOPTION\fR ...]")
    for argument in command.arguments:
        word = _place(argument) + (" ..." if argument.repeated else "")
        words.append(word if argument.needed else f"[{word}]")
    return " ".join(words)


def _place(argument: Argument) -> str:
    words = argument.values.words
    if 0 < len(words) <= 6:
        return "|".join(rf"\fB{_plain(word)}\fR" for word in words)
    return rf"\fI{_plain(argument.label)}\fR"


def _arguments(command: Command) -> Iterator[str]:
    for argument in command.arguments:
        if argument.help:
            yield from (".TP", _place(argument), *_sentence(argument.help))
    for option in _shown(command):
        names = ", ".join(rf"\fB{_plain(name)}\fR" for name in option.names)
        value = rf" \fI{_plain(option.label)}\fR" if option.values is not None else ""
        yield from (".TP", names + value, *_sentence(option.help))
        if option.values is not None and option.values.words:
            words = ", ".join(rf"\fB{_plain(word)}\fR" for word in option.values.words)
            yield from _wrapped(f"One of {words}.")


def _list(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for head, text in rows:
        yield from (".TP", rf"\fB{_plain(head)}\fR", *_sentence(text))


def _prose(text: str) -> Iterator[str]:
    """Paragraphs, and what is indented as it stands."""
    for number, block in enumerate(text.split("\n\n")):
        if number:
            yield ".PP"
        if block.startswith("    "):
            yield ".EX"
            yield from (_line(_plain(line)) for line in block.split("\n"))
            yield ".EE"
        else:
            yield from _text(" ".join(block.split("\n")))


def _text(text: str) -> list[str]:
    """Prose; what stands in backticks is bold."""
    parts = re.split(r"`([^`]*)`", text)
    formatted = [
        rf"\fB{_plain(part)}\fR" if n % 2 else _plain(part) for n, part in enumerate(parts)
    ]
    return _wrapped("".join(formatted))


def _sentence(text: str) -> list[str]:
    """A help text, which begins with a small letter and has no full stop."""
    return _text(f"{text[:1].upper()}{text[1:]}.")


def _wrapped(text: str) -> list[str]:
    # A line is to have at most 80 bytes, once roff has a symbol as `\[u2713]`.
    for width in range(78, 39, -1):
        wrapped = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
        if all(len(line) + 7 * _symbols(line) <= 80 or " " not in line for line in wrapped):
            break
    return [_line(line) for line in wrapped]


def _symbols(text: str) -> int:
    return sum(not char.isascii() for char in text)


def _line(text: str) -> str:
    """No text may begin like a request."""
    return rf"\&{text}" if text.startswith((".", "'")) else text


def _plain(text: str) -> str:
    """For roff: a backslash, and hyphens that can be pasted into a shell."""
    return text.replace("\\", r"\e").replace("-", r"\-").replace("^", r"\(ha").replace("~", r"\(ti")


if __name__ == "__main__":
    sys.stdout.write(page())
