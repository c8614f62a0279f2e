"""What a path out of a sandbox means to the tools of the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.policy.acts_on_host import beside_head, root_names, weigh
from sandboxd.policy.acts_on_host_table import ROWS, Row

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "path",
    [".git/config", "a/.GIT/hooks/x", ".git::$INDEX_ALLOCATION/x", "git~1/x", ".g\u200cit/config",
     ".git. /config", "a/.hg/hgrc", ".HG/hgrc", ".jj/repo/config.toml", ".sl/config",
     "a/_darcs/prefs/defaults", "lib/.git", "lib/.GIT"],
)  # fmt: skip
def test_the_folder_of_a_version_control_is_never_written(path: str) -> None:
    assert weigh(path)[0] == "never"


@pytest.mark.parametrize(
    "path",
    [".vscode/tasks.json", "x/.VSCode/tasks.json", ".cargo/config.toml", ".helix/languages.toml",
     ".yarnrc", ".yarn/releases/yarn.cjs", ".Rprofile", ".mvn/extensions.xml", "rust-toolchain.toml",
     ".env", "GEMINI.md", ".lefthook.yml", "p.sublime-project", ".woodpecker.yml", "docs/x/HEAD",
     ".vimrc", "AGENTS.override.md", ".config/mise/config.toml", ".lintstagedrc.json", ".agents/x.md",
     "compose.override.yaml", "a/.config/mise.toml", "mise.local.toml", ".envrc/x"],
)  # fmt: skip
def test_what_tools_act_on_by_themselves_comes_by_name_only(path: str) -> None:
    assert weigh(path)[0] == "control"


@pytest.mark.parametrize(
    "path",
    ["src/main.py", "head/page.tsx", "environment", "docs/git/hg.md", "package.json/notes.md",
     "config/mise/x", ".config/other.toml", "compose/override.py", "node_modules", "src/venv/core.py",
     "app.config.json", "src/config.ts", "docs/conf.py/x", ".lsp/.cache/db", "vendor/x/y.go"],
)  # fmt: skip
def test_ordinary_files_are_no_trap(path: str) -> None:
    assert weigh(path) == ("", "")


def test_a_config_counts_where_git_sees_a_repository() -> None:
    assert beside_head("docs/x/config") and beside_head("docs/x/CommonDir")
    assert beside_head("docs/x/config.py") == ""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.names[0])
def test_each_name_of_the_table_weighs_as_its_row_says(row: Row) -> None:
    assert row.source.startswith("https://") or (ROOT / row.source).is_file()
    for name in row.names:
        path = f"some/where/{name.replace('*', 'x')}"
        assert weigh(path)[0] == row.weight, path
        assert weigh(path.upper())[0] == row.weight, path


def test_no_name_stands_in_two_rows() -> None:
    names = [name.casefold() for row in ROWS for name in row.names]
    assert sorted(set(names)) == sorted(names)


def test_names_to_pin_are_spelt_as_their_tools_spell_them() -> None:
    assert {"Jenkinsfile", "CLAUDE.md", ".envrc", ".config/mise"} <= set(root_names())
    assert "Makefile" not in root_names() and not any("*" in name for name in root_names())


def _documented() -> list[list[str]]:
    text = (ROOT / "tests/data/names-in-documents.txt").read_text()
    return [line.split(" ") for line in text.splitlines()[1:]]


@pytest.mark.parametrize(("weight", "path", "source"), _documented(), ids=lambda word: word)
def test_each_path_that_a_tool_documents_has_its_weight(
    weight: str, path: str, source: str
) -> None:
    assert source.startswith("https://")
    order = ("never", "control", "runs", "")
    assert order.index(weigh(path)[0]) <= order.index(weight)
    assert order.index(weigh(f"some/where/{path}")[0]) <= order.index(weight)


def test_no_name_is_lost_from_the_table() -> None:
    """Held apart from the table: whoever adds a name there adds it here, and none goes unseen."""
    lines = [
        line
        for name in ("names-that-act.txt", "names-that-run.txt")
        for line in (ROOT / "tests/data" / name).read_text().splitlines()[1:]
    ]
    assert sorted(f"{row.weight} {name}" for row in ROWS for name in row.names) == lines
