"""The hosts that this user's settings of package managers name: mirrors and registries of a company.

They are only proposed. Hosts and ports alone are taken over: an address may hold a login, also in its path.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sandboxd.errors import UnreadableError
from sandboxd.files import read_start
from sandboxd.plan.project_hosts import Mirror, mentions

_MOST_BYTES = 64 * 1024
_MOST_HOSTS = 20


class _Settings(NamedTuple):
    """Where a package manager keeps its settings.

    `paths` are absolute, or relative to the home; ``.config/`` stands for $XDG_CONFIG_HOME. `group` is that of its usual
    hosts. `lines` are those in which hosts count, None for the usual; `main` those that name the one index in place of
    the usual, which `variable` does, too: '' where there is none.
    """

    group: str
    paths: tuple[str, ...]
    variable: str = ""
    main: re.Pattern[str] | None = None
    lines: re.Pattern[str] | None = None


_GOPROXY = re.compile(r"^GOPROXY=.*$", re.MULTILINE)
# https://pip.pypa.io/en/stable/topics/configuration/, https://docs.astral.sh/uv/concepts/configuration-files/,
# https://docs.npmjs.com/cli/configuring-npm/npmrc, https://doc.rust-lang.org/cargo/reference/config.html,
# https://maven.apache.org/settings.html, https://go.dev/ref/mod#environment-variables
_KNOWN = (
    _Settings(
        "pypi",
        (".config/pip/pip.conf", ".pip/pip.conf", "/etc/pip.conf"),
        "PIP_INDEX_URL",
        re.compile(r"^index[-_]url\b.*$", re.MULTILINE),
    ),
    _Settings(
        "pypi",
        (".config/uv/uv.toml", "/etc/uv/uv.toml"),
        "UV_DEFAULT_INDEX",
        re.compile(r"^index-url\b.*$", re.MULTILINE),
    ),
    _Settings(
        "npm",
        (".npmrc", "/etc/npmrc"),
        "NPM_CONFIG_REGISTRY",
        re.compile(r"^registry\b.*$", re.MULTILINE),
    ),
    _Settings(
        "npm",
        (".yarnrc.yml",),
        "YARN_NPM_REGISTRY_SERVER",
        re.compile(r"^npmRegistryServer\b.*$", re.MULTILINE),
    ),
    _Settings("crates", (".cargo/config.toml", ".cargo/config")),
    _Settings("maven", (".m2/settings.xml",), lines=re.compile(r"<url>[^<>]{1,500}</url>")),
    _Settings("go", (".config/go/env",), "GOPROXY", _GOPROXY, _GOPROXY),
)
_COMMENT = re.compile(r"^[ \t]{0,20}[#;].*$", re.MULTILINE)


def mirrors(environ: Mapping[str, str]) -> tuple[Mirror, ...]:
    """The hosts that this user's settings name; a file that is not there or cannot be read names none."""
    return tuple(dict.fromkeys(_all(environ)))[:_MOST_HOSTS]


def _all(environ: Mapping[str, str]) -> Iterator[Mirror]:
    home = environ.get("HOME", "")
    for settings in _KNOWN:
        for path in settings.paths:
            file = _place(path, home, environ)
            shown = path if os.path.isabs(path) else f"~/{path}"
            # Most users have none of these files, and every plan asks.
            if text := _text(file):
                yield from _of_text(settings, _COMMENT.sub("", text), shown)


def _of_text(settings: _Settings, text: str, file: str) -> Iterator[Mirror]:
    main = set(mentions(text, file, settings.main)) if settings.main is not None else ()
    for mention in mentions(text, file, *filter(None, [settings.lines])):
        yield Mirror(settings.group, mention, settings.variable if mention in main else "")


def _place(path: str, home: str, environ: Mapping[str, str]) -> str:
    """Where `path` of `_Settings` is; '' for a user without a home."""
    configs = environ.get("XDG_CONFIG_HOME", "")
    if path.startswith(".config/") and os.path.isabs(configs):
        return os.path.join(configs, path.removeprefix(".config/"))
    if os.path.isabs(path):
        return path
    return os.path.join(home, path) if os.path.isabs(home) else ""


def _text(path: str) -> str:
    with contextlib.suppress(UnreadableError):
        return read_start(path, _MOST_BYTES).decode("utf-8", "replace") if path else ""
    return ""
