"""The programs in a setting of git: which settings have a command line, and which words of it are paths."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from sandboxd.syntax import shell_words

# Settings whose value is a command line, or the path of a program.
_COMMANDS = re.compile(
    r"core\.(fsmonitor|sshcommand|editor|pager|askpass|gitproxy|alternaterefscommand)|sequence\.editor|pager\..+|alias\..+"
    r"|diff\.external|diff\..+\.(command|textconv)|merge\..+\.driver|interactive\.difffilter"
    r"|filter\..+\.(clean|smudge|process)|credential\.(.+\.)?helper|gpg\.(.+\.)?program"
    r"|gpg\.ssh\.defaultkeycommand|trailer\..+\.(command|cmd)|uploadpack\.packobjectshook"
    r"|remote\..+\.(uploadpack|receivepack)|submodule\..+\.update|tar\..+\.command|hook\..+\.command"
    r"|gc\.recentobjectshook|lfs\.customtransfer\..+\.path|lfs\.extension\..+\.(clean|smudge)"
    r"|(difftool|mergetool|browser|man|guitool)\..+\.(cmd|path)|sendemail\.(.+\.)?(tocmd|cccmd|headercmd|sendmailcmd|smtpserver)|imap\.(.+\.)?tunnel"
    r"|svn\.authorsprog|secrets\.providers|instaweb\.(httpd|browser)|(annex|remote)\..+-(command|hook)"
)
# The folder in which git starts these commands, as people write it.
_TOP = re.compile(
    r"(?:\$\(|`)git rev-parse --show-toplevel(?:\)|`)|\$\{(?:PWD|GIT_WORK_TREE)\}|\$(?:PWD|GIT_WORK_TREE)\b"
)
_HOME = re.compile(r"\$\{HOME\}|\$HOME\b")
# What another command or variable says, at the beginning of a path.
_UNKNOWN = re.compile(r"^(?:\$\{?\w+\}?|.*[)`])/")
_RUN_A_FILE = re.compile(
    r"(?:.*/)?(?:(?:ba|da|z|k)?sh|python[\d.]*|node|deno|bun|ruby|perl|php|env|exec|sudo|nohup|time|command|\.|source)"
)
_PYTHON = re.compile(r"(?:.*/)?python[\d.]*")
# An option of Python by which it imports nothing from the folder in which it starts.
_ISOLATED = re.compile(r"-[A-HJ-OQ-Zabd-ln-z]*[IP][A-Za-z]*")
_MODULE = re.compile(r"-[A-Zabd-ln-z]*m(.*)")
# Tools that run what files of a project say, most of which a sandbox may write.
_RECIPES = re.compile(
    r"g?make|just|task|rake|npm|npx|pnpm|yarn|cargo|gradle|mvn|tox|nox|uv|poetry|pdm|hatch|composer|bundle|mix|bazel"
)
_BEGINS_A_COMMAND = frozenset(
    {"&&", "||", "|", "&", ";", "{", "(", "then", "else", "do", "if", "!"}
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_DEEPEST = 3
# Options of git and of ssh whose value is a command line, and subcommands of git before one.
_TAKES_A_COMMAND = re.compile(
    r"--(?:extcmd|exec|upload-pack|receive-pack|open-files-in-pager|[a-z]+-filter)|(?:-o)?(?:proxy|local|knownhosts)command",
    re.IGNORECASE,
)
_COMMAND_OF_SSH = re.compile(r"(?:-o)?(?:proxy|local|knownhosts)command\s(.+)", re.IGNORECASE)
_BEFORE_A_COMMAND_OF_GIT = frozenset(("-x", "run", "foreach"))
# How editors are told to run a file, and the options that are followed by such a command.
_SOURCES = re.compile(
    r"\s*:?(?:silent!?\s+)?(?:so(?:urce)?!?|ru(?:ntime)?!?|luafile|py3?file|load(?:-file)?)\s+(\S+)"
)
_BEFORE_A_COMMAND_OF_AN_EDITOR = frozenset(("-c", "--cmd", "-e", "--eval"))
# What stands between paths in one word: `--file=a`, `a:b`, `'source a'`, `@a`.
_NO_PATH = re.compile(r"""[\s=:,;|&<>(){}'"`@]+""")
_OF_AN_OPTION = re.compile(r"-[A-Za-z](?=.)")


class Word(NamedTuple):
    """A word of a command line that may be a path."""

    path: str
    """As it is written, with `~` for the home folder."""
    is_run: bool
    """Whether it is a program or a script that is run."""
    is_unknown: bool = False
    """Whether it begins with what another command or a variable says."""
    is_module: bool = False
    """Whether Python looks for it in the folder in which git runs it, and for what that imports: a module, or '' for code
    on the command line.
    """
    is_recipe: bool = False
    """Whether it is a tool that runs what a file of the project says, as `make` does."""
    is_part: bool = False
    """Whether it is a part of a word, behind an option or among others, and may be anything but a path as well."""


def is_command(setting: str) -> bool:
    """Whether the value of a setting of git is a command line."""
    return _COMMANDS.fullmatch(setting.lower()) is not None


def words_of(setting: str, value: str, worktree: str) -> Iterator[Word]:
    """The words of a setting's command that may be paths, also what stands behind an option in one word with it.

    :param worktree: the folder in which git runs it
    """
    is_of_git = setting.lower().startswith("alias.") and not value.lstrip().startswith("!")
    command = _HOME.sub("~", _TOP.sub(lambda _: worktree, value))
    for word in _words(command, 0):
        yield Word(word.path, False) if is_of_git else word
    yield from _within(command, is_of_git, 0)


def why_open(setting: str, word: Word) -> str:
    """Why a word of a setting's command may run more than what can be shut, for a person; '' where nothing shows that."""
    if word.is_module:
        return f"`{setting}` has Python import modules from the folder in which git runs; `-P` behind `python3` keeps it from that"
    if word.is_recipe and word.is_run:
        return f"`{setting}` has `{word.path}` run what files of the work tree say, which a program inside can write"
    return f"`{setting}` runs a program whose path a variable has" if word.is_unknown else ""


def words_of_script(text: str) -> Iterator[Word]:
    """The words of the lines of a shell's script that may be paths, as `words_of` has them."""
    for line in text.splitlines():
        if not line.lstrip().startswith("#"):
            yield from _words(_HOME.sub("~", line), 0)


def _within(command: str, is_of_git: bool, depth: int) -> Iterator[Word]:
    """The commands and the paths that are parts of the words of `command`.

    :param is_of_git: whether it is a command of git, whose options are known
    """
    before = ""
    for word in _split(command):
        if inner := _command_in(before, word, is_of_git):
            yield from _words(inner, depth + 1)
            if depth < _DEEPEST:
                yield from _within(inner, False, depth + 1)
        if before in _BEFORE_A_COMMAND_OF_AN_EDITOR and (source := _SOURCES.match(word)):
            yield Word(source[1], True)
        for piece in _NO_PATH.split(word):
            part = _OF_AN_OPTION.sub("", piece, count=1) if piece.startswith("-") else piece
            if part and part != word and not part.startswith("-"):
                yield Word(part, False, is_part=True)
        before = word


def _command_in(before: str, word: str, is_of_git: bool) -> str:
    """The command line in `word`, which may be the value of a setting or of an option; '' where none shows.

    :param before: the word before it
    """
    key, mark, value = word.partition("=")
    if mark and (is_command(key) or _TAKES_A_COMMAND.fullmatch(key)):
        return value
    if (of_ssh := _COMMAND_OF_SSH.fullmatch(word)) is not None:
        return of_ssh[1]
    if word.startswith("-") or "=" in before:
        return ""
    is_value = _TAKES_A_COMMAND.fullmatch(before) or (
        is_of_git and before in _BEFORE_A_COMMAND_OF_GIT
    )
    return word if is_value else ""


def _split(command: str) -> list[str]:
    try:
        return list(shell_words.split(command))
    except ValueError:
        return command.split()


def _words(command: str, depth: int) -> Iterator[Word]:
    words = _split(command)
    is_first, before, folder, python = True, "", "", False
    for written in words:
        word = written.lstrip("!({").rstrip(";)}")
        if written in _BEGINS_A_COMMAND or not word:
            is_first, before, python = True, "", False
            continue
        python = (python and _ISOLATED.fullmatch(word) is None) or (is_first and _is_python(word))
        module = _MODULE.fullmatch(word)
        if before == "-c" and depth < _DEEPEST:
            yield from _words(word, depth + 1)
            if python:
                yield Word("", False, is_module=True)
        elif before == "cd":
            folder = posixpath.join(folder, word)
            yield Word(word, False)
        elif python and (before == "-m" or (is_first and module is not None and module[1])):
            yield Word(module[1] if module is not None else word, False, is_module=True)
        elif not word.startswith("-"):
            is_recipe = is_first and _RECIPES.fullmatch(word) is not None
            yield Word(word, is_first, _UNKNOWN.match(word) is not None, is_recipe=is_recipe)
            if folder:
                yield Word(posixpath.join(folder, word), is_first)
        is_next = is_first and (
            _ASSIGNMENT.match(word) is not None
            or _RUN_A_FILE.fullmatch(word) is not None
            or _is_python(word)
        )
        # An option of an interpreter before its script.
        is_first = is_next or (is_first and word.startswith("-")) or written.endswith(";")
        if is_first and python and module is not None and not module[1]:
            before = "-m"
        else:
            is_of_next = (word == "-c" and is_first) or (word == "cd" and not before)
            before = word if is_of_next else ""


def _is_python(word: str) -> bool:
    """Whether it is an interpreter of Python, also where a variable has its path."""
    is_variable = word.startswith("$") and "/" not in word and "python" in word.lower()
    return is_variable or _PYTHON.fullmatch(word) is not None
