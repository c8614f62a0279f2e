"""Reads the sandboxd.toml of a project."""

from __future__ import annotations

import os
import shlex

from sandboxd.config import reading
from sandboxd.config.model import Config
from sandboxd.errors import UnreadableError, UsageError
from sandboxd.files import decode, read_bytes
from sandboxd.findings import Finding
from sandboxd.policy import trust
from sandboxd.text import SourceText


def read_config(path: str, workspace: str) -> Config:
    """The config in the sandboxd.toml at `path`, with the digest of exactly what was read.

    :raises UsageError: it is a symbolic link, cannot be read, or is not valid
    """
    if os.path.islink(path):
        raise UsageError(
            f"`{path}` is a symbolic link: what it leads to is not this project's to show or to use",
            "replace it by a regular file",
        )
    try:
        data = read_bytes(path)
        source = SourceText(path, decode(data))
    except UnreadableError as error:
        raise UsageError(f"`{path}` {error.message}", error.hint) from None
    config, findings = reading.parse(source, workspace)
    if config is None:
        raise UsageError(_describe(findings[0], source), _config_hint(path, len(findings)))
    # A grant is for what was read: another look at the file may find another content.
    return config._replace(digest=trust.digest_of(data))


def _describe(finding: Finding, source: SourceText) -> str:
    """A finding as one line: file, line, column and message."""
    position = source.position(finding.place.span.start)
    return f"{source.path}:{position.line + 1}:{position.column + 1}: {finding.message}"


def _config_hint(path: str, count: int) -> str:
    more = f" and {count - 1} more" if count > 1 else ""
    return f"correct it{more}; `sandboxd check {shlex.quote(path)}` shows the place"
