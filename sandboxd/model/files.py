"""Reads the files that a checked file names: Compose files, Dockerfiles, `.env`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from sandboxd.errors import MissingFileError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.text import SourceText

    Load = Callable[[str, str], SourceText]

T = TypeVar("T")

MOST_KEPT = 4_000_000
"""The size of the cache of syntax trees, in code points of text; a tree takes about thirty bytes for each."""


class ParsedTexts:
    """A cache of parsed texts, so that each version of a text is parsed once.

    It keeps the last version of each path, up to `most` code points in all.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._size = 0
        self._results: dict[tuple[str, object], tuple[str, object]] = {}

    def parsed(self, source: SourceText, parse: Callable[[SourceText], T]) -> T:
        """`parse(source)`; from the cache if the same parser parsed the same text before."""
        entry = self._results.get((source.path, parse))
        if entry is not None and entry[0] == source.text:
            return cast("T", entry[1])
        result = parse(source)
        self.keep(source, parse, result)
        return result

    def keep(self, source: SourceText, parse: Callable[[SourceText], T], result: T) -> None:
        """Put `result` into the cache as the result of `parse(source)`."""
        self._size += len(source.text)
        if self._size > self._most:
            # All at once: another thread may be looking at them.
            self._results, self._size = {}, len(source.text)
        self._results[source.path, parse] = source.text, result


class Files:
    """Reads each file once, so that a whole run sees one version of it.

    `texts` take precedence (an editor's buffers, or all files in a test). Others are read by `load`, which is called
    with a path and the file that names it, and refuses files outside of the project. `parsed_texts` is a cache that
    several runs can share.
    """

    def __init__(
        self,
        texts: Mapping[str, SourceText] | None = None,
        load: Load | None = None,
        parsed_texts: ParsedTexts | None = None,
    ) -> None:
        self._known: dict[str, SourceText | UnreadableError] = dict(texts or {})
        self._load = load
        self.parsed_texts = parsed_texts or ParsedTexts()

    def put(self, source: SourceText) -> None:
        """Use `source` as the content of its path from now on."""
        self._known[source.path] = source

    def read(self, path: str, beside: str) -> SourceText:
        """The text of `path`, which the file at `beside` names.

        :raises UnreadableError: it does not exist, cannot be read, or is outside of the project
        """
        outcome = self._known.get(path)
        if outcome is None:
            outcome = self._known[path] = self._loaded(path, beside)
        if isinstance(outcome, UnreadableError):
            raise outcome
        return outcome

    def parsed(self, source: SourceText, parse: Callable[[SourceText], T]) -> T:
        """`parse(source)`; each version of a text is parsed only once."""
        return self.parsed_texts.parsed(source, parse)

    def _loaded(self, path: str, beside: str) -> SourceText | UnreadableError:
        if self._load is None:
            return MissingFileError("check the path")
        try:
            return self._load(path, beside)
        except UnreadableError as error:
            return error
