"""The files beside the one that is checked, which it names: Compose files, Dockerfiles, `.env`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.syntax.node import Tree
    from sandboxd.text import SourceText

    Load = Callable[[str, str], SourceText]


class Files:
    """One version of each file for a whole run.

    `texts` take precedence (an editor's buffers, or all files of a test). Others come from `load`,
    which gets a path and the file that names it, and refuses what lies outside of the project.
    """

    def __init__(
        self, texts: Mapping[str, SourceText] | None = None, load: Load | None = None
    ) -> None:
        self._known: dict[str, SourceText | UnreadableError] = dict(texts or {})
        self._load = load
        self._trees: dict[str, Tree] = {}

    def put(self, source: SourceText) -> None:
        """Use `source` as the content of its path."""
        self._known[source.path] = source
        self._trees.pop(source.path, None)

    def read(self, path: str, beside: str) -> SourceText:
        """The text of `path`, which the file at `beside` names.

        :raises UnreadableError: it is not there, cannot be read, or lies outside of the project
        """
        outcome = self._known.get(path)
        if outcome is None:
            outcome = self._known[path] = self._loaded(path, beside)
        if isinstance(outcome, UnreadableError):
            raise outcome
        return outcome

    def tree(self, source: SourceText, parse: Callable[[str], Tree]) -> Tree:
        """The tree of a text that was read here, parsed once."""
        tree = self._trees.get(source.path)
        if tree is None:
            tree = self._trees[source.path] = parse(source.text)
        return tree

    def _loaded(self, path: str, beside: str) -> SourceText | UnreadableError:
        if self._load is None:
            return UnreadableError("does not exist", "check the path")
        try:
            return self._load(path, beside)
        except UnreadableError as error:
            return error
