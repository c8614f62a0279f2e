"""Commands of a script that start a container, and changes of them."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from sandboxd.findings import Add, Place, Remove
from sandboxd.formats import _docker_flags as flags
from sandboxd.model.container import Container, Unseen
from sandboxd.model.values import Origin, Value
from sandboxd.syntax import argv, shell
from sandboxd.syntax.node import Node, readable
from sandboxd.text import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sandboxd.findings import Change
    from sandboxd.formats import Resolver
    from sandboxd.model.document import Document
    from sandboxd.syntax.argv import Flag

_PROGRAMS = ("docker", "podman", "nerdctl", "docker.exe")
_STARTING = ("run", "create")
_GLOBAL_WITH_VALUE = ("-H", "--host", "-c", "--context", "--config", "-l", "--log-level")
# These show a command and do not run it.
_SHOWING = ("echo", "printf", "print", "log", "info", "warn", "error", "die")
_FLAG = {"security_opt": "--security-opt=", "cap_add": "--cap-add=", "cap_drop": "--cap-drop="}
# A longer value, used thousands of times in one word, would make that word huge.
_LONGEST_VALUE = 200
_VARIABLE = r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))"
_PROGRAM_VARIABLE = r"\$(?:\{(\w+)(?::?-([^{}]*))?\}|(\w+))"
_NAMED_AFTER_PROGRAM = (
    r"(?:DOCKER|PODMAN|NERDCTL)(?:_?(?:CMD|BIN|CLI|EXE|COMMAND))?"
    r"|(?:CONTAINER|OCI)_?(?:ENGINE|RUNTIME|CLI|TOOL|CMD|BIN)"
)
_MAKE_VARIABLE = re.compile(
    r"^(?:(?:export|override)[ \t]+)?([A-Za-z_]\w*)[ \t]*(?::{1,3}|\?)?=([^\n#]*)",
    re.MULTILINE,
)
_IMAGE_NAMES = ("image", "img")


def containers(
    document: Document,
    variables: Resolver,
    make: bool = False,
    known: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Container, ...]:
    """A container for each command of a script, or with `make` of a Makefile, that starts one.

    :param known: variables with the texts that they stand for, beside those that the script sets
    """
    root = document.tree.root
    if root is None:
        return ()
    assignments = {**_assignments(root), **known}
    if make:
        assignments |= _make_variables(document.source.text)
    results: list[Container] = []
    for command in root.items:
        words = [_in_braces(word) for word in command.items] if make else command.items
        for run, rest in _runs(words, assignments):
            results.append(_container(document, run, rest, assignments, variables, len(results)))
    return tuple(results)


def starting(document: Document, scripts: Iterable[Node]) -> Iterator[Node]:
    """Yield the `scripts` that start a container, once the variables that the document sets are filled in."""
    root = document.tree.root
    assignments = _assignments(root) if root is not None else {}
    for script in scripts:
        commands = shell.parse(str(script.value)).root
        if commands is not None and any(
            True for command in commands.items for _ in _runs(command.items, assignments)
        ):
            yield script


def _runs(
    words: list[Node], assignments: dict[str, str]
) -> Iterator[tuple[list[Node], list[Node]]]:
    """The words of each `docker run`: those before its arguments, and the arguments."""
    if words and str(words[0].value) in _SHOWING:
        return
    for index, word in enumerate(words):
        if not _is_program(str(word.value), assignments):
            continue
        at = index + 1
        while at < len(words) and str(words[at].value).startswith("-"):
            at += 2 if str(words[at].value) in _GLOBAL_WITH_VALUE else 1
        if at < len(words) and words[at].value == "container":
            at += 1
        if at < len(words) and words[at].value in _STARTING:
            yield words[index : at + 1], words[at + 1 :]
        return


def _is_program(word: str, assignments: dict[str, str]) -> bool:
    """Whether a word is an engine's client, or a variable that holds one or is named after one."""
    if not word.startswith("$"):
        return word.rpartition("/")[2] in _PROGRAMS
    variable = re.fullmatch(_PROGRAM_VARIABLE, word)
    if variable is None:
        return False
    name = variable[1] or variable[3]
    value = assignments.get(name) or (variable[2] or "").strip("\"'")
    if value:
        return any(part.rpartition("/")[2] in _PROGRAMS for part in value.split()[:2])
    return re.fullmatch(_NAMED_AFTER_PROGRAM, name.upper()) is not None


def _container(
    document: Document,
    run: list[Node],
    words: list[Node],
    assignments: dict[str, str],
    variables: Resolver,
    number: int,
) -> Container:
    path = document.source.path
    origin = Origin("file", path, "docker run")
    items = [_expand(word, assignments) for word in words]
    cut = next((i for i, item in enumerate(items) if _is_image_variable(items, i)), len(items))
    arguments = argv.parse(items[:cut])
    image = arguments.image or (items[cut] if cut < len(items) else None)
    place = Place(path, Span(run[0].span.start, run[-1].span.end))
    base = Container(f"command {number + 1}", place, partial=True)
    run_flags = [_whole_word(flag) for flag in arguments.flags]
    result = flags.container(run_flags, base, origin, path, variables)
    if image is not None:
        text = str(image.value)
        value = Value(text, origin, Place(path, image.span), text, (image,))
        result = result._replace(image=value)
    unseen = [Unseen("arguments", problem.message) for problem in arguments.problems]
    return result._replace(unseen=tuple(dict.fromkeys(unseen)))


def _whole_word(flag: Flag) -> Flag:
    """The flag with its whole word as the place, for a value behind a variable or between quotes."""
    node = flag.nodes[-1]
    is_exact = node.span.end - node.span.start - len(str(node.value)) in (0, 2)
    return flag if is_exact else flag._replace(value_span=node.span)


def _is_image_variable(items: list[Node], index: int) -> bool:
    """Whether a word such as ``$IMAGE`` is the image, behind which the image's own command stands."""
    text = str(items[index].value)
    if not text.startswith("$") or not any(name in text.lower() for name in _IMAGE_NAMES):
        return False
    before = str(items[index - 1].value) if index else ""
    # The value of a flag: `--label $IMAGE`.
    return not before.startswith("-") or "=" in before or before in ("-d", "-it", "-ti", "--rm")


def _assignments(root: Node) -> dict[str, str]:
    """Variables that are set once, to a text without variables."""
    values: dict[str, str] = {}
    twice: set[str] = set()
    for command in root.items:
        for word in command.items:
            name, equals, value = str(word.value).partition("=")
            if not equals or not name.isidentifier():
                if name in ("export", "local", "readonly", "declare"):
                    continue
                break
            if name in values or "$" in value or "`" in value:
                twice.add(name)
            values[name] = value
    return {
        name: value
        for name, value in values.items()
        if name not in twice and 0 < len(value) <= _LONGEST_VALUE
    }


def _make_variables(text: str) -> dict[str, str]:
    """The variables of a Makefile that are set once, to a text without variables."""
    values: dict[str, str] = {}
    twice: set[str] = set()
    for match in _MAKE_VARIABLE.finditer(text):
        name, value = match[1], match[2].strip()
        if name in values or "$" in value or not 0 < len(value) <= _LONGEST_VALUE:
            twice.add(name)
        values[name] = value
    return {name: value for name, value in values.items() if name not in twice}


def _in_braces(word: Node) -> Node:
    """The word with the variables of make, ``$(NAME)``, as a shell writes them; the same node without any."""
    text = str(word.value)
    if "$(" not in text:
        return word
    return Node("string", word.span, re.sub(r"\$\(([A-Za-z_]\w*)\)", r"${\1}", text))


def _expand(word: Node, assignments: dict[str, str]) -> Node:
    """The word with the variables that are known; `$X` alone as `${X}`, which may be anything."""
    text = str(word.value)
    if "$" not in text:
        return word
    text = re.sub(_VARIABLE, lambda use: assignments.get(use[1] or use[2], use[0]), text)
    if text.startswith("$") and text[1:].isidentifier():
        text = f"${{{text[1:]}}}"
    if text == "$@" or text == "$*":
        text = "${@}"
    if text == word.value:
        return word
    return Node("string", word.span, text)


def edits(
    document: Document, container: Container, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`.

    A word is removed with the blanks before it, and with its line where it stands alone.
    """
    text = document.source.text
    text_edits: list[Edit] = []
    added: list[str] = []
    for change in changes:
        if isinstance(change, Add):
            if change.field not in _FLAG or container.place is None:
                return None
            added.append(f" {_FLAG[change.field]}{change.item}")
            continue
        nodes = change.value.nodes
        if not nodes or change.value.origin.kind != "file":
            return None
        if isinstance(change, Remove):
            text_edits.append(
                Edit(_removal(text, Span(nodes[0].span.start, nodes[-1].span.end)), "")
            )
            continue
        written, span = change.value.written, nodes[-1].span
        word = text[span.start : span.end]
        if not word.endswith(written) or readable(written) != written or not _plain(change.new):
            return None
        text_edits.append(Edit(Span(span.end - len(written), span.end), change.new))
    if added and container.place is not None:
        end = container.place.span.end
        text_edits.append(Edit(Span(end, end), "".join(added)))
    return tuple(text_edits)


def _removal(text: str, span: Span) -> Span:
    start, end = span
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    begins_line = start == 0 or text[start - 1] == "\n"
    if not begins_line:
        return Span(start, end)
    rest = end
    while text[rest : rest + 1] in (" ", "\t") and rest < len(text):
        rest += 1
    if text[rest : rest + 1] == "\\" and text[rest + 1 : rest + 3].startswith(("\n", "\r\n")):
        return Span(start, text.index("\n", rest) + 1)
    if text[rest : rest + 1] in ("", "\n", "\r") and text[:start].rstrip("\r\n").endswith("\\"):
        # It is the last line of the command, so the line before it must not be continued.
        before = len(text[:start].rstrip("\r\n").removesuffix("\\").rstrip(" \t"))
        return Span(before, rest)
    return Span(span.start, rest)


def _plain(text: str) -> bool:
    return all(char.isalnum() or char in "-_./:=,@+" for char in text)
