"""Text for a terminal: no character that drives it, no line wider than it, no word broken. Pure.

Imports nothing: `status`, `exec` and `check` cost little more than Python itself.
"""

from __future__ import annotations

ELLIPSIS = "…"


def visible(text: str, allowed: str = "") -> str:
    """`text` on one line, each unprintable character as its code point: `<U+001B>`.

    :param allowed: unprintable characters that stay, such as the line end
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in allowed else code_point(char) for char in text
    )


def code_point(char: str) -> str:
    """An unprintable character in the form under which people look it up: `<U+E0072>`."""
    return f"<U+{ord(char):04X}>"


def columns_of(text: str) -> int:
    """The width of `text` in columns of a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    import unicodedata

    total = 0
    for char in text:
        if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
            continue
        total += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return total


def wrap(text: str, room: int, *, whole: bool = False) -> list[str]:
    """`text` in lines of at most `room` columns, at least one line.

    A command between backticks stays on one line, to be copied, where it fits. A word that is wider than
    `room` has a line of its own: broken, it could not be copied.

    :param whole: keep commands on one line where they do not fit, too
    """
    lines = [""]
    at = 0
    for word in _pieces(text, None if whole else room):
        columns = columns_of(word)
        if lines[-1] and at + 1 + columns > room:
            lines.append(word)
            at = columns
        elif lines[-1]:
            lines[-1] += f" {word}"
            at += 1 + columns
        else:
            lines[-1] = word
            at = columns
    return lines


def wrap_all(text: str, room: int) -> list[str]:
    """`text` in lines of at most `room` columns, also where a word is wider: for words that nobody is to copy."""
    words: list[str] = []
    for word in text.split(" "):
        rest = word
        while columns_of(rest) > room:
            size = next(
                n for n in range(len(rest), 0, -1) if n == 1 or columns_of(rest[:n]) <= room
            )
            words.append(rest[:size])
            rest = rest[size:]
        words.append(rest)
    lines = [words[0]]
    for word in words[1:]:
        if columns_of(lines[-1]) + 1 + columns_of(word) > room:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return lines


def _pieces(text: str, room: int | None) -> list[str]:
    """The words of `text`, those between two backticks as one piece where they fit `room` (None: always)."""
    pieces: list[str] = []
    begun: list[str] = []
    for word in text.split(" "):
        begun.append(word)
        if sum(part.count("`") for part in begun) % 2 == 0:
            whole = " ".join(begun)
            is_one = room is None or len(begun) == 1 or columns_of(whole) <= room
            pieces += [whole] if is_one else begun
            begun = []
    return pieces + begun


def cut(text: str, room: int) -> str:
    """`text` where it fits `room` columns, else its first words and an ellipsis."""
    if columns_of(text) <= room:
        return text
    first = wrap(text, room - 2)[0]
    if columns_of(first) <= room - 2:
        return f"{first.rstrip(' ,;:·')} {ELLIPSIS}"
    while first and columns_of(first) > room - 1:
        first = first[:-1]
    return first + ELLIPSIS


def end_of_path(path: str, room: int) -> str:
    """`path` where it fits `room` columns, else its last folders."""
    if columns_of(path) <= room:
        return path
    parts = path.split("/")
    while len(parts) > 1 and columns_of("/".join(parts)) + 2 > room:
        parts = parts[1:]
    return cut(f"{ELLIPSIS}/{'/'.join(parts)}", room)


def row(label: str, text: str, columns: int, indent: int, *, whole: bool = False) -> list[str]:
    """A label, and beside it `text` wrapped under itself from column `indent` on, as by `wrap`."""
    lines = wrap(text, max(columns - indent, 20), whole=whole)
    return [
        f"{label:<{indent}}{lines[0]}".rstrip(),
        *(" " * indent + line for line in lines[1:]),
    ]


def fit(text: str, columns: int) -> str:
    """`text` with each line that is too wide wrapped, further lines indented by two more columns."""
    lines: list[str] = []
    for line in text.split("\n"):
        if columns_of(line) <= columns:
            lines.append(line)
            continue
        start = len(line) - len(line.lstrip(" "))
        indent = " " * (start + 2)
        first, *rest = _hang(line[start:], columns - start, columns - start - 2)
        lines += [" " * start + first, *(indent + part for part in rest)]
    return "\n".join(lines)


def _hang(text: str, room: int, room_below: int) -> list[str]:
    """`text` in lines of `room` columns for the first and `room_below` columns for the others."""
    first = wrap(text, room)[0]
    rest = text[len(first) :].lstrip(" ")
    return [first, *wrap(rest, max(room_below, 20))] if rest else [first]


def paint(text: str, code: str, colour: bool) -> str:
    """`text` in a colour, if `colour` is set.

    :param code: the colour's code in ECMA-48, '' for none
    """
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code and text else text
