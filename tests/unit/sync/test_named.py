"""What git on the host acts upon because a setting names it never comes from inside, whatever the way there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandboxd.plan.git_named import named_by_git
from sandboxd.sync.git_ignored import GitIgnored
from sandboxd.sync.run import Rest, keep_the_same
from tests.unit.sync.pair import Folders, texts

EVIL = "#!/bin/sh\necho from inside\n"


class Repository(Folders):
    """Two folders of which `host` has a repository, whose config names paths."""

    def __init__(self, base: Path) -> None:
        super().__init__(base)
        self.environ = {"HOME": str(base / "home"), "PATH": "/usr/bin", "GIT_CONFIG_NOSYSTEM": "1"}
        self.git("init", "-q")
        self.policies = GitIgnored(str(self.host), "", (), by_settings=self.named)

    def named(self) -> frozenset[str]:
        return named_by_git(str(self.host), self.environ)

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.host), *words], check=True, capture_output=True)

    def keep_all(self) -> list[str]:
        """Keep both the same; the paths that stay different."""
        report = keep_the_same(*self._sides, self.journal, self.policies)
        assert report.rest is Rest.SAME
        return [stay.path for stay in report.last.stays if stay.path != ".git"]


@pytest.fixture
def both(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def hook(folder: Path, path: str = "tools/hooks/pre-commit", text: str = EVIL) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_of_hooks(both: Repository, is_there: bool) -> None:
    if is_there:
        hook(both.host, text="of the host")
    both.git("config", "core.hooksPath", "tools/hooks")
    both.keep_all()
    hook(both.inside)
    hook(both.inside, "tools/other")
    assert "tools/hooks/pre-commit" in both.keep_all() or not is_there
    files = texts(both.host / "tools")
    assert files == {"other": EVIL, **({"hooks/pre-commit": "of the host"} if is_there else {})}
    # A setting that comes later counts from then on, and the host's changes go in.
    both.git("config", "core.hooksPath", "late")
    hook(both.inside, "late/pre-push")
    hook(both.host, "tools/hooks/pre-commit", "newer")
    both.keep_all()
    assert not (both.host / "late/pre-push").exists()


@pytest.mark.parametrize("spelt", ["Tools/Hooks", "tools/ho\u200coks", "tools./hooks"])
def test_another_spelling(both: Repository, spelt: str) -> None:
    both.git("config", "core.hooksPath", "tools/hooks")
    hook(both.inside, f"{spelt}/pre-commit")
    both.keep_all()
    assert not list(both.host.rglob("pre-commit"))


@pytest.mark.parametrize("has_folder", [True, False])
def test_a_link_above_it(both: Repository, has_folder: bool) -> None:
    """What is named does not exist on the host; inside makes a link that leads there."""
    both.git("config", "core.hooksPath", "tools/hooks")
    if has_folder:
        hook(both.host, "tools/file", "x")
    both.keep_all()
    if has_folder:
        (both.inside / "tools/file").unlink()
        (both.inside / "tools").rmdir()
    hook(both.inside, "mine/hooks/pre-commit")
    (both.inside / "tools").symlink_to("mine")
    assert "tools" in both.keep_all()
    assert not (both.host / "tools/hooks").exists()


def test_a_link_on_the_way_to_it(both: Repository) -> None:
    both.git("config", "core.hooksPath", "tools/hooks")
    (both.host / "one/hooks").mkdir(parents=True)
    (both.host / "tools").symlink_to("middle")
    (both.host / "middle").symlink_to("one")
    both.keep_all()
    hook(both.inside, "two/hooks/pre-commit")
    hook(both.inside, "one/hooks/pre-commit")
    (both.inside / "middle").unlink()
    (both.inside / "middle").symlink_to("two")
    both.keep_all()
    assert not (both.host / "tools/hooks/pre-commit").exists()
    # A folder in its place, too.
    (both.inside / "middle").unlink()
    hook(both.inside, "middle/hooks/pre-commit")
    both.keep_all()
    assert not (both.host / "tools/hooks/pre-commit").exists()


@pytest.mark.parametrize(
    ("setting", "value", "path"),
    [
        ("core.fsmonitor", "tools/watch.sh", "tools/watch.sh"),
        ("alias.st", "!tools/st.sh", "tools/st.sh"),
        ("include.path", "../tools/git.config", "tools/git.config"),
        ("core.attributesFile", "tools/attributes", "tools/attributes"),
    ],
)
def test_programs_and_configs(both: Repository, setting: str, value: str, path: str) -> None:
    hook(both.host, path, "of the host")
    both.git("config", setting, value)
    both.keep_all()
    hook(both.inside, path)
    assert path in both.keep_all()
    assert (both.host / path).read_text() == "of the host"


def test_the_users_own_config_counts(both: Repository) -> None:
    home = Path(both.environ["HOME"])
    home.mkdir()
    (home / ".gitconfig").write_text("[core]\n\thooksPath = githooks\n")
    hook(both.inside, "githooks/pre-commit")
    both.keep_all()
    assert not (both.host / "githooks/pre-commit").exists()


def test_a_hook_outside_of_the_workspace_is_no_path_within_it(both: Repository) -> None:
    outside = both.host.parent / "hooks"
    hook(outside, "pre-commit", "#!/bin/sh\npython3 -c 1\n")
    (outside / "pre-commit").chmod(0o755)
    both.git("config", "core.hooksPath", str(outside))
    hook(both.host, "home-of-hooks")
    top = outside.parts[1]
    (both.host / top).symlink_to("home-of-hooks")
    assert not {path for path in both.named() if path.startswith("/") or path == top}
