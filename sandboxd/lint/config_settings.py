"""The severities and suppressions that the nearest `sandboxd.toml` sets for a file."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sandboxd import files, kinds, rules
from sandboxd.errors import UnreadableError
from sandboxd.findings import Skipped
from sandboxd.lint.settings import NO_SETTINGS

if TYPE_CHECKING:
    from sandboxd.lint.settings import RuleSettings
    from sandboxd.model.document import Document


class Decided(NamedTuple):
    """The rule settings for the files of a folder, and the config that they come from."""

    settings: RuleSettings
    problem: Skipped | None = None
    """Why the config is not applied; None where it is, or there is none."""
    config: Document | None = None
    """The parsed config; None where there is none or it cannot be read."""


NOTHING_DECIDED = Decided(NO_SETTINGS)


def read_settings(folder: str) -> Decided:
    """The rule settings for the files in `folder`, an absolute path.

    A config with any mistake is not applied at all, since one that is half understood could hide a finding.
    """
    config = files.find_upward(folder, files.CONFIG_NAME)
    if config is None:
        return NOTHING_DECIDED
    try:
        status = os.stat(config)
    except OSError:
        return NOTHING_DECIDED
    from datetime import date

    identity = (status.st_ino, status.st_mtime_ns, status.st_size)
    return _read(config, identity, date.today().isoformat())


@lru_cache(maxsize=64)
def _read(path: str, _identity: tuple[int, int, int], today: str) -> Decided:
    from sandboxd.config import reading
    from sandboxd.lint.settings import from_config

    kind = kinds.get("sandboxd_toml")
    try:
        source = files.read_source(path, limit=kind.LARGEST)
    except UnreadableError as error:
        return _nothing(path, f"{error.message}, so its rules are not applied", error.hint)
    document = kind.parse(source)
    config, _ = reading.check(source, document.tree, rules.ids())
    if config is None:
        reason = "has mistakes, so its rules and allowances are not applied"
        problem = _nothing(path, reason, f"`sandboxd check {path}` says what")
        return problem._replace(config=document)
    return Decided(from_config(config, today), config=document)


def _nothing(path: str, reason: str, hint: str) -> Decided:
    return Decided(NO_SETTINGS, Skipped(path, reason, hint))
