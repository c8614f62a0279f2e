"""What a path out of a sandbox means to the tools of the host."""

from __future__ import annotations

import pytest

from sandboxd.policy.acts_on_host import beside_head, weigh


@pytest.mark.parametrize(
    "path",
    [".git/config", "a/.GIT/hooks/x", ".git::$INDEX_ALLOCATION/x", "git~1/x", ".g\u200cit/config",
     ".git. /config", "a/.hg/hgrc", ".HG/hgrc", ".jj/repo/config.toml"],
)  # fmt: skip
def test_the_folder_of_a_version_control_is_never_written(path: str) -> None:
    assert weigh(path)[0] == "never"


@pytest.mark.parametrize(
    "path",
    [".vscode/tasks.json", "x/.VSCode/tasks.json", ".cargo/config.toml", ".helix/languages.toml",
     ".yarnrc", ".yarn/releases/yarn.cjs", ".Rprofile", ".mvn/extensions.xml", "rust-toolchain.toml",
     ".env", "GEMINI.md", ".lefthook.yml", "p.sublime-project", ".woodpecker.yml", "docs/x/HEAD"],
)  # fmt: skip
def test_what_tools_act_on_by_themselves_comes_by_name_only(path: str) -> None:
    assert weigh(path)[0] == "control"


@pytest.mark.parametrize("path", ["src/main.py", "head/page.tsx", "environment", "docs/git/hg.md"])
def test_ordinary_files_are_no_trap(path: str) -> None:
    assert weigh(path) == ("", "")


def test_a_config_counts_where_git_sees_a_repository() -> None:
    assert beside_head("docs/x/config") and beside_head("docs/x/CommonDir")
    assert beside_head("docs/x/config.py") == ""
