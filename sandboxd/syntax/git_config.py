"""Parses git's configuration format without git, which could run what the file names.

The format is that of git-config(1), "Syntax". Offsets are not kept: nothing is shown of such a file."""

from __future__ import annotations

from typing import NamedTuple

_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", '"': '"', "\\": "\\"}


class Entry(NamedTuple):
    """One setting. `name` is ``section.key``, ``section.subsection.key``, or a key before all sections.

    Section and key are in lower case, the subsection is as written. `value` is None for a key without ``=``, which
    means true.
    """

    name: str
    value: str | None


class GitConfig(NamedTuple):
    """The settings in the order of the file.

    `broken` is the number of the first line that git would reject, 0 for none. Entries before and after it are kept, as
    another program may read them.
    """

    entries: tuple[Entry, ...]
    broken: int = 0


def parse(text: str) -> GitConfig:
    """Read all of `text`."""
    reader = _Reader(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    entries: list[Entry] = []
    section = ""
    broken = 0
    while not reader.at_end():
        line = reader.line
        char = reader.next_visible()
        if char in ("", "\n"):
            continue
        try:
            if char in "#;":
                reader.skip_line()
            elif char == "[":
                section = reader.section()
            else:
                name, value = reader.setting(char)
                entries.append(Entry(f"{section}.{name}" if section else name, value))
        except ValueError:
            broken = broken or line
            reader.skip_line()
    return GitConfig(tuple(entries), broken)


class _Reader:
    """Parses the format from a position on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.line = 1

    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def next(self) -> str:
        """The next character, '' at the end."""
        if self.at_end():
            return ""
        char = self._text[self._at]
        self._at += 1
        if char == "\n":
            self.line += 1
        return char

    def next_visible(self) -> str:
        """The next character that is no blank; a line end counts as visible. '' at the end."""
        char = self.next()
        while char and char != "\n" and char.isspace():
            char = self.next()
        return char

    def skip_line(self) -> None:
        """Go to the start of the next line, unless the position is at the start of a line."""
        if self._at and self._text[self._at - 1] == "\n":
            return
        while self.next() not in ("", "\n"):
            pass

    def section(self) -> str:
        """The name of a section, after its bracket.

        :raises ValueError: it is no valid name
        """
        name = ""
        while (char := self.next()) != "]":
            if char and char in " \t":
                return f"{name.lower()}.{self._subsection()}"
            if not (char.isalnum() or (char and char in "-.")):
                raise ValueError("no name of a section")
            name += char
        return name.lower()

    def _subsection(self) -> str:
        if self.next_visible() != '"':
            raise ValueError("a subsection is quoted")
        name = ""
        while (char := self.next()) != '"':
            if char == "\\":
                char = self.next()
            if char in ("", "\n"):
                raise ValueError("a subsection ends on its line")
            name += char
        if self.next() != "]":
            raise ValueError("a section ends with a bracket")
        return name

    def setting(self, first: str) -> tuple[str, str | None]:
        """A key that begins with `first`, and its value.

        :raises ValueError: it is no valid setting
        """
        if not first.isalpha():
            raise ValueError("a key begins with a letter")
        key = first
        char = self.next()
        while char and (char.isalnum() or char == "-"):
            key += char
            char = self.next()
        while char and char in " \t":
            char = self.next()
        if char in ("", "\n"):
            return key.lower(), None
        if char in "#;":
            self.skip_line()
            return key.lower(), None
        if char != "=":
            raise ValueError("a key and its value are parted by `=`")
        return key.lower(), self._value()

    def _value(self) -> str:
        value = ""
        end = 0
        """Length of `value` without the blanks at its end; quoted blanks count."""
        quoted = False
        while (char := self.next()) not in ("", "\n"):
            if char == "\\":
                char = self.next()
                if char == "\n":
                    continue
                if char not in _ESCAPES:
                    raise ValueError("an unknown escape")
                value += _ESCAPES[char]
            elif char == '"':
                quoted = not quoted
            elif char in "#;" and not quoted:
                self.skip_line()
                return value[:end]
            elif char.isspace() and not quoted:
                value += char if value else ""
                continue
            else:
                value += char
            end = len(value)
        if quoted:
            raise ValueError("a quoted value ends on its line")
        return value[:end]
