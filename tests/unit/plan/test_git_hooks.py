"""Hooks of the host that have Python import from the work tree are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.plan.git_control import git_control
from sandboxd.plan.git_hooks import WHY, WHY_FOLDER, WHY_RECIPE, WHY_WRITABLE

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
    "hook",
    [
        "#!/bin/sh\npython3 -P -m ruff\n",
        "#!/bin/sh\ngrep -m 1 x\n",
        "python3 -Im ruff\n",
        "# python\ngit commit -m x\n",
    ],
)
def test_another_hook_is_not(tmp_path: Path, hook: str) -> None:
    assert unread(tmp_path, hook) == []


def test_a_sample_is_no_hook(tmp_path: Path) -> None:
    assert unread(tmp_path, PRE_COMMIT, "pre-commit.sample") == []


def test_a_recipe_that_a_hook_runs_is_named(tmp_path: Path) -> None:
    why = WHY_RECIPE.format("make")
    assert unread(tmp_path, "#!/bin/sh\nset -e\nmake -s lint\n") == [(".git/hooks/pre-commit", why)]


def test_what_git_lfs_installs_is_not_named(tmp_path: Path) -> None:
    hook = """#!/bin/sh
command -v git-lfs >/dev/null 2>&1 || { printf >&2 "\\n%s\\n\\n" "This repository is configured for Git LFS"; exit 2; }
git lfs pre-push "$@"
"""
    assert unread(tmp_path, hook, "pre-push") == []
    assert git_control(str(tmp_path)).exposed == ()


@pytest.mark.parametrize(
    "line",
    ["./tools/check.sh", "exec tools/check.sh x", "sh -e tools/check.sh", '"$TOP/tools/check.sh"'],
)
def test_a_script_that_a_hook_runs_is_shut(tmp_path: Path, line: str) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/check.sh").write_text("")
    assert unread(tmp_path, f"#!/bin/sh\n{line}\n") == []
    assert "tools/check.sh" in git_control(str(tmp_path)).pins


def test_a_script_that_a_hook_runs_and_that_is_missing_is_named(tmp_path: Path) -> None:
    unread(tmp_path, "#!/bin/sh\nif ./check.sh; then exit 0; fi\n")
    (exposed,) = git_control(str(tmp_path)).exposed
    assert exposed.path == "check.sh" and "the hook `.git/hooks/pre-commit` runs it" in exposed.why


def test_what_lies_where_tools_make_folders_anew_is_named_and_not_shut(tmp_path: Path) -> None:
    (tmp_path / "node_modules/.bin").mkdir(parents=True)
    (tmp_path / "node_modules/.bin/lint").write_text("")
    ((_, why),) = unread(tmp_path, "#!/bin/sh\nnode_modules/.bin/lint\n")
    assert why == WHY_WRITABLE.format("node_modules/.bin/lint")
    assert "node_modules/.bin/lint" not in git_control(str(tmp_path)).pins


@pytest.mark.parametrize(
    "line",
    [
        '. "$(dirname "$0")/_lib.sh"',
        "source $(dirname $0)/_lib.sh",
        '. "$(cd "$(dirname "$(readlink -f "$0")")" && pwd)/_lib.sh"',
        '. "${0%/*}/_lib.sh"',
        'DIR=$(dirname "$0"); . "$DIR/_lib.sh"',
        ". scripts/hooks/_lib.sh",
    ],
)
def test_what_a_hook_takes_from_beside_it_in_the_work_tree_is_shut(
    tmp_path: Path, line: str
) -> None:
    """A hook that is a link to a file of the work tree, of which only that file was."""
    folder = tmp_path / "scripts/hooks"
    folder.mkdir(parents=True)
    (folder / "pre-commit").write_text(f"#!/bin/sh\n{line}\n")
    (tmp_path / ".git/hooks").mkdir(parents=True)
    (tmp_path / ".git/hooks/pre-commit").symlink_to("../../scripts/hooks/pre-commit")
    control = git_control(str(tmp_path))
    missing = {each.path for each in (*control.exposed, *control.unread)}
    assert missing & {"scripts/hooks/_lib.sh", ".git/hooks/pre-commit"}
    (folder / "_lib.sh").write_text("")
    control = git_control(str(tmp_path))
    assert "scripts/hooks/_lib.sh" in control.pins and control.unread == ()


@pytest.mark.parametrize(
    "line",
    [
        '. "$(dirname -- "$0")/../../tools/check.sh"',
        'HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"\n"$HERE/../../tools/check.sh"',
        "`git rev-parse --show-toplevel`/tools/check.sh",
        '"$(git rev-parse --git-common-dir)/../tools/check.sh"',
        "./$(git rev-parse --show-cdup)tools/check.sh",
        "$GIT_DIR/../tools/check.sh",
        '"$TOP"/tools/check.sh',
        "timeout 5 tools/check.sh",
        "case $1 in\nx) tools/check.sh;;\nesac",
        "cd tools\n./check.sh",
        "pushd tools; sh check.sh",
        'D=tools\n"$D/check.sh"',
        "trap tools/check.sh EXIT",
        "run() { \"$@\"; }\nrun tools/check.sh",
        'PATH="tools:$PATH"\ncheck.sh',
    ],
)  # fmt: skip
def test_a_script_is_shut_however_a_hook_comes_to_run_it(tmp_path: Path, line: str) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/check.sh").write_text("")
    unread(tmp_path, f"#!/bin/bash\n{line}\n")
    assert "tools/check.sh" in git_control(str(tmp_path)).pins


@pytest.mark.parametrize("line", ["run-parts tools", 'for f in tools/*; do "$f"; done'])
def test_a_folder_of_programs_that_a_hook_names_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/check").write_text("")
    assert unread(tmp_path, f"#!/bin/sh\n{line}\n") == []
    (tmp_path / "tools/check").chmod(0o755)
    (found,) = git_control(str(tmp_path)).unread
    assert found == (".git/hooks/pre-commit", WHY_FOLDER.format("tools"))


@pytest.mark.parametrize(
    "line", ["black src/main.py", "# tools/check.sh\n:", "/opt/tools/check.sh", "check.sh"]
)
def test_what_a_hook_only_reads_or_does_not_reach_is_not_shut(tmp_path: Path, line: str) -> None:
    for path in ("tools/check.sh", "src/main.py"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("")
    assert unread(tmp_path, f"#!/bin/sh\n{line}\n") == []
    assert not {"tools/check.sh", "src/main.py"} & set(git_control(str(tmp_path)).pins)


HUSKY = (
    'n=$(basename "$0")\ns=$(dirname "$(dirname "$0")")/$n\n[ ! -f "$s" ] && exit 0\nsh -e "$s"\n'
)


def test_the_hooks_that_those_of_husky_run_are_shut_in_any_folder(tmp_path: Path) -> None:
    """Husky 9 sets `core.hooksPath` to a folder `_` with hooks of its own, which run the user's from the folder above."""
    own = tmp_path / "frontend/.husky/_"
    own.mkdir(parents=True)
    (own / "h").write_text(HUSKY)
    (own / "pre-commit").write_text('#!/usr/bin/env sh\n. "$(dirname "$0")/h"\n')
    (tmp_path / "frontend/.husky/pre-commit").write_text("sh tools/check\nnpm test\n")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/check").write_text("")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_text("[core]\n\thooksPath = frontend/.husky/_\n")
    control = git_control(str(tmp_path))
    assert {"frontend/.husky", "frontend/.husky/_", "tools/check"} <= set(control.pins)
    assert control.unread == (("frontend/.husky/pre-commit", WHY_RECIPE.format("npm")),)
