"""Checks one open text as `sandboxd check` does, with what is open in place of what is on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sandboxd.files import read_beside
from sandboxd.findings import Report
from sandboxd.host.facts import HostFacts
from sandboxd.lint.analysis import Fixes
from sandboxd.lint.linter import Linter
from sandboxd.lsp.documents import OpenDocument
from sandboxd.model.files import Files, ParsedTexts
from sandboxd.text import SourceText

Load = Callable[[str, str], SourceText]


class Outcome(NamedTuple):
    """A report, and the paths of other files on which it depends, including files that do not exist."""

    report: Report
    depends: frozenset[str]


class _RecordingFiles(Files):
    """Files that remember the paths that were read."""

    def __init__(
        self, texts: Mapping[str, SourceText], load: Load | None, parsed_texts: ParsedTexts | None
    ) -> None:
        super().__init__(texts, load, parsed_texts)
        self.paths: set[str] = set()

    def read(self, path: str, beside: str) -> SourceText:
        self.paths.add(path)
        return super().read(path, beside)


def judge(
    document: OpenDocument,
    environ: Mapping[str, str],
    host: HostFacts,
    *,
    verify: bool,
    texts: Mapping[str, SourceText],
) -> Outcome:
    """The report on one text.

    :param verify: whether to try its fixes, which takes many times as long
    :param texts: all open texts by path, which replace the files on disk
    """
    source = document.source
    # Files beside a text of another machine, or beside one that was never saved, are not on this disk.
    load = read_beside if document.on_disk() else None
    files = _RecordingFiles(texts, load, document.parsed_texts)
    linter = linter_for(document, environ, host, files)
    report = linter.check(
        source,
        kind=document.kind,
        parsed=document.parsed,
        fixes=Fixes.VERIFIED if verify else Fixes.NONE,
    )
    problem = linter.problem(source.path)
    if problem is not None and problem.path != source.path:
        report = report._replace(skipped=(*report.skipped, problem))
    return Outcome(report, frozenset(files.paths - {source.path}))


def linter_for(
    document: OpenDocument, environ: Mapping[str, str], host: HostFacts, files: Files
) -> Linter:
    """The linter for a document. For a document of another machine only open texts are read."""
    return Linter(environ, host, files, is_here=document.on_disk())
