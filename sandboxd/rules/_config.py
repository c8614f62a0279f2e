"""Mistakes in a sandboxd.toml, found by its reader, as findings of rules."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding, RuleMeta
    from sandboxd.model.document import Document

KIND = "sandboxd_toml"


def findings(meta: RuleMeta, document: Document) -> Iterator[Finding]:
    """The findings of a config that belong to the rule `meta`."""
    if document.kind != KIND:
        return
    for finding in _mistakes(document):
        if finding.rule == meta.id:
            yield finding._replace(why=meta.why)


@functools.lru_cache(maxsize=1)
def _mistakes(document: Document) -> tuple[Finding, ...]:
    """All mistakes of the config, cached: several rules ask for theirs, one after the other."""
    from sandboxd import rules
    from sandboxd.config import reading

    return reading.check(document.source, document.tree, rule_ids=rules.ids())[1]
