"""Judging one open text: the same analysis as `sandboxd check`, with the project's settings."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from functools import lru_cache

from sandboxd import analysis, config, kinds
from sandboxd.analysis.settings import NO_SETTINGS, RuleSettings, from_config
from sandboxd.effective.variables import Variables
from sandboxd.errors import UnreadableError
from sandboxd.files import read_beside, read_source
from sandboxd.findings import Report
from sandboxd.host.facts import HostFacts
from sandboxd.model.files import Files
from sandboxd.text import SourceText


def is_ours(path: str) -> bool:
    """Whether a file of this name is checked at all; clients send us every JSON file."""
    return bool(path) and kinds.find(path) is not None


def judge(
    source: SourceText,
    environ: Mapping[str, str],
    host: HostFacts,
    *,
    verify: bool,
    texts: Mapping[str, SourceText],
) -> Report:
    """The report on one text; `verify` tries its fixes, which costs many times the judgement.

    `texts` are all that are open: they go before what is on disk.
    """
    variables = Variables.here(environ, Files(texts, read_beside))
    settings = _settings(source.path)
    return analysis.check_source(
        source, host=host, variables=variables, settings=settings, verify=verify
    )


def _settings(path: str) -> RuleSettings:
    """What the nearest `sandboxd.toml` decides; nothing when it is missing or cannot be used."""
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
