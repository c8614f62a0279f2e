"""Approvals: for one folder, kept where no sandbox can write."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from sandboxd import file_lock
from sandboxd.egress.approvals import Approval
from sandboxd.egress.names import pattern
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.policy import approvals

NOW = 1000.0


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    path = tmp_path / "w"
    path.mkdir()
    return str(path)


def allow(name: str, *ports: int, until: float = 0.0, once: str = "") -> Approval:
    return Approval(pattern(name), ports or (443,), True, NOW, "shell", until, once)


def deny(name: str) -> Approval:
    return Approval(pattern(name), (), False, NOW, "editor")


def file_of(environ: dict[str, str]) -> Path:
    return Path(environ["XDG_CONFIG_HOME"]) / "sandboxd" / approvals.FILE_NAME


def test_an_answer_is_kept_as_it_was_given(environ: dict[str, str], workspace: str) -> None:
    answers = (
        allow("*.example.org", 22, 443, until=2000.5),
        deny("x.org"),
        allow("y.org", once="1"),
    )
    for answer in answers:
        approvals.add(environ, workspace, answer)
    assert approvals.of_project(environ, workspace, NOW) == answers
    assert file_of(environ).stat().st_mode & 0o777 == 0o600
    assert approvals.of_project(environ, workspace + "-other", NOW) == ()


def test_a_denial_holds_whatever_folder_is_at_its_path(
    environ: dict[str, str], workspace: str
) -> None:
    """A sandbox of the earlier one may run; a backup that is restored there is the same project."""
    approvals.add(environ, workspace, deny("a.org"))
    approvals.add(environ, workspace, allow("b.org"))
    os.rename(workspace, workspace + "-moved")
    assert approvals.of_project(environ, workspace, NOW) == (deny("a.org"),)
    os.mkdir(workspace)
    assert approvals.of_project(environ, workspace, NOW) == (deny("a.org"),)
    approvals.add(environ, workspace, allow("a.org"))
    assert approvals.of_project(environ, workspace, NOW) == (allow("a.org"),)


def test_an_approval_belongs_to_the_folder_and_not_to_its_path(
    environ: dict[str, str], workspace: str
) -> None:
    approvals.add(environ, workspace, allow("a.org"))
    os.rename(workspace, workspace + "-moved")
    os.mkdir(workspace)
    assert approvals.of_project(environ, workspace, NOW) == ()
    os.rmdir(workspace)
    assert approvals.of_project(environ, workspace, NOW) == ()


def test_another_folder_that_got_the_inode_of_the_one_before_has_no_approvals(
    environ: dict[str, str], workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ext4 gives the inode number of a removed folder to the next one: seen 20 times of 20."""
    inode = os.stat(workspace).st_ino
    assert approvals._folder_at(workspace)[:2] == (workspace, inode)
    generation = 1
    monkeypatch.setattr(approvals, "_generation", lambda _descriptor: generation)
    approvals.add(environ, workspace, allow("a.org"))
    assert approvals.of_project(environ, workspace, NOW) == (allow("a.org"),)
    generation = 2
    assert approvals.of_project(environ, workspace, NOW) == ()
    approvals.add(environ, workspace, allow("b.org"))
    assert approvals.of_project(environ, workspace, NOW) == (allow("b.org"),)


def test_a_sandbox_does_not_end_a_denial_by_making_its_folder_unreadable(
    environ: dict[str, str], workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "_generation", lambda _descriptor: 1)
    approvals.add(environ, workspace, deny("before.org"))
    approvals.add(environ, workspace, allow("a.org"))
    real = os.open

    def refuse(path: str, *arguments: int) -> int:
        if path == workspace:
            raise PermissionError
        return real(path, *arguments)

    # Put back before the test ends: a newer Python opens what it removes by more arguments.
    with monkeypatch.context() as patched:
        patched.setattr("sandboxd.policy.approvals.os.open", refuse)
        approvals.add(environ, workspace, deny("after.org"))
        answers = approvals.of_project(environ, workspace, NOW)
    assert answers == (deny("before.org"), deny("after.org"))


def test_an_approval_of_a_version_that_knew_the_inode_alone_counts(
    environ: dict[str, str], workspace: str
) -> None:
    approvals.add(environ, workspace, allow("a.org"))
    lines = file_of(environ).read_text().splitlines()
    older = [line for line in lines if not line.startswith("generation")]
    assert len(older) == len(lines) - 1
    file_of(environ).write_text("\n".join(older))
    assert approvals.of_project(environ, workspace, NOW) == (allow("a.org"),)


def test_what_has_ended_counts_for_nothing_and_is_not_written_again(
    environ: dict[str, str], workspace: str
) -> None:
    approvals.add(environ, workspace, allow("a.org", until=NOW + 10))
    assert len(approvals.of_project(environ, workspace, NOW + 9.9)) == 1
    assert approvals.of_project(environ, workspace, NOW + 10) == ()
    approvals.add(environ, workspace, deny("b.org")._replace(when=NOW + 11))
    assert "a.org" not in file_of(environ).read_text()


def test_the_last_answer_about_a_name_holds(environ: dict[str, str], workspace: str) -> None:
    approvals.add(environ, workspace, allow("a.org", 443))
    approvals.add(environ, workspace, allow("a.org", 22))
    approvals.add(environ, workspace, allow("a.org", 443, until=NOW + 5))
    both = approvals.of_project(environ, workspace, NOW)
    assert [(a.ports, a.until) for a in both] == [((22,), 0.0), ((443,), NOW + 5)]
    approvals.add(environ, workspace, deny("a.org"))
    assert approvals.of_project(environ, workspace, NOW) == (deny("a.org"),)
    approvals.add(environ, workspace, allow("a.org"))
    assert approvals.of_project(environ, workspace, NOW) == (allow("a.org"),)


def test_one_for_one_connection_is_used_up(environ: dict[str, str], workspace: str) -> None:
    approvals.add(environ, workspace, allow("a.org", once="1"))
    approvals.add(environ, workspace, allow("b.org"))
    assert not approvals.use_up(environ, workspace, ["2"])
    assert not approvals.use_up(environ, workspace, [""])
    assert approvals.use_up(environ, workspace, ["1"])
    assert approvals.of_project(environ, workspace, NOW) == (allow("b.org"),)
    assert not approvals.use_up(environ, workspace, ["1"])


def test_one_that_is_used_up_stays_for_its_connection_until_its_end_or_until_it_is_taken_back(
    environ: dict[str, str], workspace: str
) -> None:
    once = allow("a.org", until=NOW + 10, once="1")
    used = once._replace(is_used=True)
    approvals.add(environ, workspace, once)
    assert approvals.use_up(environ, workspace, ["1"])
    assert approvals.of_project(environ, workspace, NOW, with_used=True) == (used,)
    assert approvals.of_project(environ, workspace, NOW + 10, with_used=True) == ()
    approvals.add(environ, workspace, once)
    assert approvals.use_up(environ, workspace, ["1"])
    another = once._replace(once="2")
    approvals.add(environ, workspace, another)
    assert approvals.of_project(environ, workspace, NOW, with_used=True) == (used, another)
    gone, _ = approvals.remove(environ, workspace, NOW, lambda each: each.pattern == used.pattern)
    assert gone == (used, another)
    assert approvals.of_project(environ, workspace, NOW, with_used=True) == ()


def test_a_folder_of_which_nobody_knows_which_it_is_keeps_its_denials(
    environ: dict[str, str], workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    approvals.add(environ, workspace, deny("a.org"))
    real_open, real_stat = os.open, os.stat

    def refuse(asked: object, *arguments: object, **options: object) -> object:
        if asked == workspace:
            raise PermissionError(13, "Permission denied")
        real = real_stat if not arguments else real_open
        return real(asked, *arguments, **options)  # type: ignore[call-overload, operator]

    with monkeypatch.context() as patched:
        patched.setattr("sandboxd.policy.approvals.os.open", refuse)
        patched.setattr("sandboxd.policy.approvals.os.stat", refuse)
        with pytest.raises(UsageError, match="cannot look at"):
            approvals.of_project(environ, workspace, NOW)


def test_a_file_that_others_can_write_stops_everything(
    environ: dict[str, str], workspace: str
) -> None:
    approvals.add(environ, workspace, allow("a.org"))
    file_of(environ).chmod(0o666)
    with pytest.raises(UsageError, match="can be written by others"):
        approvals.of_project(environ, workspace, NOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "a.org"', 'name = "*.com"'),
        ('name = "a.org"', 'name = "10.0.0.1"'),
        ('answer = "allow"', 'answer = "yes"'),
        ("443,", "0,"),
        ("443,", '"443",'),
        ("until = 0.0", 'until = "never"'),
        ("[[approvals]]", "[[approval]]"),
        ("[[approvals]]", "[[approvals"),
    ],
)
def test_a_file_that_is_not_whole_stops_everything(
    environ: dict[str, str], workspace: str, old: str, new: str
) -> None:
    approvals.add(environ, workspace, allow("a.org"))
    text = file_of(environ).read_text()
    assert old in text
    file_of(environ).write_text(text.replace(old, new))
    with pytest.raises(UsageError, match="is not a list of approvals"):
        approvals.of_project(environ, workspace, NOW)


def test_nothing_within_the_workspace_counts(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    with pytest.raises(UsageError, match="within the workspace"):
        approvals.add(environ, str(tmp_path), allow("a.org"))
    file = file_of(environ)
    file.parent.mkdir(parents=True)
    file.write_text("[[approvals]]\n")
    assert approvals.of_project(environ, str(tmp_path), NOW) == ()


def test_an_approval_ends(environ: dict[str, str], workspace: str) -> None:
    entries = [
        approvals._Entry(approvals._folder_at(workspace), allow(f"n{number}.org"))
        for number in range(approvals.MOST_OF_PROJECT)
    ]
    approvals._change(environ, NOW, lambda _: entries, takes_back=False)
    with pytest.raises(UsageError, match="too many"):
        approvals.add(environ, workspace, allow("one-more.org"))
    approvals.add(environ, workspace, deny("n7.org"))


def test_answers_at_once_lose_none(environ: dict[str, str], workspace: str) -> None:
    threads = [
        threading.Thread(target=approvals.add, args=(environ, workspace, deny(f"n{number}.org")))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(approvals.of_project(environ, workspace, NOW)) == 20


@pytest.mark.parametrize(("time", "is_read"), [(5, True), (5.5, True), ("5", False), (True, False)])
def test_a_time_is_a_number_however_it_is_written(time: object, is_read: bool) -> None:
    table = {
        "workspace": "/w", "inode": 1, "name": "example.org", "ports": [443], "answer": "allow",
        "when": time, "by": "shell", "until": time, "once": False,
    }  # fmt: skip
    if is_read:
        assert approvals._entry(table).approval.until == float(str(time))
    else:
        with pytest.raises(TypeError):
            approvals._entry(table)


def test_a_process_that_stands_still_with_the_lock_keeps_no_answer_from_ending(
    environ: dict[str, str], workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes back reads the answers, and would wait for it as long."""
    approvals.add(environ, workspace, allow("a.org", until=NOW + 1))
    waits: list[float | None] = []
    really = file_lock._wait_for

    def wait(descriptor: int, seconds: float | None) -> None:
        waits.append(seconds)
        really(descriptor, 0.0)

    monkeypatch.setattr(file_lock, "_wait_for", wait)
    with file_lock.locked(f"{file_of(environ)}.lock"):
        assert approvals.of_project(environ, workspace, NOW + 2) == ()
        with pytest.raises(EnvironmentFailure, match="another process"):
            approvals.add(environ, workspace, deny("a.org"))
    assert waits == [0.0, file_lock.LONGEST_SECONDS]
