"""Remotes of git that are repositories in the work tree: git on the host runs their hooks at a push."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.plan.git_control import git_control
from tests.unit.plan.test_git_control import ALWAYS, git, pins, repository

__all__ = ["repository"]


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("remote.m.url", "./mirror.git", "mirror.git"),
        ("remote.m.url", "mirror", "mirror.git"),
        ("remote.m.url", "{root}/mirror.git", "mirror.git"),
        ("remote.m.url", "file://{root}/mirror.git", "mirror.git"),
        ("remote.m.url", "file://localhost{root}/mirror.git", "mirror.git"),
        ("remote.m.pushUrl", "mirror.git", "mirror.git"),
        ("remote.pushDefault", "./mirror.git", "mirror.git"),
        ("branch.main.remote", "./mirror.git", "mirror.git"),
        ("branch.main.pushRemote", "./mirror.git", "mirror.git"),
        ("remote.m.url", "own", "own/.git"),
        ("url.{root}/all/.insteadOf", "m:", "all"),
        ("url.all.pushInsteadOf", "m:", "all"),
    ],
)
def test_a_remote_in_the_work_tree_is_shut(
    repository: Path, key: str, value: str, path: str
) -> None:
    git(repository, "init", "-q", "--bare", "mirror.git")
    git(repository, "init", "-q", "own")
    git(repository, "init", "-q", "--bare", "all/a.git")
    git(repository, "config", key.format(root=repository), value.format(root=repository))
    control = git_control(str(repository))
    assert {*control.pins} == {*ALWAYS, path}
    assert "all" not in path or control.exposed == ()


@pytest.mark.parametrize(
    "url", ["host:mirror.git", "https://example.com/mirror.git", "..", ".", "../mirror.git"]
)
def test_other_remotes_shut_nothing(repository: Path, url: str) -> None:
    git(repository, "init", "-q", "--bare", "mirror.git")
    git(repository, "config", "remote.m.url", url)
    git(repository, "config", "branch.main.remote", "m")
    control = git_control(str(repository))
    assert {*control.pins} == ALWAYS and control.exposed == () and control.unread == ()


@pytest.mark.parametrize("url", ["mirror.git", "own"])
def test_of_one_that_is_there_no_other_place_is_named(repository: Path, url: str) -> None:
    git(repository, "init", "-q", "--bare", "mirror.git")
    git(repository, "init", "-q", "own")
    git(repository, "config", "remote.m.url", f"./{url}")
    assert git_control(str(repository)).exposed == ()


def test_one_behind_a_link_is_shut_where_it_is(repository: Path) -> None:
    git(repository, "init", "-q", "--bare", "real")
    (repository / "mirror.git").symlink_to("real")
    git(repository, "config", "remote.m.url", "mirror.git")
    assert pins(repository) >= {"real"}
    git(repository, "init", "-q", "tree")
    (repository / "link").symlink_to("tree")
    git(repository, "config", "remote.m.url", "link")
    control = git_control(str(repository))
    assert "tree/.git" in control.pins and "tree" not in control.pins
    assert "link" in {each.path for each in control.exposed}


def test_what_the_config_of_a_remote_names_is_shut(repository: Path) -> None:
    git(repository, "init", "-q", "--bare", "mirror.git")
    git(repository / "mirror.git", "config", "core.hooksPath", "../tools")
    git(repository, "config", "remote.m.url", "mirror.git")
    (repository / "tools").mkdir()
    assert pins(repository) >= {"mirror.git", "tools"}


def test_one_whose_git_directory_lies_elsewhere_is_shut_there(repository: Path) -> None:
    git(repository, "init", "-q", "--separate-git-dir", str(repository / "store"), "own")
    git(repository, "config", "remote.m.url", "./own")
    assert pins(repository) >= {"own/.git", "store"}


def test_a_remote_that_is_missing_is_named(repository: Path) -> None:
    git(repository, "config", "remote.m.url", "./mirror.git")
    exposed = git_control(str(repository)).exposed
    assert "mirror.git" in {each.path for each in exposed}
    assert "`remote.m.url` of git's config names a repository there" in exposed[0].why


@pytest.mark.parametrize("base", ["{root}/", "./", "../", "/"])
def test_a_prefix_of_urls_that_is_the_top_or_above_it_is_named(repository: Path, base: str) -> None:
    git(repository, "config", f"url.{base.format(root=repository)}.insteadOf", "m:")
    (unread,) = git_control(str(repository)).unread
    assert unread.path == ".git/config" and "any folder of the work tree" in unread.why


@pytest.mark.parametrize(
    "key", ["branch.main.remote", "branch.main.pushRemote", "remote.pushDefault"]
)
def test_what_no_remote_is_called_is_a_path(repository: Path, key: str) -> None:
    git(repository, "init", "-q", "--bare", "mirror.git")
    git(repository, "config", key, "mirror")
    assert pins(repository) == {*ALWAYS, "mirror.git"}
    git(repository, "config", "remote.mirror.url", "https://example.com/x")
    assert pins(repository) == ALWAYS


@pytest.mark.parametrize(
    ("path", "text"),
    [("remotes/m", "URL: mirror.git\nPush: main\n"), ("branches/m", "mirror.git#x\n")],
)
def test_remotes_in_files_of_older_versions_of_git_count(
    repository: Path, path: str, text: str
) -> None:
    git(repository, "init", "-q", "--bare", "mirror.git")
    (repository / ".git" / path).parent.mkdir(exist_ok=True)
    (repository / ".git" / path).write_text(text)
    git(repository, "config", "branch.main.remote", "m")
    control = git_control(str(repository))
    assert {*control.pins} == {*ALWAYS, "mirror.git"} and control.exposed == ()
    (repository / ".git" / path).write_text(text.replace("mirror", "gone"))
    assert {each.path for each in git_control(str(repository)).exposed} >= {"gone.git"}


@pytest.mark.parametrize("key", ["insteadOf", "pushInsteadOf"])
@pytest.mark.parametrize(
    ("base", "prefix", "name", "url"),
    [
        ("./", "loc:", "remote.m.url", "loc:mirror.git"),
        ("{root}/", "https://forge.example/", "remote.m.url", "https://forge.example/mirror"),
        ("file://{root}/mir", "x:", "remote.m.pushUrl", "x:ror.git"),
        ("./", "loc:", "branch.main.pushRemote", "loc:mirror.git"),
        ("./", "up", "remote.pushDefault", "upmirror"),
    ],
)
def test_a_remote_that_another_setting_brings_into_the_work_tree_is_shut(
    repository: Path, key: str, base: str, prefix: str, name: str, url: str
) -> None:
    git(repository, "init", "-q", "--bare", "mirror.git")
    git(repository, "config", name, url)
    assert "mirror.git" not in pins(repository)
    git(repository, "config", f"url.{base.format(root=repository)}.{key}", prefix)
    assert "mirror.git" in pins(repository)


def test_a_remote_in_a_file_is_brought_into_the_work_tree_too(repository: Path) -> None:
    git(repository, "init", "-q", "--bare", "mirror.git")
    (repository / ".git/remotes").mkdir(exist_ok=True)
    (repository / ".git/remotes/m").write_text("URL: loc:mirror.git\n")
    git(repository, "config", "url../.insteadOf", "loc:")
    assert "mirror.git" in pins(repository)


def test_one_that_is_missing_is_named_by_what_would_lead_to_it(repository: Path) -> None:
    git(repository, "config", "remote.m.url", "loc:gone.git")
    git(repository, "config", "url../.insteadOf", "loc:")
    exposed = {each.path: each.why for each in git_control(str(repository)).exposed}
    assert "`remote.m.url`" in exposed["gone.git"]
