"""The repositories that settings of git name by a path: a push to one on the same machine runs its hooks."""

from __future__ import annotations

from urllib.parse import unquote

_URLS = {("remote", "url"), ("remote", "pushurl")}
# Of a branch and of all, where a name of a remote may stand as well.
_REMOTES = {("branch", "remote"), ("branch", "pushremote"), ("remote", "pushdefault")}
_PREFIXES = {("url", "insteadof"), ("url", "pushinsteadof")}
_FILE = "file://"


def names_repository(setting: str) -> bool:
    """Whether a setting of git may name a repository by its URL."""
    return _ends_of(setting) in _URLS | _REMOTES | _PREFIXES


def is_prefix(setting: str) -> bool:
    """Whether it names only where URLs begin, so that any repository below may be one."""
    return _ends_of(setting) in _PREFIXES


def folder_of(setting: str, value: str) -> str | None:
    """The path, as it is written, that a setting of git names as a repository on this machine; None for no such."""
    url = setting.partition(".")[2].rpartition(".")[0] if is_prefix(setting) else value
    if url.startswith(_FILE):
        return unquote("/" + url.removeprefix(_FILE).partition("/")[2])
    if _ends_of(setting) in _REMOTES and "/" not in url:
        return None
    # As git tells it from `host:path`, and from other schemes.
    colon, slash = url.find(":"), url.find("/")
    is_here = colon < 0 or 0 <= slash < colon
    return url if url and is_here else None


def _ends_of(setting: str) -> tuple[str, str]:
    """The section and the key of a setting's name."""
    return setting.partition(".")[0].lower(), setting.rpartition(".")[2].lower()
