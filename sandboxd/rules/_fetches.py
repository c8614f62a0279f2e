"""Finds how a script treats a download: whether it verifies a hash or a signature, and whether it runs the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.syntax import shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Node
    from sandboxd.text import Span

_COMPARED = (
    r"\b(?:sha(?:1|224|256|384|512)|md5|b2)sum\b|\bshasum\b|\bopenssl\s{1,10}dgst\b"
    r"|\bgpg2?\b[^;&|\n]{0,200}?\s--verify\b|\bgpgv\b|\bcosign\s{1,10}verify|\bminisign\b"
)
_INTERPRETER = re.compile(
    r"(?:ba|z|da|k|a)?sh|python[\d.]*|perl|ruby|node|php|pwsh|source|\.", re.IGNORECASE
)
# Words before the program that a command starts.
_BEFORE = re.compile(
    r"sudo|env|exec|nohup|time|command|if|then|else|do|while|until|!|\{|\w+=.*|-[A-Za-z]+",
    re.DOTALL,
)
# Options that name the file to write, a name behind them or in the next word; and those that take the URL's.
_NAMED = {
    "curl": re.compile(r"-[fsSLgijkJnNqRvV#]*o(.*)|--output", re.DOTALL),
    "wget": re.compile(r"-[cknNqrSvx]*O(.*)|--output-document", re.DOTALL),
}
_NAMED_BY_URL = re.compile(r"-[fsSLgijkJnNqRvV#]*O[fsSLgijkJnNqRvV#]*|--remote-name")
_MOST_FILES = 30
_REDIRECTED = re.compile(r"(?<![\d&>])>{1,2}\s{0,10}[\"']?([^\s;&|\"'()<>]+)")


class Run(NamedTuple):
    """A command that runs a file which another one fetched; each with its place in its script."""

    fetch: str
    start: int
    end: int


class Downloads:
    """The files that scripts, read one after another, fetched and did not compare with anything."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}

    def read(self, script: str) -> Iterator[Run]:
        """The commands of the next script that run such a file, and what fetched it."""
        if not self._files and "curl" not in script and "wget" not in script:
            return
        root = shell.parse(script).root
        commands = root.items if root is not None else []
        for index, command in enumerate(commands):
            span = command.span
            words = _started(command.items)
            end = commands[index + 1].span.start if index + 1 < len(commands) else len(script)
            if re.search(_COMPARED, script[span.start : span.end]):
                self._files.clear()
            elif words and _name(words[0]) in _NAMED:
                target = _target(words, script[span.start : end])
                if target and len(self._files) < _MOST_FILES:
                    self._files[target] = script[span.start : span.end]
            elif words:
                yield from self._runs(words, span)

    def _runs(self, words: list[Node], span: Span) -> Iterator[Run]:
        first = str(words[0].value)
        if _INTERPRETER.fullmatch(_name(words[0])):
            files = [word for word in map(_text, words[1:]) if not word.startswith("-")][:1]
        else:
            files = [first] if "/" in first else []
        for file in files:
            for target, fetch in self._files.items():
                if _same(file, target):
                    yield Run(fetch, words[0].span.start, span.end)
                    return


def last_comparison(script: str) -> int:
    """The offset of the last place where a script compares files with hashes or signatures; 0 for none."""
    return max((match.start() for match in re.finditer(_COMPARED, script)), default=0)


def _started(words: list[Node]) -> list[Node]:
    """The words from the program on that the command starts."""
    at = 0
    while at < len(words) and _BEFORE.fullmatch(_text(words[at])):
        at += 1
    return words[at:]


def _target(words: list[Node], text: str) -> str:
    """The file that `curl` or `wget` writes, '' where it writes none or the name is not known."""
    program = _name(words[0])
    texts = [_text(word) for word in words[1:]]
    for index, word in enumerate(texts):
        option, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        match = _NAMED[program].fullmatch(option)
        if match is not None:
            file = value if equals else match[1] or "".join(texts[index + 1 : index + 2])
            return _redirected(text) if file in ("-", "/dev/stdout") else file
    if program == "wget" or any(map(_NAMED_BY_URL.fullmatch, texts)):
        url = next((word for word in texts if "://" in word), "")
        return re.split(r"[?#]", url, maxsplit=1)[0].rpartition("/")[2]
    return _redirected(text)


def _redirected(text: str) -> str:
    """The file that a command's output goes to, '' for none."""
    match = _REDIRECTED.search(text)
    return match[1] if match is not None else ""


def _same(file: str, other: str) -> bool:
    """Whether two names may mean one file; a name without a folder is looked for in every one."""
    file, other = file.removeprefix("./"), other.removeprefix("./")
    if "/" in file and "/" in other:
        return file == other
    return file.rpartition("/")[2] == other.rpartition("/")[2] != ""


def _name(word: Node) -> str:
    return _text(word).rpartition("/")[2] or _text(word)


def _text(word: Node) -> str:
    return str(word.value)
