"""Files with variables: the `.env` that Compose takes values from, and `env_file` of a service."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from sandboxd.errors import MissingFileError, UnreadableError
from sandboxd.findings import Place
from sandboxd.model.container import Pair, Unseen
from sandboxd.model.values import Origin, Value
from sandboxd.syntax.node import Member, Node, Tree
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandboxd.formats import Resolver
    from sandboxd.text import SourceText

_LINE = r"(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*(.*)$"


def dotenv(text: str) -> dict[str, str]:
    """The variables of a `.env` file."""
    return {match[1]: _value(match[2]) for match in re.finditer(_LINE, text)}


def of_files(
    paths: Iterable[Value[str]], variables: Resolver, takes: Callable[[], bool], document: str
) -> tuple[list[Value[Pair]], list[Unseen]]:
    """The variables of the files of `env_file`, of a name the last; and the files not looked at.

    The place of each is its line. Its value may be a secret, so it is judged and never shown:
    `written` is the name. A file that does not exist is skipped.

    :param takes: called before each variable; False where the project has no room for one more
    """
    pairs: dict[str, Value[Pair]] = {}
    unseen: list[Unseen] = []
    files = variables.files
    if files is None:
        return [], []
    for path in paths:
        beside = path.place.path if path.place is not None else document
        try:
            source = variables.read(path.value, beside)
        except MissingFileError:
            continue
        except UnreadableError as error:
            reason = f"`{path.written}` {error.message}: its variables are not judged"
            unseen.append(Unseen("arguments", reason, error.hint))
            continue
        root = files.parsed(source, _tree).root
        for name, value in root.members if root is not None else ():
            if not takes():
                break
            pairs.pop(str(name.value), None)
            pairs[str(name.value)] = _locate(name, value, source, document)
    return list(pairs.values()), unseen


def _tree(source: SourceText) -> Tree:
    """The variables as members, so that a file that many services name is read once."""
    text = source.text
    root = Node("object", Span(0, len(text)))
    for match in re.finditer(_LINE, text):
        name = Node("string", Span(match.start(1), match.end(1)), match[1])
        value = Node("string", Span(match.start(2), match.end(2)), _value(match[2]))
        root.members.append(Member(name, value))
    return Tree(root, (), ())


def _locate(name: Node, value: Node, source: SourceText, document: str) -> Value[Pair]:
    beside = posixpath.relpath(source.path, posixpath.dirname(document) or ".")
    return Value(
        Pair(str(name.value), str(value.value)),
        Origin("compose", beside, "env_file"),
        Place(source.path, name.span),
        f"${{{name.value}}}",
    )


def _value(text: str) -> str:
    text = text.strip()
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    return re.split(r"\s#", text, maxsplit=1)[0].rstrip()
