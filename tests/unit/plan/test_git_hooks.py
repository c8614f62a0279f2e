"""Hooks of the host that have Python import from the work tree are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.plan.git_control import git_control
from sandboxd.plan.git_hooks import WHY

# As pre-commit 4 writes it.
PRE_COMMIT = """#!/usr/bin/env bash
INSTALL_PYTHON=/home/me/.venv/bin/python3
ARGS=(hook-impl --config=.pre-commit-config.yaml --hook-type=pre-commit)
if [ -x "$INSTALL_PYTHON" ]; then
    exec "$INSTALL_PYTHON" -mpre_commit "${ARGS[@]}"
fi
"""


def unread(folder: Path, hook: str, name: str = "pre-commit") -> list[tuple[str, str]]:
    hooks = folder / ".git/hooks"
    hooks.mkdir(parents=True)
    (hooks / name).write_text(hook)
    return [tuple(each) for each in git_control(str(folder)).unread]


@pytest.mark.parametrize(
    "hook", [PRE_COMMIT, "#!/bin/sh\npython3 -u -m ruff check\n", "exec /usr/bin/python -um x\n"]
)
def test_a_hook_that_imports_from_the_work_tree_is_named(tmp_path: Path, hook: str) -> None:
    assert unread(tmp_path, hook) == [(".git/hooks/pre-commit", WHY)]


@pytest.mark.parametrize(
    "hook", ["#!/bin/sh\npython3 -P -m ruff\n", "python3 -Im ruff\n", "# python\ngit commit -m x\n"]
)
def test_another_hook_is_not(tmp_path: Path, hook: str) -> None:
    assert unread(tmp_path, hook) == []


def test_a_sample_is_no_hook(tmp_path: Path) -> None:
    assert unread(tmp_path, PRE_COMMIT, "pre-commit.sample") == []
