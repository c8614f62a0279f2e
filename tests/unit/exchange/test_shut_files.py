"""What is shut inside comes to the host by no commit: its git would write the file, and a tool there would run it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.exchange import acts, of_container, shut_paths, waiting_refs, words
from sandboxd.exchange import take as taking
from sandboxd.exchange.difference import Reason
from sandboxd.exchange.of_container import Bound
from sandboxd.exchange.place import place_of
from sandboxd.exchange.state import BY_WEIGHT
from sandboxd.exchange.take import How, Took
from tests.unit.exchange.repositories import ENVIRON, git
from tests.unit.exchange.two_sides import Sides, make

HOOK = ".husky/post-checkout"
TASKS = ".vscode/tasks.json"
SHUT = (".husky", ".vscode", ".envrc", "tools/hooks")


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    folder = make(tmp_path)
    sides = Sides(folder, tmp_path)
    sides.shut = SHUT
    sides.write(HOOK, "#!/bin/sh\n:\n")
    (folder / HOOK).chmod(0o755)
    sides.write(TASKS, "{}\n")
    git(folder, "add", HOOK, TASKS)
    git(folder, "commit", "-qm", "hooks")
    git(folder, "config", "core.hooksPath", ".husky")
    sides.exchange()
    return sides


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """What the hook of a sandbox makes if it runs on the host."""
    return tmp_path / "PWNED"


def blob(sides: Sides, text: str) -> str:
    done = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        env={**ENVIRON, "GIT_DIR": sides.place.inside},
        input=text,
        capture_output=True,
        text=True,
        check=True,
        cwd=sides.folder,
    )
    return done.stdout.strip()


def commit(sides: Sides, path: str, text: str, mode: str = "100755") -> str:
    """Commit a file inside by plumbing alone, which needs no file in the work tree."""
    sides.inside("update-index", "--add", "--cacheinfo", f"{mode},{blob(sides, text)},{path}")
    sides.inside("commit", "-qm", "fix a typo")
    return sides.inside("rev-parse", "HEAD").strip()


def commit_on(sides: Sides, branch: str, path: str, text: str, *parents: str) -> str:
    """Let a branch inside that is not checked out have one more commit."""
    environ = {
        "GIT_INDEX_FILE": f"{sides.folder.parent}/other-index",
        "GIT_DIR": sides.place.inside,
        "GIT_WORK_TREE": str(sides.folder),
    }
    git(sides.folder, "read-tree", parents[-1], **environ)
    entry = f"100755,{blob(sides, text)},{path}"
    git(sides.folder, "update-index", "--add", "--cacheinfo", entry, **environ)
    tree = git(sides.folder, "write-tree", **environ).strip()
    words = [word for parent in parents for word in ("-p", parent)]
    oid = sides.inside("commit-tree", tree, *words, "-m", "more").strip()
    sides.inside("update-ref", branch, oid)
    return oid


def evil(mark: Path) -> str:
    return f"#!/bin/sh\ntouch {mark}\n"


def held(sides: Sides) -> list[tuple[str, Reason, tuple[str, ...]]]:
    return [(one.name, one.reason, one.paths) for one in sides.exchange().waiting]


@pytest.mark.parametrize("everyday", ["checkout -q .", "stash -q", "reset -q --hard", "restore ."])
def test_no_act_of_git_on_the_host_writes_and_runs_a_hook_of_the_sandbox(
    sides: Sides, mark: Path, everyday: str
) -> None:
    before = sides.host("rev-parse", "HEAD")
    commit(sides, HOOK, evil(mark))
    assert held(sides) == [("refs/heads/main", Reason.CONTROL, (HOOK,))]
    assert sides.host("rev-parse", "HEAD") == before
    sides.write("file", "changed\n")
    sides.host(*everyday.split())
    sides.host("switch", "-qc", "mine")
    assert not mark.exists()


def test_a_branch_that_inside_moved_brings_no_hook_at_a_switch(sides: Sides, mark: Path) -> None:
    commit_on(sides, "refs/heads/feature/a", HOOK, evil(mark), "feature/a", "main")
    assert held(sides) == [("refs/heads/feature/a", Reason.CONTROL, (HOOK,))]
    sides.host("switch", "-q", "feature/a")
    assert not mark.exists()


@pytest.mark.parametrize("name", ["refs/heads/new", "refs/tags/v9"])
def test_new_branches_and_tags_wait_as_well(sides: Sides, name: str) -> None:
    commit_on(sides, name, TASKS, "evil\n", "main")
    assert held(sides) == [(name, Reason.CONTROL, (TASKS,))]


def test_a_head_on_no_branch_waits_as_well(sides: Sides) -> None:
    sides.inside("update-ref", "--no-deref", "HEAD", sides.inside("rev-parse", "HEAD").strip())
    commit(sides, TASKS, "evil\n")
    assert held(sides) == [("HEAD", Reason.CONTROL, (TASKS,))]


def test_a_change_that_a_later_commit_takes_back_waits(sides: Sides, mark: Path) -> None:
    """`git bisect` and `git rebase` on the host check out each commit."""
    commit(sides, HOOK, evil(mark))
    sides.inside("update-index", "--cacheinfo", f"100755,{blob(sides, 'x')},{HOOK}")
    tree = sides.inside("rev-parse", "HEAD~1^{tree}").strip()
    oid = sides.inside("commit-tree", tree, "-p", "HEAD", "-m", "back").strip()
    sides.inside("update-ref", "HEAD", oid)
    assert held(sides) == [("refs/heads/main", Reason.CONTROL, (HOOK,))]


def test_a_file_of_the_past_of_the_host_does_not_come_back_by_a_merge(sides: Sides) -> None:
    """A merge that takes the file whole from one parent changes nothing by itself."""
    old = sides.host("rev-parse", "HEAD").strip()
    sides.write(TASKS, "mended\n")
    sides.host("commit", "-qam", "mend")
    sides.exchange()
    tree = sides.inside("rev-parse", f"{old}^{{tree}}").strip()
    oid = sides.inside("commit-tree", tree, "-p", "main", "-p", old, "-m", "merge").strip()
    sides.inside("update-ref", "refs/heads/main", oid)
    assert held(sides) == [("refs/heads/main", Reason.CONTROL, (TASKS,))]


@pytest.mark.parametrize("path", [".VSCODE/tasks.json", ".vscode", "tools", ".Envrc"])
def test_names_that_stand_for_a_shut_file_on_other_file_systems_or_in_its_place(
    sides: Sides, path: str
) -> None:
    if path == ".vscode":
        sides.inside("rm", "-q", "--cached", TASKS)
    commit(sides, path, "/tmp", "120000")
    ((_, reason, paths),) = held(sides)
    assert reason is Reason.CONTROL and path in paths


def test_what_is_not_shut_passes(sides: Sides) -> None:
    commit(sides, ".github/workflows/ci.yml", "on: push\n", "100644")
    assert not held(sides)
    assert sides.host("rev-parse", "HEAD") == sides.inside("rev-parse", "HEAD")


def test_a_file_of_the_host_that_is_not_committed_yet_may_be_committed_inside(sides: Sides) -> None:
    """As it lies there nobody but the host can have written it."""
    sides.write(".vscode/settings.json", '{"a": 1}\n')
    sides.inside("add", ".vscode/settings.json")
    sides.inside("commit", "-qm", "settings")
    assert not held(sides)
    assert sides.host("log", "-1", "--format=%s") == "settings\n"


def test_only_what_inside_changed_counts_where_both_sides_moved(sides: Sides) -> None:
    commit(sides, "theirs", "x\n", "100644")
    sides.write(TASKS, "of the host\n")
    sides.host("commit", "-qam", "tasks")
    assert held(sides) == [("refs/heads/main", Reason.DIVERGED, ())]
    assert [one.how for one in take(sides).takes] == [How.MERGED]


def test_a_branch_of_the_hosts_past_can_be_made_inside(sides: Sides) -> None:
    sides.inside("branch", "past", "v1^{commit}")
    assert not held(sides)


def test_many_tips_are_looked_at_together(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "_MOST_TIPS", 2)
    for number in range(5):
        commit_on(sides, f"refs/heads/new{number}", "plain", f"{number}\n", "main")
    assert not held(sides)
    assert "refs/heads/new4" in sides.host("for-each-ref")


def test_a_list_of_changes_without_end_is_not_read(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "_MOST_LISTED", 1000)
    for number in range(20):
        commit(sides, f"plain{number}", "x\n", "100644")
    assert held(sides) == [("refs/heads/main", Reason.CONTROL, ())]


def take(sides: Sides, *names: str, acting: bool = False) -> Took:
    identity = {"user.name": "Ann", "user.email": "ann@example.org"}
    shown = taking.waiting(sides.repository, sides.place, sides.name)
    return taking.take(
        sides.repository, sides.place, sides.name, names, shown, acting=acting, identity=identity
    )


def test_the_files_are_shown_and_taken_where_that_is_asked_for(sides: Sides) -> None:
    commit(sides, TASKS, '{"a": 1}\n', "100644")
    sides.exchange()
    (stay,) = take(sides, "main").stays
    assert f"files that are shut inside, and tools on the host would act on them: `{TASKS}`" in (
        stay.why
    )
    assert stay.tip == sides.inside("rev-parse", "main").strip()
    assert f"`sandboxd review --take main --expect {stay.tip} --yes` takes it" in stay.hint
    command = stay.hint.partition("`")[2].partition("`")[0].split()[1:]
    assert '+{"a": 1}' in sides.host(*command)
    (one,) = take(sides, "main", acting=True).takes
    assert (one.how, one.acting) == (How.FORWARD, (TASKS,))
    assert not held(sides)


def test_a_status_says_it_with_the_command(sides: Sides, tmp_path: Path) -> None:
    commit(sides, TASKS, "evil\n")
    sides.exchange()
    environ = {"XDG_STATE_HOME": os.fspath(tmp_path / "state")}
    (line,) = waiting_refs.lines(str(sides.folder), environ)
    assert "it changes files that are shut inside" in line


def test_nothing_is_taken_unasked_where_it_is_not_known_what_was_shut(sides: Sides) -> None:
    commit(sides, "plain", "x\n", "100644")
    sides.write("mine", "x\n")
    sides.host("add", "mine")
    sides.host("commit", "-qm", "mine")
    sides.exchange()
    os.unlink(sides.place.shut)
    (stay,) = take(sides, "main").stays
    assert "files that are shut inside" in stay.why


def test_what_is_shut_is_what_the_container_has_read_only() -> None:
    mounts = [
        Bound("/p", "/w", False, "bind"),
        Bound("/state/inside", "/w/.git", False, "bind"),
        Bound("/p/.envrc", "/w/.envrc", True, "bind"),
        Bound("pin-volume", "/w/.husky", True, "bind"),
        Bound("/cache", "/w/node_modules", False, "bind"),
        Bound("/p/objects", "/sandboxd/git/objects", True, "bind"),
    ]
    assert of_container.shut_in(mounts, "/p") == {".envrc", ".husky"}
    assert of_container.shut_in([Bound("/p", "/w", True, "bind")], "/p") == {""}
    assert of_container.shut_in([], "/p") == {""}


def test_the_record_of_what_is_shut_keeps_any_name(tmp_path: Path) -> None:
    names = frozenset({"a\nb", os.fsdecode(b"\xff"), ".envrc"})
    shut_paths.write(str(tmp_path / "shut"), names)
    assert shut_paths.read(str(tmp_path / "shut")) == names
    assert shut_paths.read(str(tmp_path / "none")) == {""}


def test_what_acts_is_said_before_any_way_by_hand_is(sides: Sides) -> None:
    """The branch is checked out in another work tree, where only a merge by hand is possible."""
    sides.host("worktree", "add", "-q", str(sides.folder.parent / "other"), "feature/a")
    commit_on(sides, "refs/heads/feature/a", HOOK, "evil", "feature/a", "main")
    sides.exchange()
    (stay,) = take(sides, "feature/a").stays
    assert "tools on the host would act on them" in stay.why
    (stay,) = take(sides, "feature/a", acting=True).stays
    assert stay.hint.startswith("in that work tree: `git merge ")


def stash_trap(sides: Sides, path: str, *, untracked: bool) -> str:
    """Store a stash inside that has a file at `path`, by plumbing alone; its id."""
    entry = f"100755,{blob(sides, 'evil')},{path}"
    base = sides.inside("rev-parse", "HEAD").strip()
    if untracked:
        sides.inside("read-tree", "--empty")
    sides.inside("update-index", "--add", "--cacheinfo", entry)
    tree = sides.inside("write-tree").strip()
    sides.inside("read-tree", "HEAD")
    plain = sides.inside("write-tree").strip()
    of_index = plain if untracked else tree
    index = sides.inside("commit-tree", of_index, "-p", base, "-m", "index").strip()
    parents = ["-p", base, "-p", index]
    if untracked:
        parents += ["-p", sides.inside("commit-tree", tree, "-m", "untracked").strip()]
    trap = sides.inside("commit-tree", of_index, *parents, "-m", "WIP").strip()
    sides.inside("stash", "store", "-m", "WIP", trap)
    return trap


@pytest.mark.parametrize("untracked", [False, True])
def test_a_stash_with_a_hook_is_named_with_the_command_that_shows_it(
    sides: Sides, tmp_path: Path, untracked: bool
) -> None:
    """Its ref alone writes nothing: who applies it is told before."""
    environ = {"XDG_STATE_HOME": os.fspath(tmp_path / "state")}
    path = ".husky/pre-commit" if untracked else HOOK
    sides.write("file", "plain\n")
    sides.inside("stash", "-q")
    trap = stash_trap(sides, path, untracked=untracked)

    outcome = sides.exchange()
    assert (outcome.stashes, outcome.waiting) == (2, ())
    ((ref, reason, paths),) = [(one.ref, one.reason, one.paths) for one in outcome.acting]
    assert (reason, paths, sides.host("rev-parse", ref).strip()) == (Reason.CONTROL, (path,), trap)
    ((text, step),) = words.lines(outcome)
    assert text == f"`{ref}` is a stash: {words.ACTS[reason]}: `{path}`"
    assert step == f"look at it before you apply it, by this id: `{words.show_stash(trap)}`"
    assert "+evil" in sides.host(*words.show_stash(trap).split()[1:])
    (line,) = waiting_refs.lines(str(sides.folder), environ)
    assert line.startswith(f"`{ref}` is a stash: look before you apply it")
    # What is warned of: else nothing above could fail.
    sides.host("stash", "apply", "-q", trap)
    assert (sides.folder / path).read_text() == "evil"


def test_a_branch_of_the_same_commit_hides_no_stash(sides: Sides) -> None:
    trap = stash_trap(sides, HOOK, untracked=False)
    sides.inside("branch", "zzz", trap)
    outcome = sides.exchange()
    assert [one.oid for one in outcome.waiting] == [trap]
    ((ref, oid),) = [(one.ref, one.oid) for one in outcome.acting]
    assert (ref.endswith("/stash/0"), oid) == (True, trap)


def test_a_stash_that_is_let_go_inside_is_named_no_more(sides: Sides, tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": os.fspath(tmp_path / "state")}
    stash_trap(sides, HOOK, untracked=False)
    (acting,) = sides.exchange().acting
    sides.inside("stash", "drop", "-q")
    sides.host("update-ref", "-d", acting.ref)
    assert not sides.exchange().acting
    assert waiting_refs.lines(str(sides.folder), environ) == ()


@pytest.mark.parametrize("kind", ["volume", "tmpfs", ""])
def test_of_a_copy_that_is_kept_the_same_everything_that_acts_is_shut(kind: str) -> None:
    place = place_of({"XDG_STATE_HOME": "/state"}, "/p")
    mounts = [Bound(place.inside, "/w/.git", False, "bind")]
    if kind:
        mounts.append(Bound("a-name", "/w", False, kind))
    assert of_container._is_in_copy("/w/.git", mounts)
    assert not of_container._is_in_copy(
        "/w/.git", [*mounts[:1], Bound("/vm/p", "/w", False, "bind")]
    )


def test_a_commit_of_what_acts_waits_by_its_weight_where_no_mount_shuts_it(sides: Sides) -> None:
    sides.shut = (BY_WEIGHT,)
    commit(sides, ".envrc", "touch x\n")
    outcome = sides.exchange()
    (held,) = [each for each in outcome.waiting if each.name == "refs/heads/main"]
    assert (held.reason, held.paths) == (Reason.CONTROL, (".envrc",))


def test_of_such_a_copy_what_a_setting_of_git_names_is_shut_too(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of hooks has any name; the host's config says which."""
    environ = {"XDG_STATE_HOME": f"{sides.folder}/../state", "HOME": f"{sides.folder}/../home"}
    workspace = str(sides.folder)
    monkeypatch.setattr(of_container, "repository_of", lambda _workspace: object())
    inside = place_of(environ, workspace).inside
    mounts = [Bound(inside, "/w/.git", False, "bind"), Bound("v", "/w", False, "volume")]
    own = of_container.own_git(environ, workspace, mounts)
    assert own is not None
    # The daemon keeps it for as long as the container runs, and the setting is made meanwhile.
    sides.host("config", "core.hooksPath", "tools/hooks")
    shut = of_container.shut_now(environ, own)
    assert {BY_WEIGHT, "tools/hooks"} <= shut
    sides.shut = tuple(shut)
    commit(sides, "tools/hooks/pre-commit", "touch x\n")
    (held,) = [each for each in sides.exchange().waiting if each.name == "refs/heads/main"]
    assert (held.reason, held.paths) == (Reason.CONTROL, ("tools/hooks/pre-commit",))


def test_a_commit_of_another_file_passes_where_no_mount_shuts_anything(sides: Sides) -> None:
    sides.shut = (BY_WEIGHT,)
    commit(sides, "package.json", "{}\n", "100644")
    assert [move.name for move in sides.exchange().brought] == ["refs/heads/main"]
