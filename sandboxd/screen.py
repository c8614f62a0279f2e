"""Formats text for a terminal: without control characters, fitted to its width, and without broken words. Pure.

Imports nothing: `status`, `exec` and `check` must cost little more than Python itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ELLIPSIS = "…"

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def visible(text: str, allowed: str = "") -> str:
    """`text` on one line, with each unprintable character replaced by its code point: `<U+001B>`.

    :param allowed: unprintable characters to keep, such as the line end
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in allowed else code_point(char) for char in text
    )


def code_point(char: str) -> str:
    """The code point of an unprintable character, in the usual notation: `<U+E0072>`."""
    return f"<U+{ord(char):04X}>"


def first_of(names: Sequence[str], most: int, total: int | None = None) -> str:
    """The first `most` of `names`, each in backticks, and how many more there are.

    :param total: how many there are, if `names` does not have all; None: as many as it has
    """
    shown = names[:most]
    text = ", ".join(f"`{name}`" for name in shown)
    more = (len(names) if total is None else total) - len(shown)
    return f"{text} and {more} more" if more > 0 else text


def size_text(size: int) -> str:
    """A number of bytes as people read it: `1.5 GiB`."""
    number, unit = float(size), 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.1f} {_UNITS[unit]}" if unit else f"{size} B"


def columns_of(text: str) -> int:
    """The width of `text` in terminal columns: wide characters take two, combining ones none."""
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
    """`text` as lines of at most `room` columns; at least one line.

    A command between backticks stays on one line if it fits, so that it can be copied. For the same reason a word that
    is wider than `room` gets a line of its own and is not broken.

    :param whole: whether to keep commands on one line even if they do not fit
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
    """`text` as lines of at most `room` columns; wider words are broken, for text that nobody copies."""
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
    """`text` if it fits into `room` columns, otherwise its first words and an ellipsis."""
    if columns_of(text) <= room:
        return text
    first = wrap(text, room - 2)[0]
    if columns_of(first) <= room - 2:
        return f"{first.rstrip(' ,;:·')} {ELLIPSIS}"
    while first and columns_of(first) > room - 1:
        first = first[:-1]
    return first + ELLIPSIS


def end_of_path(path: str, room: int) -> str:
    """`path` if it fits into `room` columns, otherwise its last folders."""
    if columns_of(path) <= room:
        return path
    parts = path.split("/")
    while len(parts) > 1 and columns_of("/".join(parts)) + 2 > room:
        parts = parts[1:]
    return cut(f"{ELLIPSIS}/{'/'.join(parts)}", room)


def row(label: str, text: str, columns: int, indent: int, *, whole: bool = False) -> list[str]:
    """A label with `text` next to it, wrapped from the column `indent` on; `whole` as in `wrap`."""
    lines = wrap(text, max(columns - indent, 20), whole=whole)
    return [
        f"{label:<{indent}}{lines[0]}".rstrip(),
        *(" " * indent + line for line in lines[1:]),
    ]


def fit(text: str, columns: int, hang: int = 2) -> str:
    """`text` with its wide lines wrapped; continuation lines are indented by `hang` more columns."""
    lines: list[str] = []
    for line in text.split("\n"):
        if columns_of(line) <= columns:
            lines.append(line)
            continue
        start = len(line) - len(line.lstrip(" "))
        indent = " " * (start + hang)
        first, *rest = _hang(line[start:], columns - start, columns - start - hang)
        lines += [" " * start + first, *(indent + part for part in rest)]
    return "\n".join(lines)


def _hang(text: str, room: int, room_below: int) -> list[str]:
    """`text` in lines of `room` columns for the first and `room_below` columns for the others."""
    first = wrap(text, room)[0]
    rest = text[len(first) :].lstrip(" ")
    return [first, *wrap(rest, max(room_below, 20))] if rest else [first]


def paint(text: str, code: str, colour: bool) -> str:
    """`text` in a colour, if `colour` is True.

    :param code: the colour's code (ECMA-48); '' for none
    """
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code and text else text


def duration(seconds: float) -> str:
    """`seconds` in words, in the largest unit that fits: `40 s`, `3 min`, `2 h`, `5 d`."""
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {name}"
    return f"{seconds:.0f} s"
