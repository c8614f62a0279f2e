"""Makes the config of a sandbox's own git directory from the settings of the host's repository. Pure.

A git config can name programs that git runs, and can hold secrets: so only settings that are listed here are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

from sandboxd.syntax.git_config import Entry

_PLAIN = re.compile(
    r"user\.(name|email|signingkey|useconfigonly)"
    r"|core\.(autocrlf|ignorecase|eol|safecrlf|filemode|symlinks|precomposeunicode|sparsecheckout"
    r"|sparsecheckoutcone|checkstat|trustctime|quotepath|commentchar|splitindex)"
    r"|lfs\.(fetchinclude|fetchexclude|concurrenttransfers|repositoryformatversion|locksverify|.+\.locksverify)"
    r"|branch\..+\.(remote|merge|rebase|pushremote|description)"
    r"|branch\.(autosetupmerge|autosetuprebase|sort)"
    r"|remote\..+\.(fetch|push|tagopt|prune|prunetags|promisor|partialclonefilter)|remote\.pushdefault"
    r"|submodule\..+\.active|submodule\.(active|recurse)"
    r"|merge\.(conflictstyle|ff|renames)|pull\.[^.]+|push\.(default|autosetupremote|followtags)"
    r"|rebase\.[^.]+|fetch\.(prune|prunetags)|diff\.(algorithm|renames)|tag\.sort|init\.defaultbranch",
    re.DOTALL,
)
_URLS = re.compile(
    r"remote\..+\.(url|pushurl|lfsurl)|submodule\..+\.url|lfs\.(url|pushurl)", re.DOTALL
)
_EXTENSIONS = frozenset({"extensions.objectformat", "extensions.partialclone"})
"""Those that git inside needs to read the objects. Refs inside are always files."""
_LONGEST = 4096
_MOST = 5000


def for_inside(
    entries: Iterable[Entry], worktree: str = "", of_user: Iterable[tuple[str, str]] = ()
) -> str:
    """The text of the config file for the sandbox.

    :param entries: the settings of the host's repository, in git's order
    :param worktree: the value of `core.worktree`, for a submodule; '' for none
    :param of_user: (name, value) of the user's own settings, such as the name and e-mail address
    """
    chosen = [*(Entry(name, value) for name, value in of_user), *entries]
    extensions = [entry for entry in chosen if entry.name in _EXTENSIONS]
    lines = [
        "[core]",
        f"\trepositoryformatversion = {1 if extensions else 0}",
        "\tbare = false",
        "\tlogAllRefUpdates = true",
    ]
    if worktree:
        lines.append(f"\tworktree = {_quoted(worktree)}")
    section = "[core]"
    for name, value in [line for line in map(_for_inside, chosen) if line is not None][:_MOST]:
        heading, key = _heading(name)
        if heading != section:
            lines.append(heading)
            section = heading
        lines.append(f"\t{key}" if value is None else f"\t{key} = {_quoted(value)}")
    return "\n".join(lines) + "\n"


def without_secret(url: str) -> str:
    """`url` without its password, and without a user name that may be a token."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url
    # A token stands where a name does: https://TOKEN@host. The name of an SSH account is none.
    account = user.partition(":")[0] + "@" if parts.scheme.endswith("ssh") else ""
    return urlunsplit(parts._replace(netloc=account + host))


def _for_inside(entry: Entry) -> Entry | None:
    """The setting as it may go in; None for one that may not."""
    name, value = entry
    if any(char < " " or char == "\x7f" for char in name):
        return None
    if value is not None and ("\0" in value or "\r" in value or len(value) > _LONGEST):
        return None
    if name in _EXTENSIONS or _PLAIN.fullmatch(name):
        return entry
    if value and _URLS.fullmatch(name):
        return Entry(name, without_secret(value))
    return None


def _heading(name: str) -> tuple[str, str]:
    """The section's line and the key of a setting."""
    section, _, rest = name.partition(".")
    subsection, dot, key = rest.rpartition(".")
    if not dot:
        return f"[{section}]", key
    escaped = subsection.replace("\\", "\\\\").replace('"', '\\"')
    return f'[{section} "{escaped}"]', key


def _quoted(value: str) -> str:
    for char, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\b", "\\b")):
        value = value.replace(char, escape)
    return f'"{value}"'
