"""Which files decide what git on the host runs: read from the config, compared with git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.plan import git_on_host
from sandboxd.plan.entrances import entrances
from sandboxd.plan.git_control import GitControl, git_control, named_by_config
from sandboxd.plan.git_environment import settings_of
from sandboxd.plan.git_user_configs import user_configs
from sandboxd.plan.gitlinks import index_of
from sandboxd.plan.notes import Notes
from sandboxd.plan.workspace import ControlFile, survey


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "protocol.file.allow=always", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "w"
    root.mkdir()
    git(root, "init", "-q")
    return root


def pins(repository: Path, **options: object) -> set[str]:
    return {*git_control(str(repository), **options).pins}  # type: ignore[arg-type]


ALWAYS = {"commondir"}
"""The mount over `.git` shuts what lies in it."""


def test_a_plain_repository(repository: Path) -> None:
    assert pins(repository) == ALWAYS
    control = git_control(str(repository))
    assert control.folders == {"commondir"} and control.common == (".git/commondir",)


@pytest.mark.parametrize(
    ("key", "value", "file"),
    [
        ("core.hooksPath", ".husky", ".husky"),
        ("core.hooksPath", "{root}/tools/hooks", "tools/hooks"),
        ("core.hooksPath", "~/w/x", "x"),
        ("include.path", "../.gitconfig", ".gitconfig"),
        ("includeIf.onbranch:main.path", "../a/b", "a/b"),
        ("core.fsmonitor", "tools/watch", "tools/watch"),
        ("core.attributesFile", "attributes", "attributes"),
        ("filter.lfs.clean", "python3 tools/clean.py -- %f", "tools/clean.py"),
        ("diff.word.textconv", "'tools/to text'", "tools/to text"),
        ("alias.x", "!tools/x.sh", "tools/x.sh"),
        ("credential.https://example.com.helper", "!./helper", "helper"),
        ("merge.ours.driver", "./bin/merge %A", "bin/merge"),
        ("gpg.program", "bin/gpg", "bin/gpg"),
        (
            "filter.nb.clean",
            '"$(git rev-parse --show-toplevel)"/tools/clean.sh %f',
            "tools/clean.sh",
        ),
        ("filter.nb.clean", "`git rev-parse --show-toplevel`/tools/clean.sh", "tools/clean.sh"),
        ("core.fsmonitor", "$PWD/watch", "watch"),
        ("imap.tunnel", "tools/tunnel x", "tools/tunnel"),
        ("sendemail.sendmailCmd", "tools/send", "tools/send"),
        ("core.editor", "$HOME/w/edit", "edit"),
        ("alias.x", "!sh -c 'cd x && ./deploy.sh \"$@\"'", "deploy.sh"),
    ],
)
def test_what_the_config_names_is_pinned(repository: Path, key: str, value: str, file: str) -> None:
    path = repository / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    git(repository, "config", key, value.format(root=repository))
    assert pins(repository, home=str(repository.parent)) == {*ALWAYS, file}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("remote.origin.url", "src"),
        ("branch.src.merge", "src"),
        ("core.hooksPath", "/usr/share/hooks"),
        ("core.hooksPath", "../hooks"),
        ("alias.st", "status"),
        ("core.editor", "vi"),
        ("core.fsmonitor", "true"),
        ("core.hooksPath", "."),
    ],
)
def test_other_settings_pin_nothing(repository: Path, key: str, value: str) -> None:
    (repository / "src").mkdir()
    git(repository, "config", key, value)
    assert pins(repository) == ALWAYS


def test_missing_hooks_are_made_and_a_missing_include_is_named(repository: Path) -> None:
    git(repository, "config", "core.hooksPath", ".githooks")
    git(repository, "config", "include.path", "../.gitconfig")
    control = git_control(str(repository))
    assert ".githooks" in control.pins and ".githooks" in control.folders
    assert [entry.path for entry in control.exposed] == [".gitconfig"]
    facts = survey(str(repository), (), git=control)
    assert ".githooks" in facts.of_kind("stub")
    assert [entry.path for entry in facts.exposed] == [".gitconfig"]


def test_includes_are_followed_and_their_paths_are_relative_to_them(repository: Path) -> None:
    (repository / "conf").mkdir()
    (repository / "conf/one").write_text("[include]\n\tpath = two\n")
    (repository / "conf/two").write_text("[core]\n\thooksPath = h\n[include]\n\tpath = one\n")
    git(repository, "config", "include.path", "../conf/one")
    assert pins(repository) == {*ALWAYS, "conf/one", "conf/two", "h"}


def test_the_settings_in_the_variables_of_the_user_count(repository: Path) -> None:
    for name in ("a", "b", "c"):
        (repository / name).touch()
    environ = {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": ".githooks",
        "GIT_CONFIG_KEY_1": "safe.bareRepository",
        "GIT_CONFIG_VALUE_1": "explicit",
        "GIT_CONFIG_PARAMETERS": f"'include.path'='{repository}/a'",
        "GIT_SSH_COMMAND": "./b -x",
        "GIT_PAGER": "",
    }
    control = git_control(str(repository), settings=settings_of(environ))
    assert {*control.pins} == {*ALWAYS, ".githooks", "a", "b"} and control.bare_refused


def test_the_files_of_linked_work_trees_in_the_workspace_are_pinned(
    repository: Path, tmp_path: Path
) -> None:
    """Git on the host goes into the repository that such a file names, wherever that is."""
    git(repository, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--allow-empty", "-mx")
    (tmp_path / "link").symlink_to(repository)
    git(repository, "worktree", "add", "-q", "trees/one")
    git(repository, "worktree", "add", "-q", str(tmp_path / "link/two"))
    git(repository, "worktree", "add", "-q", str(tmp_path / "elsewhere"))
    git(repository, "worktree", "add", "-q", "gone")
    (repository / "gone").rename(tmp_path / "gone")
    git(repository, "worktree", "add", "-q", "moved")
    (repository / "moved").rename(repository / "moved-inside")
    (repository / "moved").symlink_to("moved-inside")
    control = git_control(str(repository))
    assert {*control.pins} == {*ALWAYS, "trees/one/.git", "two/.git", "moved-inside/.git"}
    assert [entry.path for entry in control.exposed] == ["moved/.git"]


def test_the_folders_of_the_workspace_whose_objects_it_reads_are_pinned(
    repository: Path, tmp_path: Path
) -> None:
    """A pack there, made inside, would say what git on the host checks out."""
    git(repository, "init", "-q", "vendor/lib")
    git(repository, "init", "-q", str(tmp_path / "other"))
    lines = ("../../vendor/lib/.git/objects", str(tmp_path / "other/.git/objects"))
    (repository / ".git/objects/info/alternates").write_text("\n".join(lines))
    assert pins(repository) == {*ALWAYS, "vendor/lib/.git/objects"}


def test_the_config_of_the_user_counts(repository: Path, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text(
        "[core]\nhooksPath = .githooks\n[safe]\nbareRepository=explicit\n"
    )
    environ = {"HOME": str(tmp_path)}
    configs = user_configs(environ, str(repository))
    assert configs[-1] == str(tmp_path / ".gitconfig")
    control = git_control(str(repository), configs, str(tmp_path))
    assert ".githooks" in control.pins and control.bare_refused
    git(repository, "config", "safe.bareRepository", "explicit")
    assert not git_control(str(repository)).bare_refused, "git does not believe a repository here"


def test_a_config_of_the_user_that_is_in_the_workspace_is_pinned(repository: Path) -> None:
    (repository / "mine.conf").write_text("[core]\nhooksPath = .githooks\n")
    configs = user_configs({"GIT_CONFIG_GLOBAL": "mine.conf"}, str(repository))
    assert {"mine.conf", ".githooks"} <= set(git_control(str(repository), configs).pins)
    assert "none.conf" not in git_control(str(repository), (str(repository / "none.conf"),)).pins


def test_config_worktree_is_read(repository: Path) -> None:
    git(repository, "config", "extensions.worktreeConfig", "true")
    git(repository, "config", "--worktree", "core.hooksPath", "mine")
    assert git(repository, "config", "core.hooksPath") == "mine\n"
    assert "mine" in pins(repository)


def test_submodules_and_linked_work_trees(repository: Path, tmp_path: Path) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, *identity, "commit", "-q", "--allow-empty", "-m", "x")
    git(repository, "submodule", "add", str(other), "libs/other")
    git(repository, *identity, "commit", "-q", "-m", "x")
    git(repository, "worktree", "add", str(tmp_path / "linked"))
    git(repository / "libs/other", "config", "core.hooksPath", "h")
    (repository / "libs/other/h").mkdir()
    assert pins(repository) == {
        *ALWAYS,
        "libs/other/h",
        "libs/other/.git",
    }
    # Against git: nothing that may be made changes what it says.
    from sandboxd.plan import stubs

    before = git(repository, "status"), git(tmp_path / "linked", "status")
    facts = survey(str(repository), (), git=git_control(str(repository)))
    stub_paths = stubs.make(str(repository), facts.of_kind("stub"))
    assert {*stub_paths} == {"commondir"}
    common = ".git/modules/libs/other/commondir"
    assert common in git_control(str(repository)).common and facts.not_as_made == ()
    (repository / common).write_text("../../../../elsewhere\n")
    named = survey(str(repository), (".git",), git=git_control(str(repository)))
    assert named.not_as_made == (common,)
    (repository / common).unlink()
    assert (git(repository, "status"), git(tmp_path / "linked", "status")) == before
    assert {*stubs.remove(str(repository), stub_paths)} == {*stub_paths}


def test_a_repository_as_the_workspace_itself(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", ".")
    control = git_control(str(tmp_path))
    assert {*control.pins} == {"config", "config.worktree", "hooks"}
    assert [entry.path for entry in control.exposed] == ["commondir"]


def test_what_is_put_beside_a_repository_changes_no_pin(repository: Path) -> None:
    """Neither while git's own folder is whole, nor where its HEAD was moved away."""
    for name in ("objects", "refs"):
        (repository / name).mkdir()
    (repository / "HEAD").write_text("ref: refs/heads/main\n")
    assert pins(repository) == ALWAYS
    (repository / ".git/HEAD").unlink()
    assert pins(repository) == ALWAYS


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_folder_of_a_larger_repository_has_what_that_one_names(
    repository: Path, tmp_path: Path, is_linked: bool
) -> None:
    """As in a monorepo, of which one folder is the workspace."""
    git(repository, "config", "core.hooksPath", "web/api/hooks")
    git(repository, "config", "alias.x", "!web/api/x.sh && web/other/y.sh")
    git(repository, "config", "core.fsmonitor", "$TOOLS/x")
    with_submodule(repository, "web/api/lib")
    top = repository
    if is_linked:
        top = tmp_path / "linked"
        git(repository, "worktree", "add", "-q", str(top))
    folder = top / "web/api"
    control = git_control(str(folder))
    assert {*control.pins} == {"hooks", "lib" if is_linked else "lib/.git"}
    assert "hooks" in control.folders
    assert [entry.path for entry in control.exposed] == ["x.sh"]
    assert str(repository / ".git") in control.own
    if not is_linked:
        assert [entry.path for entry in control.unread] == ["../../.git/config"]
    survey(str(folder), (".git",), git=control)


def test_no_repository() -> None:
    assert git_control("/proc/self") == GitControl()


def test_hostile_configs_are_bounded_and_not_followed(repository: Path, tmp_path: Path) -> None:
    os.mkfifo(repository / "pipe")
    (tmp_path / "secret").write_text("[core]\nhooksPath = stolen\n")
    (repository / "link").symlink_to(tmp_path / "secret")
    for path in ("../pipe", "../link", "/dev/zero", "../.", "x\0y"):
        with (repository / ".git/config").open("a") as file:
            file.write(f'[include]\npath = "{path}"\n')
    paths = pins(repository)
    assert {"pipe", "link"} < paths and "stolen" not in paths


def test_a_program_behind_a_link_is_named_and_its_end_pinned(repository: Path) -> None:
    (repository / "real").touch()
    (repository / "link").symlink_to("real")
    git(repository, "config", "diff.external", "./link")
    control = git_control(str(repository))
    assert {*control.pins} == {*ALWAYS, "real"}
    assert [entry.path for entry in control.exposed] == ["link"]


def test_a_config_that_git_refuses_is_named(repository: Path) -> None:
    with (repository / ".git/config").open("a") as file:
        file.write("[core]\n= x\nhooksPath = h\n")
    control = git_control(str(repository))
    assert "h" in control.pins
    (unread,) = control.unread
    assert unread.path == ".git/config" and "refuses" in unread.why
    assert survey(str(repository), (".git",), git=control).unread == (unread,)


def with_submodule(repository: Path, path: str = "deps/lib") -> None:
    """Give the repository a submodule that is fetched, in `path`."""
    other = repository.parent / "other"
    git(repository.parent, "init", "-q", str(other))
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    git(other, *identity, "commit", "-q", "--allow-empty", "-m", "x")
    git(repository, "submodule", "--quiet", "add", str(other), path)
    git(repository, *identity, "commit", "-qm", "x")


def test_where_the_index_enters_a_repository_is_pinned(repository: Path) -> None:
    with_submodule(repository)
    assert "deps/lib/.git" in pins(repository)
    (file,) = [f for f in facts_of(repository) if f.path.startswith("deps")]
    assert (file.path, file.kind) == ("deps/lib/.git", "file")


@pytest.mark.parametrize("exists", [True, False])
def test_a_submodule_that_is_not_fetched_is_pinned_as_a_whole(
    repository: Path, exists: bool
) -> None:
    with_submodule(repository)
    git(repository, "submodule", "deinit", "-f", "deps/lib")
    if not exists:
        (repository / "deps/lib").rmdir()
    (file,) = [f for f in facts_of(repository) if f.path.startswith("deps")]
    assert (file.path, file.kind) == ("deps/lib", "directory" if exists else "stub")


def test_a_linked_work_tree_has_its_own_index(repository: Path) -> None:
    with_submodule(repository)
    git(repository, "worktree", "add", "-q", str(repository.parent / "linked"))
    assert git_control(str(repository.parent / "linked")).pins == ("deps/lib",)


def test_what_cannot_be_pinned_is_said(repository: Path) -> None:
    with_submodule(repository)
    (repository / "deps").rename(repository / "elsewhere")
    (repository / "deps").symlink_to("elsewhere")
    control = git_control(str(repository))
    assert "deps/lib" in {e.path for e in control.exposed}
    (repository / ".git/index").write_bytes(b"\x00\x00\xe0\x00")
    control = git_control(str(repository))
    assert ".git/index" in {e.path for e in control.unread}
    # `.git` is shut, and that says nothing of what cannot be read in it.
    facts = survey(str(repository), (".git",), git=control)
    notes = Notes("dev")
    git_on_host.say(facts, "/w", notes)
    assert any("where git enters submodules is open" in each.why for each in notes.downgrades)


def facts_of(repository: Path) -> tuple[ControlFile, ...]:
    return survey(str(repository), (), git=git_control(str(repository))).control_files


def test_a_repository_that_the_file_names_is_shut_and_its_config_counts(tmp_path: Path) -> None:
    """As where the work trees of a bare clone lie beside it."""
    app = tmp_path / "app"
    app.mkdir()
    git(app, "init", "-q", "--separate-git-dir", str(app / ".bare"))
    git(app, "config", "core.hooksPath", "tools/hooks")
    found = git_control(str(app))
    assert {".bare", "tools/hooks"} <= set(found.pins)
    (app / ".bare").rename(tmp_path / "elsewhere")
    (app / ".git").write_text(f"gitdir: {tmp_path}/elsewhere\n")
    found = git_control(str(app))
    assert "tools/hooks" in found.pins and ".bare" not in found.pins
    (app / ".git").write_text(f"gitdir: {tmp_path}/missing\n")
    assert git_control(str(app)).pins == ()


def test_a_submodule_and_a_linked_work_tree_have_configs_of_their_own(repository: Path) -> None:
    with_submodule(repository)
    (repository / "deps/lib/checks").mkdir()
    git(repository / "deps/lib", "config", "core.hooksPath", "checks")
    git(repository, "worktree", "add", "-q", "trees/two")
    git(repository, "config", "extensions.worktreeConfig", "true")
    (repository / "trees/two/checks").mkdir()
    git(repository / "trees/two", "config", "--worktree", "core.hooksPath", "checks")
    assert {"deps/lib/checks", "trees/two/checks"} <= pins(repository)
    index = index_of(str(repository))
    named = named_by_config(str(repository), index, entrances(str(repository), index))
    assert {"deps/lib/checks", "trees/two/checks"} <= named.paths
