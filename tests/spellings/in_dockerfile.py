"""Other spellings of a Dockerfile."""

from __future__ import annotations

import random
import re

from sandboxd.syntax import dockerfile


def _instructions(text: str) -> list[dockerfile.Instruction]:
    root = dockerfile.parse(text).root
    assert isinstance(root, dockerfile.DockerfileNode)
    return [] if "escape" in root.directives else root.instructions


def _is_comment(text: str, at: int) -> bool:
    line = text[text.rfind("\n", 0, at) + 1 :].lstrip()
    return line.startswith("#")


def dockerfile_keyword(text: str, chance: random.Random) -> str | None:
    instructions = _instructions(text)
    if not instructions:
        return None
    start = chance.choice(instructions).span.start
    match = re.compile(r"[A-Za-z]+").match(text, start)
    if match is None:
        return None
    word = "".join(chance.choice([char.upper(), char.lower()]) for char in match[0])
    blanks = chance.choice([" ", "\t", "  "]) if text[start - 1 : start] in ("", "\n") else ""
    return text[:start] + blanks + word + text[match.end() :]


def dockerfile_continued(text: str, chance: random.Random) -> str | None:
    """A line is broken behind a blank, with a comment or an empty line between."""
    instructions = [one for one in _instructions(text) if not one.heredocs]
    if not instructions:
        return None
    start, end = chance.choice(instructions).span
    blanks = [
        at
        for at in range(start, end)
        if text[at] == " " and text[at - 1] not in " \\" and not _is_comment(text, at)
    ]
    if not blanks:
        return None
    at = chance.choice(blanks) + 1
    between = chance.choice(["\\\n", "\\  \n", "\\\n# a comment \\\n", "\\\n\n"])
    return text[:at] + between + text[at:]


def dockerfile_inside_a_word(text: str, chance: random.Random) -> str | None:
    """A line is broken within a word."""
    instructions = [one for one in _instructions(text) if not one.heredocs]
    if not instructions:
        return None
    start, end = chance.choice(instructions).span
    places = [
        at
        for at in range(start + 1, end)
        if text[at - 1 : at + 1].isalnum() and not _is_comment(text, at)
    ]
    if not places:
        return None
    at = chance.choice(places)
    return f"{text[:at]}\\\n{text[at:]}"


def dockerfile_flag(text: str, chance: random.Random) -> str | None:
    """A flag with a quote or a backslash that its reader takes off."""
    flags = [flag for one in _instructions(text) for flag in one.flags if "=" in flag.value]
    flags = [flag for flag in flags if text[slice(*flag.span)] == flag.value]
    if not flags:
        return None
    start, end = chance.choice(flags).span
    at = chance.randrange(start + 3, end)
    if not text[at].isalnum():
        return None
    new = chance.choice([f"\\{text[at]}", f'"{text[at]}"', f"'{text[at]}'"])
    return text[:at] + new + text[at + 1 :]
