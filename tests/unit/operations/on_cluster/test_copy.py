"""A workspace goes into a Pod: whole, over connections that break, and later only what is newer on the host."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.backends.kubernetes import records
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations.on_cluster import _deliver, _send
from sandboxd.operations.on_cluster import refresh as refreshing
from sandboxd.plan.hiding import NOTHING
from sandboxd.review import collect, original
from tests.unit.operations.on_cluster.pods import Pod, tree

GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")

PLAN: Any = SimpleNamespace(profile="dev", hiding=NOTHING)


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pod:
    made = Pod(tmp_path, monkeypatch)
    (made.host / "src").mkdir()
    (made.host / "src/main.py").write_text("print(1)\n")
    (made.host / "src/other.py").write_text("other\n")
    (made.host / "notes").write_text("notes\n")
    (made.host / "link").symlink_to("src")
    return made


def git(folder: Path, *words: str) -> str:
    done = subprocess.run([*GIT, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, words: str) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", words)
    return git(folder, "rev-parse", "HEAD")


def test_all_of_it_arrives_with_modes_and_odd_names(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(original, "PARCEL", 1 << 17)
    large = pod.host / "-large \n\udcff"
    large.write_bytes(os.urandom(400_000))
    large.chmod(0o750)
    os.utime(large, (10**9, 10**9))
    sent = pod.send()
    assert tree(pod.inside) == tree(pod.host)
    arrived = pod.inside / large.name
    assert arrived.stat().st_mode & 0o777 == 0o750 and arrived.stat().st_mtime == 10**9
    assert sent.files == 5
    assert pod.newer() == ((), (), False)


def test_a_connection_that_breaks_is_taken_up_where_it_stopped(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(original, "PARCEL", 1 << 17)
    (pod.host / "large").write_bytes(os.urandom(400_000))
    pod.breaks = [100, 70_000, 0, 5, 200]
    pod.send()
    assert tree(pod.inside) == tree(pod.host)
    assert len(pod.runs) == 5 + 6, "one archive before it, four pieces, the end, one archive behind"
    assert "copying goes on where it stopped, try 2 of 6: the connection broke off" in pod.said
    pod.runs.clear()
    pod.breaks = [0] * 6
    with pytest.raises(
        EnvironmentFailure, match="could not be copied into the Pod: the connection"
    ):
        pod.send()
    assert len(pod.runs) == 6


def test_what_was_sent_to_a_pod_that_is_gone_is_not_gone_on_with(pod: Pod) -> None:
    pod.breaks, pod.uid = [10], "uid-2"
    with pytest.raises(EnvironmentFailure, match="the Pod became another one"):
        pod.send()


def test_a_pod_that_does_not_take_it_is_quoted_from_its_beginning(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"tar: file-{n}: Cannot open: No space left on device" for n in range(9)]
    lines.append("tar: Exiting with failure status due to previous errors")
    words = "\n".join(lines)
    monkeypatch.setattr(_deliver, "run_with", lambda *_: (2, _deliver._first_lines(words)))
    with pytest.raises(EnvironmentFailure, match=r"tar: file-0: .*; and 7 lines more"):
        pod.send()


def test_a_workspace_that_the_volume_does_not_hold_is_refused(pod: Pod) -> None:
    (pod.host / "large").write_bytes(bytes(200_000))
    _send.require_room(pod.target, 1 << 20, PLAN)
    with pytest.raises(UsageError, match="and the volume of profile `dev` has"):
        _send.require_room(pod.target, 100_000, PLAN)


def test_what_is_newer_here_is_named_and_sent_alone(pod: Pod) -> None:
    (pod.host / "old").mkdir()
    (pod.host / "old/file").write_text("x")
    pod.send()
    (pod.host / "src/main.py").write_text("print(2)\n")
    (pod.host / "new").mkdir()
    (pod.host / "new/file").write_text("n")
    (pod.host / "old/file").unlink()
    (pod.host / "old").rmdir()
    (pod.host / "notes").unlink()
    (pod.host / "notes").mkdir()
    (pod.host / "notes/today").write_text("t")
    (pod.host / "link").unlink()
    (pod.host / "link").symlink_to("new")
    newer = pod.newer()
    assert {"src/main.py", "new/file", "notes", "link"} <= set(newer.changed)
    assert set(newer.gone) == {"old", "old/file"}
    done = pod.refresh()
    assert (done.files, done.removed, done.conflicts) == (4, 2, ())
    assert tree(pod.inside) == tree(pod.host)
    assert not (pod.inside / "old").exists()
    assert pod.newer() == ((), (), False)


def test_what_the_sandbox_changed_itself_stays(pod: Pod) -> None:
    (pod.host / "gone").write_text("g")
    (pod.host / "folder").mkdir()
    (pod.host / "folder/file").write_text("f")
    pod.send()
    (pod.inside / "src/main.py").write_text("print('theirs')\n")
    (pod.inside / "src/other.py").unlink()
    (pod.inside / "gone").write_text("still worked on")
    (pod.inside / "made").write_text("theirs")
    (pod.inside / "folder/file").unlink()
    (pod.inside / "folder").rmdir()
    (pod.inside / "folder").write_text("a file by now")
    before = tree(pod.inside)
    (pod.host / "src/main.py").write_text("print('ours')\n")
    (pod.host / "src/other.py").write_text("ours")
    (pod.host / "gone").unlink()
    (pod.host / "made").write_text("ours")
    (pod.host / "folder/more").write_text("m")
    (pod.host / "notes").write_text("newer\n")
    done = pod.refresh()
    assert done.conflicts == ("folder/more", "gone", "made", "src/main.py", "src/other.py")
    assert tree(pod.inside) == {**before, "notes": "newer\n"}
    listed = pod.record().listed
    assert listed["src/main.py"][1] == len("print(1)\n"), "the list has what it was sent"
    assert "made" not in listed and "gone" in listed


def test_what_both_have_alike_is_noted_and_not_sent(pod: Pod) -> None:
    pod.send()
    for folder in (pod.host, pod.inside):
        (folder / "src/main.py").write_text("print(2)\n")
    assert pod.newer().changed == ("src/main.py",)
    done = pod.refresh()
    assert (done.files, done.conflicts) == (0, ())
    assert pod.newer().changed == ()


def test_a_refresh_that_breaks_off_notes_what_arrived(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod.send()
    monkeypatch.setattr(original, "PARCEL", 1 << 17)
    (pod.host / "a").write_bytes(bytes(100_000))
    (pod.host / "b").write_bytes(bytes(100_000))
    pod.runs.clear()
    real = _deliver.run_with

    def only_once(*words: object) -> tuple[int, str]:
        return real(*words) if not pod.runs else (2, "full")  # type: ignore[arg-type]

    monkeypatch.setattr(_deliver, "run_with", only_once)
    with pytest.raises(EnvironmentFailure, match="full"):
        pod.refresh()
    assert "a" in pod.record().listed and "b" not in pod.record().listed
    assert pod.newer().changed == ("b",)


def test_commits_come_by_their_objects_and_the_branch_follows(pod: Pod) -> None:
    git(pod.host, "init", "-q", "-b", "main")
    commit(pod.host, "first")
    pod.send()
    assert git(pod.inside, "status", "--porcelain") == ""
    sent = set(pod.record().git_objects)
    (pod.host / "notes").write_text("second\n")
    second = commit(pod.host, "second")
    assert pod.newer().has_commit
    done = pod.refresh()
    assert done.branch == "" and done.files == 4, (
        "a commit, its tree, a file of git's, and the file"
    )
    assert git(pod.inside, "rev-parse", "main") == second
    assert git(pod.inside, "status", "--porcelain") == ""
    assert sent < set(pod.record().git_objects)
    assert pod.newer() == ((), (), False)
    git(pod.host, "checkout", "-q", "-b", "topic")
    (pod.host / "more").write_text("m")
    third = commit(pod.host, "third")
    assert pod.refresh().branch == ""
    assert git(pod.inside, "symbolic-ref", "HEAD") == "refs/heads/topic"
    assert git(pod.inside, "rev-parse", "HEAD") == third


@pytest.mark.parametrize("own", ["commit", "stage"])
def test_a_branch_with_work_of_the_sandbox_stays_where_it_is(pod: Pod, own: str) -> None:
    git(pod.host, "init", "-q", "-b", "main")
    commit(pod.host, "first")
    pod.send()
    (pod.inside / "theirs").write_text("t")
    git(pod.inside, "add", "theirs")
    if own == "commit":
        git(pod.inside, "commit", "-q", "-m", "theirs")
    theirs = git(pod.inside, "rev-parse", "HEAD")
    (pod.host / "notes").write_text("second\n")
    second = commit(pod.host, "second")
    done = pod.refresh()
    assert "left as the sandbox has it" in done.branch
    assert git(pod.inside, "rev-parse", "main") == theirs
    assert git(pod.inside, "rev-parse", "refs/sandboxd/host") == second
    assert "theirs" in git(pod.inside, "ls-files")
    assert (pod.inside / "notes").read_text() == "second\n"
    assert pod.newer().has_commit, "it is said again"


def test_what_git_ignores_stays_here_also_where_dev_container_tools_read_it(pod: Pod) -> None:
    git(pod.host, "init", "-q", "-b", "main")
    (pod.host / ".gitignore").write_text(".vscode/\n.devcontainer/\n")
    for name in (".vscode/sftp.json", ".devcontainer/devcontainer.env", ".devcontainer/tracked"):
        (pod.host / name).parent.mkdir(exist_ok=True)
        (pod.host / name).write_text("x")
    git(pod.host, "add", "-f", ".devcontainer/tracked")
    sent = pod.send()
    assert sent.left == (".devcontainer/devcontainer.env", ".vscode")
    assert {name for name in tree(pod.inside) if name[0] == "."} == {
        ".devcontainer/tracked", ".gitignore",
    }  # fmt: skip


@pytest.mark.parametrize("place", ["home", "xdg", "config"])
def test_what_the_user_has_git_ignore_everywhere_stays_here(pod: Pod, place: str) -> None:
    home = Path(pod.environ["HOME"])
    file = home / ".config/git/ignore"
    if place == "xdg":
        pod.environ["XDG_CONFIG_HOME"] = str(home / "xdg")
        file = home / "xdg/git/ignore"
    elif place == "config":
        file = home / "mine"
        home.mkdir()
        (home / ".gitconfig").write_text("[core]\n\texcludesFile = ~/mine\n")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(".env*\n")
    git(pod.host, "init", "-q", "-b", "main")
    git(pod.host, "config", "core.excludesFile", "/dev/null")
    (pod.host / ".gitignore").write_text("!.env.example\n")
    (pod.host / ".env").write_text("SECRET=1")
    (pod.host / ".env.example").write_text("SECRET=")
    assert pod.send().left == (".env",)
    assert not (pod.inside / ".env").exists() and (pod.inside / ".env.example").exists()
    assert pod.newer() == ((), (), False)


def test_a_head_that_no_git_wrote_names_no_branch(pod: Pod) -> None:
    git(pod.host, "init", "-q", "-b", "main")
    commit(pod.host, "first")
    (pod.host / ".git/HEAD").write_text("ref: refs/heads/a\0b\n")
    assert pod.send().head == ("", "")
    assert pod.newer() == ((), (), False)
    assert pod.refresh().branch == ""


def test_one_refresh_at_a_time(pod: Pod) -> None:
    pod.send()
    held: list[bool] = []

    def try_the_lock() -> None:
        (lock,) = (Path(pod.environ["XDG_STATE_HOME"]) / "sandboxd/clusters").glob("*.refresh.lock")
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held.append(False)
            except BlockingIOError:
                held.append(True)

    pod.meanwhile = try_the_lock
    pod.refresh()
    assert held == [True], "another one would let the work go on while this one writes"


def test_what_others_note_meanwhile_is_kept(pod: Pod) -> None:
    """As `egress allow` does, whose policy `drift` compares with later."""
    pod.send()
    (pod.host / "notes").write_text("newer\n")
    place = (pod.environ, pod.target.cluster.context, pod.target.pod)

    def allow() -> None:
        with records.locked(*place):
            records.note(*place, pod.record()._replace(objects=[{"kind": "ConfigMap"}]))

    pod.meanwhile = allow
    pod.refresh()
    assert pod.record().objects == [{"kind": "ConfigMap"}]
    assert pod.record().listed["notes"][1] == len("newer\n")


def test_a_sandbox_that_ends_meanwhile_is_not_noted_anew(pod: Pod) -> None:
    pod.send()
    place = (pod.environ, pod.target.cluster.context, pod.target.pod)
    pod.meanwhile = lambda: records.forget(*place)
    pod.refresh()
    assert records.recall(*place) is None
    with pytest.raises(EnvironmentFailure, match="the sandbox became another one meanwhile"):
        refreshing.refresh(pod.target, "uid-1", NOTHING, pod.said.append)
    pod.send()
    with pytest.raises(EnvironmentFailure, match="the sandbox became another one meanwhile"):
        refreshing.refresh(pod.target, "uid-2", NOTHING, pod.said.append)


def test_a_folder_that_became_a_file_stays_with_the_work_of_the_sandbox_in_it(pod: Pod) -> None:
    (pod.host / "pkg/sub").mkdir(parents=True)
    (pod.host / "pkg/sub/file").write_text("f")
    pod.send()
    (pod.inside / "pkg/sub/own").write_text("theirs")
    shutil.rmtree(pod.host / "pkg")
    (pod.host / "pkg").write_text("a module by now")
    (pod.host / "notes").write_text("newer\n")
    done = pod.refresh()
    assert done.conflicts == ("pkg", "pkg/sub", "pkg/sub/file")
    assert (pod.inside / "notes").read_text() == "newer\n", "all else arrives"
    assert (pod.inside / "pkg/sub/own").exists() and "pkg/sub/file" in pod.record().listed
    (pod.inside / "pkg/sub/own").unlink()
    assert pod.refresh().conflicts == ()
    assert tree(pod.inside) == tree(pod.host)


def test_a_folder_that_is_gone_here_stays_there_with_what_was_made_in_it(pod: Pod) -> None:
    (pod.host / "pkg/sub").mkdir(parents=True)
    (pod.host / "pkg/sub/file.py").write_text("f")
    pod.send()
    (pod.inside / "pkg/sub/__pycache__").mkdir()
    (pod.inside / "pkg/sub/__pycache__/file.pyc").write_text("made")
    shutil.rmtree(pod.host / "pkg")
    done = pod.refresh()
    assert (done.removed, done.conflicts) == (1, ())
    assert [name for name in tree(pod.inside) if name.startswith("pkg")] == [
        "pkg/sub/__pycache__/file.pyc"
    ]
    assert "pkg" not in pod.record().listed and pod.newer() == ((), (), False)


def test_a_folder_that_cannot_be_taken_away_is_said(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pod.host / "pkg").mkdir()
    pod.send()
    (pod.inside / "pkg/own").write_text("made by a process that does not stop")
    (pod.host / "pkg").rmdir()
    answered = collect.Compared(frozenset(["pkg"]), frozenset(), frozenset())
    monkeypatch.setattr(collect, "compare", lambda *_: answered)
    with pytest.raises(EnvironmentFailure, match=r"does not take files away: rmdir: .*pkg"):
        pod.refresh()
    assert "pkg" in pod.record().listed


def test_a_pod_that_changed_everything_costs_no_time_here(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each path compared with each other one took a minute here, and a quarter of an hour for 100,000."""
    pod.send()
    status = os.stat(pod.host / "notes")
    entries = [original.Entry(f"made/{number}", status) for number in range(30_000)]
    monkeypatch.setattr(_send, "survey", lambda *_: _send.Surveyed(entries, ()))
    monkeypatch.setattr(original, "fields_of", lambda *_: None)
    nothing = collect.Compared(frozenset(), frozenset(), frozenset())
    monkeypatch.setattr(collect, "compare", lambda *_: nothing)
    before = time.process_time()
    done = pod.refresh()
    assert len(done.conflicts) >= 30_000
    assert time.process_time() - before < 15
