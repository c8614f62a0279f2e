"""Warnings of `git fsck` (git-fsck-messages) that are errors in what comes out of a sandbox."""

from __future__ import annotations

import pytest

from sandboxd.review import bundles


@pytest.mark.parametrize(
    "name",
    [
        "hasDot", "hasDotdot", "hasDotgit", "fullPathname", "emptyName",
        "nullSha1", "zeroPaddedFilemode", "symlinkTargetBlob", "gitmodulesMissing",
    ],
)  # fmt: skip
def test_a_tree_that_no_honest_repository_has_is_refused(name: str) -> None:
    assert name in bundles._ERRORS
