"""Finds the programs of a work tree that the text of a script mentions, however it comes to run them.

A shell has more ways to run a file than a reader of lines can follow: `cd tools` and `./check.sh` lines below it, `timeout 5`,
a loop, a variable, the folder of the script found in one of ten spellings. What all of them have in common is that the name of the
file, or that of its folder, is in the text.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterator
from typing import NamedTuple

_WORD = re.compile(r"/?[\w@%+.-]+(?:/+[\w@%+.-]+)*")
_OF_AN_OPTION = re.compile(r"^-[A-Za-z](?=\.{0,2}/)")
"""An option of one letter with a path in the same word: `-F./x`."""
_SUFFIXES = (".sh", ".bash", ".zsh", ".ksh", ".awk", ".sed")
"""Of files that are run by an interpreter without being executable themselves."""
_MOST_WORDS = 500
_MOST_FOLDERS = 8
_MOST_ENTRIES = 200


class Mentions(NamedTuple):
    """The programs that a script mentions, and the folders of the work tree that have some and that it mentions by name
    alone, so that it may run any of them; absolute paths.
    """

    programs: tuple[str, ...]
    folders: tuple[str, ...]


def mentions_in(text: str, workspace: str, beside: str) -> Mentions:
    """The programs that a script of `workspace` mentions and that exist.

    :param workspace: the folder in which it runs, an absolute path without links
    :param beside: the folder in which the script lies
    """
    words = _words(text)
    bases = {workspace: None, beside: None}
    folders = [
        path
        for path in _present(words, bases)
        if os.path.isdir(path) and path not in bases and path.startswith(f"{workspace}/")
    ][:_MOST_FOLDERS]
    # A name alone is the word of a command more often than a file at the top.
    named = {word: None for word in words if "/" in word}
    programs = [
        path
        for path in (*_present(named, bases), *_present(words, dict.fromkeys(folders)))
        if _is_program(path)
    ]
    return Mentions(
        tuple(dict.fromkeys(programs)), tuple(folder for folder in folders if _has_program(folder))
    )


def _words(text: str) -> dict[str, None]:
    """The words that may be paths: relative ones, with a slash where they were written with one, and absolute ones."""
    words: dict[str, None] = {}
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        for match in _WORD.finditer(line):
            before = line[max(match.start() - 2, 0) : match.start()]
            word = _OF_AN_OPTION.sub("", match[0])
            if before.endswith(("$", "${")):
                # The variable's own name.
                word = "./" + word.partition("/")[2]
            elif word.startswith("/") and before.endswith((")", "}", "`", '"', "'")):
                # Behind what a command or a variable says, or a path of the host after all.
                words[word] = None
                word = "." + word
            elif before.endswith(")"):
                word = f"./{word}"
            _, is_upwards, rest = f"/{word}".rpartition("/../")
            words[f"./{rest}" if is_upwards else word] = None
            if len(words) >= _MOST_WORDS:
                return words
    return words


def _present(words: dict[str, None], bases: dict[str, None]) -> Iterator[str]:
    for word in words:
        for base in bases:
            path = posixpath.normpath(posixpath.join(base, word))
            if os.path.lexists(path):
                yield path


def _is_program(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode) and (bool(mode & 0o111) or path.endswith(_SUFFIXES))


def _has_program(folder: str) -> bool:
    try:
        names = os.listdir(folder)[:_MOST_ENTRIES]
    except OSError:
        return False
    return any(_is_program(posixpath.join(folder, name)) for name in names)
