"""Decides whether a path of the workspace stays out of the sandbox. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.policy.acts_on_host import plain_path
from sandboxd.review.hide.names import secret_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandboxd.lint.gitignore import Pattern

    Parse = Callable[[str], tuple[Pattern, ...]]

BY_POLICY = "by `hide` of the policy"
BY_SETTING = "by `hide`"


class Decision:
    """The patterns of settings, ready to be asked about paths.

    :param parse: makes the patterns of a text as of a `.gitignore`
    """

    def __init__(
        self,
        always: Iterable[str],
        hide: Iterable[str],
        show: Iterable[str],
        parse: Parse,
        *,
        secrets: bool,
    ) -> None:
        self._always, self._hide, self._show = (
            tuple(parse("\n".join(each.casefold() for each in texts)))
            for texts in (always, hide, show)
        )
        self._secrets = secrets

    def why(
        self,
        path: str,
        is_folder: bool,
        is_tracked: Callable[[], bool],
        token: Callable[[], str],
    ) -> str:
        """Why `path` is hidden, a phrase; '' if it is not. Folders above it have to be asked first.

        :param path: relative to the workspace
        :param is_tracked: whether git has it, or something below it, in its index: it can be read in git's objects then
        :param token: the kind of a secret that the file contains; '' for none
        """
        if path == ".git" or path.startswith(".git/"):
            # Git's own files are copied by rules of their own.
            return ""
        plain = plain_path(path)
        if _matches(self._always, plain, is_folder):
            return BY_POLICY
        if _matches(self._show, plain, is_folder):
            return ""
        if _matches(self._hide, plain, is_folder):
            return BY_SETTING
        if not self._secrets:
            return ""
        kind = secret_by_name(path)
        why = f"its name is one for {kind}" if kind else ""
        if not why and not is_folder:
            kind = token()
            why = f"it contains {kind}" if kind else ""
        return "" if why and is_tracked() else why


def _matches(patterns: tuple[Pattern, ...], path: str, is_folder: bool) -> bool:
    """Whether a pattern fits the path and no later one takes it back with `!`."""
    for pattern in reversed(patterns):
        if (is_folder or not pattern.folders_only) and pattern.expression.fullmatch(path):
            return not pattern.negated
    return False
