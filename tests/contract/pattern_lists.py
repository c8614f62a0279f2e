"""Patterns that the source alone does not show, and those that are in proportion for a reason of their own."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable

from sandboxd import credential_places, secret_forms
from sandboxd.config import keys
from sandboxd.engine import failures
from sandboxd.lint import gitignore
from sandboxd.model import apparmor, limits
from sandboxd.policy import acts_on_host
from sandboxd.rules import _commands, _loaders, _mounts, _tls, _uses
from sandboxd.rules import build_option_insecure as build_option
from sandboxd.rules import dockerfile_curl_pipe_shell as pipe
from sandboxd.rules import dockerfile_metadata_label as label
from sandboxd.rules import dockerfile_setuid_or_setcap as setuid
from sandboxd.rules import sudo_nopasswd as sudo

# A stranger's patterns, with wildcards in all places.
_IGNORED = (
    "*a*a*a*b", "a*" * 6, "**/a/**/a/**/b", "**/*a*/**/*b", "?*?*?*[a-z]*", "*[!a]*[a]*b", "a/**/**/b", "*/*/*/x",
)  # fmt: skip
# The most that its limit on wildcards lets through is measured by its own tests; one wildcard is in proportion.
_PATHS = ("/etc/**", "/proc/*/mem", "/{a,b}/x", "@{HOME}/.ssh/[a-z]*", "/usr/bin/?x")


def _acting() -> list[str]:
    index = acts_on_host._index()
    return [
        pattern.pattern for pattern in (index.any_pattern, *(each for each, _, _ in index.patterns))
    ]


MADE: dict[tuple[str, str], tuple[str, Callable[[], Iterable[str]]]] = {
    ("review.hide.names", "fnmatch.translate(glob)"): (
        "match", lambda: map(fnmatch.translate, credential_places.IN_PROJECTS),
    ),
    ("lint.gitignore", "_expression(body.rstrip('/'))"): (
        "fullmatch", lambda: map(gitignore._expression, _IGNORED),
    ),
    ("config.reader", "pattern[:-1] + '\\\\Z'"): (
        "match", lambda: [key.pattern for table in keys.tables() for key in table.keys if key.pattern],
    ),
    # One host and its port: nothing in it is repeated.
    ("egress.gateway.credential_head", "own"): ("sub", lambda: [r"(?<![^\s<,])https://a\.b(?::443)?(?=[/?#>]|$)"]),
    ("engine.failures", "case.pattern"): ("search", lambda: [case.pattern for case in failures._CASES]),
    ("model.apparmor", "_expression(glob)"): (
        "fullmatch", lambda: map(apparmor._expression, _PATHS),
    ),
    ("model.limits", "form.pattern"): (
        "fullmatch", lambda: [form.pattern for form in limits.FORMS.values() if form.pattern],
    ),
    ("policy.acts_on_host", "'|'.join((f'(?:{pattern.pattern})' for pattern, _, _ in patterns))"): ("fullmatch", _acting),
    ("policy.acts_on_host", "text"): ("fullmatch", _acting),
    ("rules._commands", "pattern"): ("search", lambda: [pattern for pattern, _ in _commands._SUSPICIOUS]),
    ("rules._loaders", "pattern"): ("search", _loaders._CODE.values),
    ("rules._mounts", "_VARIABLE.format(name=name)"): ("match", lambda: [_mounts._VARIABLE.format(name="NAME")]),
    ("rules._scripts", "gap"): ("sub", lambda: [r"\s+", r"[\s\",]+"]),
    ("rules._scripts", "pattern"): ("search", lambda: [pipe._FETCHED, setuid._RAISED, sudo._NOPASSWD]),
    ("secret_forms", "pattern"): ("search", lambda: [pattern for _, pattern, _ in secret_forms.TOKENS]),
    ("rules._tls", "pattern"): (
        "search", lambda: [*(pattern for _, pattern in _tls.COMMANDS.values()), *_tls.VARIABLES.values()],
    ),
    ("rules._uses", "pattern"): ("search", lambda: [pattern for pattern, _ in _uses.USES.values()]),
    ("rules.build_option_insecure", "pattern"): ("match", lambda: [row[1] for row in build_option._WEAK]),
    ("rules.dockerfile_metadata_label", "_REACHES[name]"): ("search", label._REACHES.values),
    ("syntax.substitution", "f'\\\\$\\\\{{{name}:?\\\\?'"): ("search", lambda: [r"\$\{NAME:?\?"]),
}  # fmt: skip
"""By the module and the expression: how the patterns are used that are made there, and those that it may make."""

IN_PROPORTION = {
    **{
        (
            f"observe.diagnosis.causes.{name}",
            "search",
        ): "it is given one line of at most 1,000 characters"
        for name in (
            "devices",
            "kernel_settings",
            "processes",
            "read_only",
            "space",
            "system_calls",
            "user",
        )
    },
    ("engine.failures", "search"): "it is given the first 4,000 characters of a message",
    ("rules._scripts", "search"): (
        "of `chmod`, flags and mode share commas alone, and behind a comma a file's name may begin: that is a match"
    ),
    ("setup.openpgp", "search"): (
        "`sandboxd setup` alone reads a key that it fetched: no daemon, and no workspace's text"
    ),
    ("sync.flows", "sub"): "it is given the name of one file, which has at most 255 bytes",
    ("syntax.dockerfile", "finditer"): (
        "a backslash and what it hides are read together in a text and outside: where one quote is not ended, "
        "no later one of its kind begins a text"
    ),
    ("syntax.dockerfile", "sub"): "the same texts: see `finditer`",
    (
        "syntax.jsonc_edit",
        "search",
    ): "it is matched at one place: the rest of the line that an edit ends in",
}
"""By the module and the function of `re`: why the one pattern there costs no more, though its parse tree says it may."""
