"""What a survey sees on disk, and how control files are pinned."""

from __future__ import annotations

import csv
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.model.container import Mount
from sandboxd.plan.mounts import target_folder, workspace_mounts
from sandboxd.plan.notes import Notes
from sandboxd.plan.pinned_volume import pinned_volume
from sandboxd.plan.workspace import ControlFile, WorkspaceFacts, hosts_near, survey
from sandboxd.plan.writers._flags import mount_text
from tests.unit.plan.examples import WORKSPACE, workspace
from tests.unit.plan.test_git_control import git

CONTROL = (".devcontainer", ".git/hooks", ".git/config", "sandboxd.toml")


def kinds(facts: WorkspaceFacts) -> dict[str, str]:
    return {file.path: file.kind for file in facts.control_files}


def pins(facts: WorkspaceFacts, plain: bool = True) -> list[tuple[str, str, bool]]:
    mounts = workspace_mounts(facts, plain, Notes("test"))
    cut = len(target_folder(facts.path))
    return [(m.value.target[cut:], m.value.type, m.value.read_only) for m in mounts]


def test_survey_sees_what_there_is(tmp_path: Path) -> None:
    (tmp_path / ".git/hooks").mkdir(parents=True)
    (tmp_path / "sandboxd.toml").write_text("")
    facts = survey(str(tmp_path), CONTROL)
    assert kinds(facts) == {
        ".devcontainer": "stub",
        ".git/config": "missing",
        ".git/hooks": "directory",
        "sandboxd.toml": "file",
    }
    assert (facts.owner_uid, facts.owner_gid) == (os.getuid(), os.getgid())
    assert facts.existing_control_files == (".devcontainer", ".git/hooks", "sandboxd.toml")
    assert facts.of_kind("stub") == (".devcontainer",)


@pytest.mark.parametrize("link", [".devcontainer", ".git", ".git/hooks", "sandboxd.toml"])
def test_links_are_seen_not_followed_and_refused(tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = tmp_path / "w"
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(elsewhere)
    facts = survey(str(root), CONTROL)
    assert kinds(facts)[link] == "symlink"
    with pytest.raises(UsageError, match="is a symbolic link, so it cannot be pinned"):
        workspace_mounts(facts, True, Notes("test"))


def test_a_pipe_in_place_of_a_control_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "sandboxd.toml")
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        workspace_mounts(survey(str(tmp_path), CONTROL), True, Notes("test"))


def test_the_git_file_of_a_worktree_is_pinned_itself(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /elsewhere\n")
    facts = survey(str(tmp_path), CONTROL)
    assert kinds(facts)[".git"] == "file"
    assert ("/.git", "bind", True) in pins(facts)


def test_sockets_near_the_top_are_found_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git/deep/deeper").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as two:
        one.bind("agent.sock")
        two.bind(".git/fsmonitor.ipc")
        facts = survey(str(tmp_path), ())
    assert facts.sockets == (".git/fsmonitor.ipc", "agent.sock")
    notes = Notes("test")
    workspace_mounts(facts, True, notes)
    assert "`.git/fsmonitor.ipc`, `agent.sock`" in notes.downgrades[-1].why


def test_a_huge_workspace_is_not_searched_to_the_end_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandboxd.plan.workspace._MOST_ENTRIES", 3)
    for number in range(5):
        (tmp_path / str(number)).write_text("")
    facts = survey(str(tmp_path), ())
    assert not facts.complete
    (tmp_path / "sub").mkdir()
    for number in range(5):
        (tmp_path / str(number)).rename(tmp_path / "sub" / str(number))
    assert not survey(str(tmp_path), ()).complete
    notes = Notes("test")
    workspace_mounts(facts, True, notes)
    assert "too many entries" in notes.downgrades[-1].why


def test_a_file_that_tools_act_upon_is_found_among_any_number_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandboxd.plan.workspace._MOST_ENTRIES", 3)
    for name in (*map(str, range(50)), ".envrc", "app.code-workspace", "lefthook.yml"):
        (tmp_path / name).write_text("")
    (tmp_path / ".husky").mkdir()
    facts = survey(str(tmp_path), (), left_open=())
    assert facts.existing_control_files == (
        ".envrc",
        ".husky",
        "app.code-workspace",
        "lefthook.yml",
    )
    assert not facts.complete


def test_a_look_for_hosts_ends_at_its_bound_and_weighs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights are taken back after it, and a program inside can make any number of names."""
    monkeypatch.setattr("sandboxd.plan.workspace._MOST_ENTRIES", 3)
    monkeypatch.delattr("sandboxd.plan.workspace.weigh")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Dockerfile").write_text("FROM image.test/a\n")
    found = hosts_near(str(tmp_path))
    assert (found.names, found.images, found.is_cut) == (
        ("a", "a/Dockerfile"),
        ("image.test/a",),
        False,
    )
    for number in range(3):
        (tmp_path / "a" / str(number)).write_text("")
    found = hosts_near(str(tmp_path))
    assert len(found.names) == 3 and found.is_cut
    for number in range(50):
        (tmp_path / str(number)).write_text("")
    found = hosts_near(str(tmp_path))
    assert len(found.names) == 3 and found.is_cut


@pytest.mark.parametrize("folder", ["", "sub"])
def test_a_folder_that_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / "sub").mkdir()
    scandir = os.scandir

    def denied(path: str) -> Iterator[os.DirEntry[str]]:
        if path == str(tmp_path / folder):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    if folder:
        assert not survey(str(tmp_path), (), left_open=()).complete
        return
    with pytest.raises(UsageError) as raised:
        survey(str(tmp_path), (), left_open=())
    assert raised.value.hint == f"`chmod u+rwx {tmp_path}`"


def test_every_folder_above_a_pin_is_a_mount_before_it() -> None:
    assert pins(workspace(own_git=None)) == [
        ("", "bind", False),
        ("/.devcontainer", "bind", True),
        ("/.git", "bind", True),
        ("/sandboxd.toml", "bind", True),
    ]
    deep = workspace(control_files=(ControlFile("a/b/c", "file"),), own_git=None)
    assert [path for path, _, _ in pins(deep)] == ["", "/a", "/a/b", "/a/b/c"]


def test_under_directfs_folders_are_pinned_by_volumes() -> None:
    by_type = {path: type for path, type, _ in pins(workspace(own_git=None), plain=False)}
    assert by_type["/.devcontainer"] == by_type["/.git"] == "volume"
    assert by_type[""] == by_type["/sandboxd.toml"] == "bind"


def test_missing_control_files_are_named() -> None:
    notes = Notes("test")
    workspace_mounts(workspace(), True, notes)
    named = notes.downgrades[0]
    assert named.why.startswith(
        "`.vscode`, or any other such file that is missing, can be created from inside"
    )
    nothing = workspace(
        control_files=(ControlFile(".git/hooks", "missing"), ControlFile(".git/config", "missing"))
    )
    notes = Notes("test")
    workspace_mounts(nothing, True, notes)
    assert notes.downgrades[0].why.startswith("`.git`, or any other such file")
    assert "`mkdir .git` on the host" in notes.downgrades[0].fix
    assert "mkdir" not in named.fix


def test_a_volumes_name_is_that_of_its_path() -> None:
    one, two = pinned_volume("/a/x", "/w/x"), pinned_volume("/b/x", "/w/x")
    assert one.source != two.source
    assert one.source == pinned_volume("/a/x", "/other").source


@pytest.mark.parametrize("name", ["with space", "a,b", 'q"uote', "co:lon", "new\nline", "ü", "="])
def test_odd_paths_survive_dockers_csv(name: str) -> None:
    path = f"{WORKSPACE}/{name}"
    text = mount_text(pinned_volume(path, f"/workspaces/{name}"))
    fields = next(csv.reader([text], strict=True)) if "\n" not in name else None
    if fields is None:
        fields = next(csv.reader(text.splitlines(keepends=True), strict=True))
    assert f"volume-opt=device={path}" in fields
    assert f"target=/workspaces/{name}" in fields
    assert "volume-opt=o=bind,ro" in fields and "readonly" in fields


def test_plain_mounts_are_plain_text() -> None:
    assert mount_text(Mount("tmpfs", "", "/t")) == "type=tmpfs,target=/t"
    assert target_folder("/") == "/workspaces/workspace"
    assert target_folder('/home/a,b"c\n') == "/workspaces/a-b-c-"


@pytest.mark.parametrize(("path", "is_named"), [(".git", True), ("src", False)])
def test_what_git_on_the_host_may_start_is_said(path: str, is_named: bool) -> None:
    notes = Notes("test")
    workspace_mounts(workspace(control_files=(ControlFile(path, "directory"),)), True, notes)
    assert any(d.control == "git on the host" for d in notes.downgrades) == is_named


def test_what_a_git_file_leaves_open_is_said(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: .bare\n")
    facts = survey(str(tmp_path), (".git/config", ".git/commondir"))
    assert kinds(facts) == {".git": "file"}
    notes = Notes("test")
    workspace_mounts(facts, True, notes)
    assert "`.git` is a file that names a repository" in notes.downgrades[-1].why


def test_of_a_folder_with_a_control_file_that_git_does_not_track_all_is_shut(
    tmp_path: Path,
) -> None:
    workspace = tmp_path / "w"
    (workspace / ".config/mise").mkdir(parents=True)
    (workspace / ".config/mise/config.toml").write_text("")
    (workspace / ".config/nextest.toml").write_text("")
    git(workspace, "init", "-q")
    git(workspace, "add", ".config/nextest.toml")
    assert ".config" in survey(str(workspace), (), left_open=()).of_kind("directory")
    git(workspace, "add", ".config/mise")
    assert ".config/mise" in survey(str(workspace), (), left_open=()).of_kind("directory")
