"""The settings of git that the user's variables hold themselves (git-config(1), "ENVIRONMENT"; git(1))."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sandboxd.syntax.git_config import Entry

_MOST = 1000
_QUOTED = r"'[^']*'(?:\\['!]'[^']*')*"
_PARAMETER = re.compile(rf"(?P<key>{_QUOTED})(?:=(?P<value>{_QUOTED})?)?(?:\s+|\Z)")
_PROGRAMS = {
    "GIT_ASKPASS": "core.askpass",
    "GIT_EDITOR": "core.editor",
    "GIT_EXTERNAL_DIFF": "diff.external",
    "GIT_PAGER": "core.pager",
    "GIT_PROXY_COMMAND": "core.gitproxy",
    "GIT_SEQUENCE_EDITOR": "sequence.editor",
    "GIT_SSH": "core.sshcommand",
    "GIT_SSH_COMMAND": "core.sshcommand",
    "GIT_TEMPLATE_DIR": "init.templatedir",
}
"""Variables, each with the setting that it stands for and comes before."""


def settings_of(environ: Mapping[str, str]) -> tuple[Entry, ...]:
    """The settings in the variables `GIT_CONFIG_COUNT`, `GIT_CONFIG_PARAMETERS` and those that name programs, in the
    order in which git reads them.

    :param environ: the user's variables
    """
    return (*_counted(environ), *_parameters(environ), *_programs(environ))


def _counted(environ: Mapping[str, str]) -> Iterator[Entry]:
    text = environ.get("GIT_CONFIG_COUNT", "")
    count = int(text) if text.isascii() and text.isdecimal() else 0
    for number in range(min(count, _MOST)):
        key, value = (environ.get(f"GIT_CONFIG_{kind}_{number}") for kind in ("KEY", "VALUE"))
        if key is not None and value is not None:
            yield Entry(_plain(key), value)


def _parameters(environ: Mapping[str, str]) -> Iterator[Entry]:
    """As `git -c` hands settings to what it starts: each quoted for a shell, the value with its key in older versions.

    Up to what is of another form: git ends there.
    """
    text = environ.get("GIT_CONFIG_PARAMETERS", "").lstrip()
    position = 0
    for _ in range(_MOST):
        match = _PARAMETER.match(text, position)
        if match is None:
            return
        position = match.end()
        key = _unquoted(match["key"])
        value = _unquoted(match["value"]) if match["value"] else None
        if not match["value"] and "=" in key:
            key, _, value = key.partition("=")
        yield Entry(_plain(key), value)


def _programs(environ: Mapping[str, str]) -> Iterator[Entry]:
    for variable, name in _PROGRAMS.items():
        if value := environ.get(variable):
            yield Entry(name, value)


def _plain(key: str) -> str:
    """A key as `git_config` spells it: section and key in lower case, what is between them as it is."""
    section, dot, rest = key.partition(".")
    between, dot_between, name = rest.rpartition(".")
    return f"{section.lower()}{dot}{between}{dot_between}{name.lower()}"


def _unquoted(text: str) -> str:
    """What a shell reads in a word that git quoted."""
    return re.sub(r"'\\(['!])'", r"\1", text[1:-1])
