"""Judging one open text: the same analysis as `sandboxd check`, with the project's settings."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from sandboxd import analysis, config, kinds, rules
from sandboxd.analysis.settings import NO_SETTINGS, RuleSettings, from_config
from sandboxd.effective.variables import Variables
from sandboxd.errors import UnreadableError
from sandboxd.files import read_beside, read_source
from sandboxd.findings import Report
from sandboxd.host.facts import HostFacts
from sandboxd.lsp.documents import OpenDocument
from sandboxd.model.files import Files
from sandboxd.policy import floor
from sandboxd.syntax.node import Tree, walk
from sandboxd.text import SourceText

Load = Callable[[str, str], SourceText]


class Outcome(NamedTuple):
    """A report, and the files beside the text that it depends on, there or not."""

    report: Report
    depends: frozenset[str]


class _Recorded(Files):
    """Files that remember which of them were asked for."""

    def __init__(self, texts: Mapping[str, SourceText], load: Load | None) -> None:
        super().__init__(texts, load)
        self.asked: set[str] = set()

    def read(self, path: str, beside: str) -> SourceText:
        self.asked.add(path)
        return super().read(path, beside)

    def let_go(self, *trees: Tree) -> None:
        """Take the way up out of all trees, which are done with, so that no collector has to come.

        Trees for each key would make it stop everybody every few dozen keys, for as long as two
        judgements take.
        """
        for tree in (*trees, *self._trees.values()):
            for root in (tree.root, *tree.others):
                for node in walk(root) if root is not None else ():
                    node.parent = None


def judge(
    document: OpenDocument,
    environ: Mapping[str, str],
    host: HostFacts,
    *,
    verify: bool,
    texts: Mapping[str, SourceText],
) -> Outcome:
    """The report on one text; `verify` tries its fixes, which costs many times the judgement.

    `texts` are all that are open: they go before what is on disk.
    """
    source = document.source
    # What lies beside a text of another machine, or one that has no name yet, is not on ours.
    files = _Recorded(texts, read_beside if document.on_disk() else None)
    parsed = kinds.get(document.kind).parse(source)
    report = analysis.check(
        (parsed,),
        host=host,
        variables=variables_for(document, environ, files, host),
        settings=settings_for(source.path, environ),
        verify=verify,
        fixes=verify,
    )
    files.let_go(parsed.tree)
    return Outcome(report, frozenset(files.asked - {source.path}))


def variables_for(
    document: OpenDocument, environ: Mapping[str, str], files: Files, host: HostFacts
) -> Variables:
    """What is known around a document: of another machine's nothing but the open texts.

    What the engine says of labels of images holds for any document.
    """
    known = Variables.here(environ, files) if document.on_disk() else Variables(files=files)
    if host.engine is None or not host.engine.image_labels:
        return known
    # Late: hardly any engine has an image with a label.
    from sandboxd.plan.label import image_labels

    return known._replace(images=image_labels(host))


def settings_for(path: str, environ: Mapping[str, str]) -> RuleSettings:
    """What the nearest `sandboxd.toml` decides, as far as a policy lets it."""
    found = _of_project(path)
    enforced = floor.enforced(environ, rules.ids())
    return found._replace(enforced=enforced) if enforced else found


def _of_project(path: str) -> RuleSettings:
    """Nothing when there is no file or it cannot be used."""
    found = config.nearest(os.path.dirname(path)) if path.startswith("/") else None
    if found is None:
        return NO_SETTINGS
    try:
        status = os.stat(found)
    except OSError:
        return NO_SETTINGS
    today = datetime.date.today().isoformat()
    return _parsed(found, status.st_mtime_ns, status.st_size, today)


@lru_cache(maxsize=64)
def _parsed(path: str, _modified: int, _size: int, today: str) -> RuleSettings:
    try:
        parsed, _ = config.parse(read_source(path))
    except UnreadableError:
        return NO_SETTINGS
    return from_config(parsed, today) if parsed is not None else NO_SETTINGS
