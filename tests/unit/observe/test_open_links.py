"""Which repositories that the host's git enters a running container can write: real indexes, mounts as data."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandboxd.model.labels import PROFILE, PROJECT
from sandboxd.observe import open_links
from sandboxd.observe.open_links import OpenLink
from tests.unit.plan.test_entrances import COMMIT, make, name
from tests.unit.plan.test_git_control import git

WORK = "/w"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    repository = make(tmp_path / "app")
    name(repository, "a", "deps/lib")
    (repository / "deps/lib").mkdir(parents=True)
    return repository


def mount(repository: Path, below: str, *, writable: bool, source: str = "") -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": source or os.path.join(repository, below).rstrip("/"),
        "Destination": os.path.join(WORK, below).rstrip("/"),
        "RW": writable,
    }


def inspected(repository: Path, *mounts: dict[str, Any], made: str = "", **more: Any) -> Any:
    """A container that has the workspace, a `.git` of its own, and further mounts."""
    own = mount(repository, ".git", writable=True, source="/state/inside")
    return {
        "Id": "c1",
        "Created": made or "2026-01-01T00:00:00.123456789Z",
        "Config": {"Labels": {PROJECT: str(repository)}},
        "HostConfig": {},
        "Mounts": [mount(repository, "", writable=True), own, *mounts],
        **more,
    }


def links(container: Any) -> list[str]:
    watch = open_links.watch(container)
    assert watch is not None
    return [each.path for each in open_links.named(watch).entered]


def test_what_no_mount_covers_can_be_written(repository: Path) -> None:
    assert links(inspected(repository)) == ["a/.git", "deps/lib/.git"]


def test_a_mount_on_it_or_above_it_shuts_it(repository: Path) -> None:
    shut = mount(repository, "deps/lib/.git", writable=False)
    assert links(inspected(repository, shut)) == ["a/.git"]
    above = mount(repository, "deps", writable=False)
    assert links(inspected(repository, above)) == ["a/.git"]


def test_a_mount_that_only_keeps_a_folder_in_its_place_shuts_nothing(repository: Path) -> None:
    kept = [mount(repository, path, writable=True) for path in ("deps", "deps/lib")]
    assert "deps/lib/.git" in links(inspected(repository, *kept))


def test_what_is_written_into_a_volume_or_memory_is_not_on_the_host(repository: Path) -> None:
    volume = mount(repository, "a", writable=True, source="/var/lib/docker/volumes/x/_data")
    assert links(inspected(repository, volume)) == ["deps/lib/.git"]
    memory = {"Tmpfs": {f"{WORK}/a": ""}}
    assert links(inspected(repository, HostConfig=memory)) == ["deps/lib/.git"]


def test_one_that_shares_the_repository_itself_is_not_looked_at(repository: Path) -> None:
    shared = inspected(repository)
    shared["Mounts"] = shared["Mounts"][:1]
    assert open_links.watch(shared) is None
    shared["Mounts"] = []
    assert open_links.watch(shared) is None


@pytest.mark.parametrize(("hours", "is_open"), [(-1, True), (1, False)])
def test_a_link_counts_unless_it_was_there_before_the_container(
    repository: Path, hours: int, is_open: bool
) -> None:
    (repository / "a").symlink_to("deps")
    # Nobody can set the time of change: the container is older or younger.
    made = datetime.now(UTC) + timedelta(hours=hours)
    container = inspected(repository, made=made.isoformat().replace("+00:00", "Z"))
    watch = open_links.watch(container)
    assert watch is not None
    kept_in = f"{repository}/.git/modules"
    assert (OpenLink("a/.git", "a", kept_in) in open_links.named(watch).entered) is is_open


def test_without_the_time_of_the_container_a_link_counts(repository: Path) -> None:
    (repository / "a").symlink_to("deps")
    assert "a/.git" in links(inspected(repository, made="?"))


def test_the_index_is_read_at_each_look(repository: Path) -> None:
    watch = open_links.watch(inspected(repository))
    assert watch is not None
    name(repository, "later")
    assert "later/.git" in [each.path for each in open_links.named(watch).entered]


def test_an_index_that_git_does_not_read_is_said(repository: Path) -> None:
    watch = open_links.watch(inspected(repository))
    (repository / ".git/index").write_bytes(b"\0\0\xe0\0" * 8)
    assert watch is not None
    ((path, why),) = open_links.named(watch).unread
    assert path == ".git/index" and "form" in why


def test_a_second_look_at_the_same_index_reads_nothing(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = open_links.watch(inspected(repository))
    assert watch is not None
    before = open_links.named(watch)
    monkeypatch.setattr(
        "sandboxd.plan.gitlinks._read", lambda _path: pytest.fail("it was read again")
    )
    assert open_links.named(watch) == before


def config(repository: Path, text: str) -> None:
    with (repository / ".git/config").open("a") as file:
        file.write(text)


def test_what_the_config_names_since_is_open_where_it_can_be_written(repository: Path) -> None:
    for folder in ("scripts/hooks", "shut/hooks"):
        (repository / folder).mkdir(parents=True)
    (repository / "clean.py").write_text("")
    watch = open_links.watch(inspected(repository, mount(repository, "shut", writable=False)))
    assert watch is not None and open_links.named(watch).acted_upon == ()
    config(repository, "[core]\n\thooksPath = shut/hooks\n")
    assert open_links.named(watch).acted_upon == ()
    config(repository, '\thooksPath = scripts/hooks\n[filter "x"]\n\tclean = python clean.py\n')
    assert open_links.named(watch).acted_upon == ("clean.py", "scripts/hooks")


def test_a_config_that_the_config_includes_counts_as_soon_as_it_is_there(repository: Path) -> None:
    config(repository, "[include]\n\tpath = ../team.gitconfig\n")
    watch = open_links.watch(inspected(repository))
    assert watch is not None and open_links.named(watch).acted_upon == ()
    (repository / "team.gitconfig").write_text("")
    assert open_links.named(watch).acted_upon == ("team.gitconfig",)


def test_a_linked_work_tree_that_git_lists_is_open_unless_it_is_shut_or_elsewhere(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, *COMMIT)
    watch = open_links.watch(inspected(repository))
    shut = open_links.watch(
        inspected(repository, mount(repository, "trees/one/.git", writable=False))
    )
    git(repository, "worktree", "add", "-q", str(tmp_path / "elsewhere"))
    before = [each.path for each in open_links.named(watch).entered]
    git(repository, "worktree", "add", "-q", "trees/one")
    linked = [each for each in open_links.named(watch).entered if each.is_linked]
    assert [each.path for each in linked] == ["trees/one/.git"] and "trees/one/.git" not in before
    assert not [each for each in open_links.named(shut).entered if each.is_linked]


def test_a_repository_that_a_program_inside_makes_is_in_no_list(repository: Path) -> None:
    watch = open_links.watch(inspected(repository))
    before = open_links.named(watch)
    git(repository, "init", "-q", "nested")
    (repository / "trees/two").mkdir(parents=True)
    (repository / "trees/two/.git").write_text("gitdir: ../../nested/.git\n")
    assert open_links.named(watch) == before


def test_hooks_in_a_linked_work_tree_are_acted_upon_there(repository: Path) -> None:
    """Git takes a relative folder of hooks as one of the work tree in which it runs."""
    git(repository, *COMMIT)
    config(repository, "[core]\n\thooksPath = .husky\n")
    git(repository, "worktree", "add", "-q", "trees/one")
    (repository / "trees/one/.husky").mkdir()
    watch = open_links.watch(inspected(repository))
    assert open_links.named(watch).acted_upon == ("trees/one/.husky",)


def test_a_submodule_is_seen_to_be_added_before_the_index_names_it(repository: Path) -> None:
    modules = repository / ".git/modules"
    (modules / "old").mkdir(parents=True)
    (repository / ".gitmodules").write_text('[submodule "by-name"]\n\tpath = a\n')
    watch = open_links.watch(inspected(repository))
    assert open_links.named(watch).added == ()
    # `git submodule update` fetches what the index names, one of them under a name of its own.
    for known in ("by-name", "deps/lib"):
        (modules / known).mkdir(parents=True)
    assert open_links.named(watch).added == ()
    (modules / "new").mkdir()
    assert open_links.named(watch).added == ("new",)


def acted_upon(watch: open_links.Watch | None) -> tuple[str, ...]:
    return open_links.named(watch).acted_upon


def test_what_the_config_names_counts_before_it_exists(repository: Path) -> None:
    """A program inside can make it."""
    watch = open_links.watch(inspected(repository, mount(repository, "shut", writable=False)))
    config(repository, "[core]\n\thooksPath = tools/hooks\n[include]\n\tpath = ../.gitlocal\n")
    assert acted_upon(watch) == (".gitlocal", "tools/hooks")
    # The next container has it named by `up`, and halts when it comes.
    watch = open_links.watch(inspected(repository))
    assert acted_upon(watch) == ()
    coming = set(open_links.named(watch).coming)
    assert coming == {str(repository / path) for path in (".gitlocal", "tools", "tools/hooks")}
    (repository / ".gitlocal").write_text("")
    assert acted_upon(watch) == (".gitlocal",)


def test_a_word_of_a_command_counts_when_it_comes_to_be_a_path(repository: Path) -> None:
    watch = open_links.watch(inspected(repository))
    config(repository, "[alias]\n\tco = checkout\n\tst = !python tools.py\n")
    assert acted_upon(watch) == ()
    assert str(repository / "tools.py") in open_links.named(watch).coming
    (repository / "tools.py").write_text("")
    assert acted_upon(watch) == ("tools.py",)
    assert watch is not None and open_links.from_inside(watch, "tools.py") == "tools.py"


def test_a_config_that_another_one_includes_is_one_of_the_files_that_name(
    repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "more").write_text("[core]\n\thooksPath = more/hooks\n")
    watch = open_links.watch(inspected(repository))
    config(repository, f"[include]\n\tpath = {tmp_path}/more\n")
    named = open_links.named(watch)
    assert str(tmp_path / "more") in named.files and named.acted_upon == ("more/hooks",)


def test_of_what_is_named_what_changed_since_may_be_from_inside(repository: Path) -> None:
    (repository / "tools/hooks").mkdir(parents=True)
    (repository / "tools/hooks/post-commit").write_text("")
    (repository / "lead").symlink_to("tools")
    watch = open_links.watch(inspected(repository))
    assert watch is not None
    config(repository, "[core]\n\thooksPath = lead/hooks\n")
    changed = os.lstat(repository / "tools/hooks/post-commit").st_ctime_ns
    link = os.lstat(repository / "lead").st_ctime_ns
    assert open_links.from_inside(watch._replace(start=changed), "tools/hooks") == "tools/hooks"
    assert open_links.from_inside(watch._replace(start=changed + 1), "tools/hooks") == ""
    assert open_links.from_inside(watch._replace(start=link), "lead/hooks") == "lead"
    assert open_links.from_inside(watch._replace(start=link + 1), "lead/hooks") == ""
    assert open_links.from_inside(watch, "tools/none") == ""
    # A folder that was ready takes its own time along, and what it holds does not.
    (repository / "tools").rename(repository / "old")
    (repository / "old").rename(repository / "tools")
    moved = os.lstat(repository / "tools").st_ctime_ns
    assert open_links.from_inside(watch._replace(start=moved), "tools/hooks") == "tools/hooks"


@pytest.mark.parametrize(("made", "at"), [("2100-01-01T00:00:00Z", ""), ("", "tools")])
def test_what_was_named_and_there_at_the_start_is_left(
    repository: Path, made: str, at: str
) -> None:
    """The start is that of the container: a program inside can be faster than who begins to watch it."""
    (repository / "tools").mkdir()
    config(repository, "[core]\n\thooksPath = tools\n")
    watch = open_links.watch(inspected(repository, made=made))
    assert watch is not None and open_links.from_inside(watch, "tools") == at


def test_a_control_file_that_git_brings_back_is_open(repository: Path) -> None:
    (repository / ".envrc").write_text("host")
    (repository / ".npmrc").write_text("a=1")
    git(repository, "add", ".envrc", ".npmrc")
    (repository / ".envrc").unlink()
    watch = open_links.watch(inspected(repository))
    assert watch is not None
    # One that was there, without a mount, was named by the plan.
    assert open_links.named(watch).tracked == ()
    # What a program inside makes, and git does not track.
    (repository / ".tool-versions").write_text("x")
    assert open_links.named(watch).tracked == ()
    git(repository, "checkout", ".envrc")
    assert open_links.named(watch).tracked == (".envrc",)
    shut = open_links.watch(inspected(repository, mount(repository, ".envrc", writable=False)))
    assert open_links.named(shut).tracked == ()


def test_what_the_profile_leaves_open_stays_so(repository: Path) -> None:
    container = inspected(repository)
    container["Config"]["Labels"][PROFILE] = "dev"
    watch = open_links.watch(container)
    for file in (".env", ".envrc"):
        (repository / file).write_text("x")
    git(repository, "add", "-f", ".env", ".envrc")
    assert open_links.named(watch).tracked == (".envrc",)


def test_a_config_or_hooks_that_become_a_link_count_where_they_lead(repository: Path) -> None:
    watch = open_links.watch(inspected(repository))
    assert acted_upon(watch) == ()
    # What the host puts in the place of these names wakes the watch.
    named = open_links.named(watch)
    own = repository / ".git"
    assert {str(own / "config"), str(own / "hooks")} <= {*named.files}
    (own / "config").rename(repository / "gitconfig")
    (own / "config").symlink_to("../gitconfig")
    (own / "hooks").rename(own / "old")
    (own / "hooks").symlink_to("../tools/hooks")
    assert acted_upon(watch) == ("gitconfig", "tools/hooks")
    assert str(repository / "gitconfig") in open_links.named(watch).files
    # Names in the index are read all the same.
    assert open_links.named(watch).unread == ()
    (repository / "tools/hooks").mkdir(parents=True)
    assert watch is not None
    assert open_links.from_inside(watch, "tools/hooks") == "tools/hooks"


def test_a_control_file_that_git_tracks_and_that_is_missing_counts_when_it_comes(
    repository: Path,
) -> None:
    for path in (".envrc", "readme"):
        (repository / path).write_text("")
        git(repository, "add", path)
        (repository / path).unlink()
    watch = open_links.watch(inspected(repository))
    named = open_links.named(watch)
    assert str(repository / ".envrc") in named.coming and named.tracked == ()
    assert str(repository / "readme") not in named.coming
    (repository / ".envrc").write_text("evil")
    assert open_links.named(watch).tracked == (".envrc",)


def test_a_remote_in_the_work_tree_counts_from_when_the_config_names_it(repository: Path) -> None:
    git(repository, "init", "-q", "--bare", "mirror.git")
    watch = open_links.watch(inspected(repository))
    config(repository, '[remote "mirror"]\n\turl = ./mirror.git\n')
    assert "mirror.git" in acted_upon(watch)
