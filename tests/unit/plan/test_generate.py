"""Writing the generated files: whole or not at all, following no link, losing nobody's work."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock, call

import pytest

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.plan import beneath, profiles
from sandboxd.plan.generate import BESIDE_FILE, MAIN_FILE, Written, is_edited
from sandboxd.plan.inner_network import RESOLV_FILE
from sandboxd.project import Project
from tests.unit.plan.examples import GVISOR, PLAIN

SECCOMP = ".devcontainer/sandboxd/seccomp.json"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "weather"
    root.mkdir()
    (root / "sandboxd.toml").write_text('image = "img:1"\n')
    return root


def generate(root: Path, host: HostFacts = GVISOR) -> list[Written]:
    return Project.open(str(root), {}).generate(host)


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_the_second_time_nothing_is_written(workspace: Path) -> None:
    first = generate(workspace)
    assert [(item.path, item.changed, item.copy) for item in first] == [
        (RESOLV_FILE, True, ""),
        (SECCOMP, True, ""),
        (MAIN_FILE, True, ""),
    ]
    times = {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
    assert [item.changed for item in generate(workspace)] == [False, False, False]
    assert {path: path.stat().st_mtime_ns for path in workspace.rglob("*")} == times


def test_what_is_saved_is_planned_with_one_look_at_its_profile(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Mock(wraps=profiles.load)
    monkeypatch.setattr(profiles, "load", load)
    (workspace / "sandboxd.toml").write_text('profile = "agent"\nimage = "img:1"\n')
    generate(workspace)
    assert load.call_args_list == [call("agent")]


def test_a_change_of_profile_or_host_replaces_what_is_ours(workspace: Path) -> None:
    generate(workspace)
    for text in ('profile = "review"\n', 'profile = "agent"\n', ""):
        (workspace / "sandboxd.toml").write_text('image = "img:1"\n' + text)
        assert all(item.copy == "" for item in generate(workspace))
    written = generate(workspace, PLAIN)
    assert [(item.path, item.changed, item.copy) for item in written] == [
        (RESOLV_FILE, False, ""),
        (SECCOMP, True, ""),
        (MAIN_FILE, True, ""),
    ]
    assert not [name for name in files(workspace) if "yours" in name or "tmp" in name]


def test_a_plan_that_is_refused_leaves_nothing(workspace: Path) -> None:
    (workspace / "sandboxd.toml").write_text('profile = "agent"\nimage = "img:1"\n')
    with pytest.raises(EnvironmentFailure, match="needs gVisor"):
        generate(workspace, PLAIN)
    assert [path.name for path in workspace.iterdir()] == ["sandboxd.toml"]


def test_the_first_file_pins_its_own_folder(workspace: Path) -> None:
    generate(workspace)
    text = (workspace / MAIN_FILE).read_text()
    assert "target=/workspaces/weather/.devcontainer,readonly" in text


def test_a_hand_written_file_stays_and_is_the_base(workspace: Path) -> None:
    (workspace / ".devcontainer").mkdir()
    mine = workspace / MAIN_FILE
    mine.write_text('{"image": "theirs", "privileged": true, "postCreateCommand": "make"}')
    (workspace / "sandboxd.toml").write_text("")
    before = mine.read_bytes()
    assert [item.path for item in generate(workspace)] == [RESOLV_FILE, SECCOMP, BESIDE_FILE]
    assert mine.read_bytes() == before
    text = (workspace / BESIDE_FILE).read_text()
    assert '"image": "theirs"' in text and '"postCreateCommand": "make"' in text
    assert '"privileged"' not in text and "privileged: true" in text


def test_a_stray_word_in_run_args_is_not_the_image(workspace: Path) -> None:
    """Docker would run `evil` and take what follows for its command."""
    (workspace / "sandboxd.toml").write_text("")
    for image, expected in (('"image": "good",', '"image": "good"'), ("", "")):
        (workspace / ".devcontainer.json").write_text(
            f'{{{image} "build": {{"dockerfile": "D"}}, "runArgs": ["evil", "--privileged"]}}'
        )
        generate(workspace)
        text = (workspace / BESIDE_FILE).read_text()
        assert expected in text and '"evil"' not in text and "runArgs: evil" in text


def test_what_features_add_is_said_to_be_unknown(workspace: Path) -> None:
    (workspace / ".devcontainer.json").write_text(
        '{"image": "i", "features": {"ghcr.io/a/b:1": {}}}'
    )
    plan = Project.open(str(workspace), {}).plan(GVISOR)
    assert any(d.control == "features" and "ghcr.io/a/b:1" in d.why for d in plan.downgrades)


def test_a_file_in_the_root_is_a_base_too(workspace: Path) -> None:
    (workspace / ".devcontainer.json").write_text('{"image": "theirs"}')
    (workspace / "sandboxd.toml").write_text("")
    generate(workspace)
    assert (workspace / BESIDE_FILE).exists() and not (workspace / MAIN_FILE).exists()


def test_edits_are_kept_beside_and_named(workspace: Path) -> None:
    generate(workspace)
    main, seccomp = workspace / MAIN_FILE, workspace / SECCOMP
    for number, name in ((1, "yours"), (2, "yours-2")):
        main.write_text(main.read_text() + f"// edit {number}\n")
        assert is_edited(main.read_text())
        written = {item.path: item for item in generate(workspace)}
        copy = f"{MAIN_FILE}.{name}"
        assert written[MAIN_FILE].copy == copy
        assert (workspace / copy).read_text().endswith(f"// edit {number}\n")
        assert not is_edited(main.read_text())
    seccomp.write_text("{}")
    written = {item.path: item for item in generate(workspace)}
    assert written[SECCOMP].copy == f"{SECCOMP}.yours"
    assert (workspace / f"{SECCOMP}.yours").read_text() == "{}"


def test_a_copy_that_is_kept_is_not_kept_again(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(workspace)
    main = workspace / MAIN_FILE
    main.write_text(main.read_text() + "// mine\n")
    with monkeypatch.context() as patched:
        # Killed after the copy, before the file is replaced.
        patched.setattr(beneath, "replace", Mock(side_effect=KeyboardInterrupt))
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                generate(workspace)
    mine = main.read_bytes()
    copies = {item.path: item.copy for item in generate(workspace)}
    assert copies[MAIN_FILE] == f"{MAIN_FILE}.yours"
    # The same edit another time, in a file of its own.
    main.write_bytes(mine)
    assert {item.path: item.copy for item in generate(workspace)} == copies
    assert [name for name in files(workspace) if "yours" in name] == [f"{MAIN_FILE}.yours"]
    assert (workspace / f"{MAIN_FILE}.yours").read_bytes() == mine


@pytest.mark.parametrize("kind", ["link", "folder", "other bytes", "pipe"])
def test_what_only_has_the_name_of_a_copy_is_none(workspace: Path, kind: str) -> None:
    generate(workspace)
    main, copy = workspace / MAIN_FILE, workspace / f"{MAIN_FILE}.yours"
    main.write_text(main.read_text() + "// mine\n")
    size = main.stat().st_size
    if kind == "link":
        copy.symlink_to("devcontainer.json")
    elif kind == "folder":
        copy.mkdir()
    elif kind == "pipe":
        os.mkfifo(copy)
    else:
        copy.write_bytes(b"x" * size)
    copies = {item.path: item.copy for item in generate(workspace)}
    assert copies[MAIN_FILE] == f"{MAIN_FILE}.yours-2"


def test_bytes_that_are_no_text_are_an_edit(workspace: Path) -> None:
    generate(workspace)
    main = workspace / MAIN_FILE
    main.write_bytes(main.read_bytes() + b"\xff\xfe")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        generate(workspace)
    assert main.read_bytes().endswith(b"\xff\xfe")


@pytest.mark.parametrize("link", [".devcontainer", ".devcontainer/sandboxd"])
def test_a_linked_folder_is_refused_and_nothing_is_written_behind_it(
    workspace: Path, tmp_path: Path, link: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (workspace / link).parent.mkdir(exist_ok=True)
    (workspace / link).symlink_to(outside)
    with pytest.raises(UsageError, match=f"`{link}` is a symbolic link"):
        generate(workspace)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("name", [MAIN_FILE, SECCOMP])
def test_a_linked_file_is_refused(workspace: Path, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (workspace / name).parent.mkdir(parents=True, exist_ok=True)
    (workspace / name).symlink_to(victim)
    with pytest.raises(UsageError, match="is a symbolic link"):
        generate(workspace)
    assert victim.read_text() == "precious"


def test_a_pipe_in_place_of_a_file_is_refused_at_once(workspace: Path) -> None:
    (workspace / SECCOMP).parent.mkdir(parents=True)
    os.mkfifo(workspace / SECCOMP)
    with pytest.raises(UsageError, match="no regular file"):
        generate(workspace)


def fail_with(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.ENOSPC, "free some space, then run the command again"),
        (errno.EDQUOT, "free some of your quota, then run the command again"),
        (errno.EIO, "correct that, then run the command again"),
    ],
)
def test_a_write_that_fails_leaves_the_old_files(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, code: int, hint: str
) -> None:
    generate(workspace)
    (workspace / "sandboxd.toml").write_text('image = "img:2"\n')
    before = files(workspace)
    fail_with(code, monkeypatch)
    with pytest.raises(EnvironmentFailure) as caught:
        generate(workspace)
    assert caught.value.message == f"cannot write `{MAIN_FILE}`: {os.strerror(code).lower()}"
    assert caught.value.hint == hint
    assert files(workspace) == before


def test_a_first_write_that_fails_leaves_no_stand_ins(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_ins = Project.open(str(workspace), {}).planned(GVISOR).plan.stubs
    assert len(stand_ins) > 1
    fail_with(errno.ENOSPC, monkeypatch)
    with pytest.raises(EnvironmentFailure):
        generate(workspace)
    # The folder of the file that could not be written is there already.
    assert {path for path in stand_ins if (workspace / path).exists()} <= {".devcontainer"}


def test_a_disk_that_is_really_full_leaves_the_old_files(workspace: Path) -> None:
    """A file size limit of 4 KiB: the kernel refuses the rest of the file, as a full disk does."""
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from sandboxd.host.facts import UNKNOWN\n"
        "from sandboxd.project import Project\n"
        "from sandboxd.errors import SandboxdError\n"
        "try:\n"
        f"    Project.open({str(workspace)!r}, {{}}).generate(UNKNOWN)\n"
        "except SandboxdError as error:\n"
        "    print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"cannot write `{SECCOMP}`: file too large\n"
    # A file that no other names yet.
    assert set(files(workspace)) == {"sandboxd.toml", RESOLV_FILE}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(workspace: Path) -> None:
    workspace.chmod(0o555)
    try:
        with pytest.raises(
            EnvironmentFailure, match=r"cannot write `\.devcontainer\S*`: permission"
        ):
            generate(workspace)
    finally:
        workspace.chmod(0o755)


def test_a_read_only_file_system_is_named(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mkdir(*args: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "mkdir", mkdir)
    with pytest.raises(EnvironmentFailure, match="read-only file system") as caught:
        generate(workspace)
    assert "mounted read-only" in caught.value.hint


def test_comparing_writes_nothing(workspace: Path) -> None:
    project = Project.open(str(workspace), {})
    states = project.compare(GVISOR)
    assert [(state.before, state.is_current) for state in states] == [(None, False)] * 3
    assert files(workspace).keys() == {"sandboxd.toml"}
    project.generate(GVISOR)
    assert all(state.is_current for state in Project.open(str(workspace), {}).compare(GVISOR))


def test_a_temporary_file_left_by_a_crash_is_replaced(workspace: Path) -> None:
    generate(workspace)
    left = workspace / ".devcontainer" / f".devcontainer.json.{os.getpid()}.tmp"
    left.write_text("half")
    (workspace / "sandboxd.toml").write_text('image = "img:2"\n')
    generate(workspace)
    assert not left.exists()


def test_a_temporary_file_goes_only_when_its_process_is_gone(workspace: Path) -> None:
    generate(workspace)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    folder = workspace / ".devcontainer"
    of_the_dead = folder / f".devcontainer.json.{process.pid}.tmp"
    others = {
        folder / f".devcontainer.json.{os.getppid()}.tmp",
        folder / ".devcontainer.json.mine.tmp",
        folder / f".another.json.{process.pid}.tmp",
        folder / f".devcontainer.json.{process.pid}",
    }
    for path in (of_the_dead, *others):
        path.write_text("half")
    generate(workspace)
    assert not of_the_dead.exists()
    assert {path for path in others if path.exists()} == others


def test_open_finds_the_nearest_config(workspace: Path) -> None:
    below = workspace / "a" / "b"
    below.mkdir(parents=True)
    (below / "file.py").write_text("")
    for path in (below, below / "file.py", workspace / "sandboxd.toml"):
        assert Project.open(str(path), {}).workspace == str(workspace)


def test_open_without_config_is_the_folder_itself(tmp_path: Path) -> None:
    project = Project.open(str(tmp_path), {})
    assert (project.workspace, project.config.path) == (str(tmp_path), None)


def test_open_says_what_is_wrong(workspace: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        Project.open(str(workspace / "gone"), {})
    config = workspace / "sandboxd.toml"
    config.write_text('\nprofile = "agnet"\nruntme = 1\n')
    with pytest.raises(UsageError) as caught:
        Project.open(str(workspace), {})
    assert caught.value.message.startswith(f"{config}:2:11: there is no profile `agnet`")
    assert caught.value.hint.startswith("correct it and 1 more; `sandboxd check")
    config.unlink()
    config.mkdir()
    with pytest.raises(UsageError, match="is a directory"):
        Project.open(str(workspace), {})


def test_the_same_project_through_a_link_is_the_same(workspace: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(workspace)
    assert Project.open(str(link), {}).plan(GVISOR) == Project.open(str(workspace), {}).plan(GVISOR)
