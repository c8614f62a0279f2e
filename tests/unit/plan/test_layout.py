"""What can be written inside, by profile: the workspace, a copy of it, the root file system."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.plan.grants import Grants
from sandboxd.plan.layout import COPY, HOME, MARK, MARK_FOLDER, SOURCE, seconds
from sandboxd.plan.plan import Plan
from sandboxd.plan.workspace import ControlFile
from tests.unit.plan.examples import DIRECTFS, GVISOR, PLAIN, base, configured, plan_of, workspace

TARGET = "/workspaces/weather"


def plan(
    profile: str, host: HostFacts = GVISOR, hand_written: str | None = None, **facts: object
) -> Plan:
    config = configured(f'image = "img:1"\nprofile = "{profile}"\n')
    container = base(hand_written) if hand_written is not None else None
    grants = Grants(allow_runc=True, trusted=True)
    return plan_of(config, host, container, workspace(**facts), grants)


def mounts(the_plan: Plan) -> dict[str, tuple[str, bool]]:
    return {m.value.target: (m.value.type, m.value.read_only) for m in the_plan.container.mounts}


def variables(the_plan: Plan) -> dict[str, str]:
    pairs = [v.value for v in the_plan.container.env]
    return {p.name: p.value for p in pairs if not p.name.startswith("GIT_CONFIG_")}


@pytest.mark.parametrize(
    ("host", "kind"), [(GVISOR, "bind"), (PLAIN, "bind"), (DIRECTFS, "volume")]
)
def test_review_has_one_read_only_way_to_the_workspace(host: HostFacts, kind: str) -> None:
    the_plan = plan("review", host)
    assert mounts(the_plan) == {
        TARGET: (kind, True),
        HOME: ("tmpfs", False),
        "/tmp": ("tmpfs", False),
    }
    if kind == "volume":
        assert "volume-opt=o=bind,ro" in the_plan.container.mounts[0].value.options
    assert the_plan.stubs == () and the_plan.prepare == ()


@pytest.mark.parametrize(("host", "kind"), [(GVISOR, "bind"), (DIRECTFS, "volume")])
def test_untrusted_has_a_copy_and_the_original_read_only(host: HostFacts, kind: str) -> None:
    the_plan = plan("untrusted", host)
    assert mounts(the_plan)[SOURCE] == (kind, True)
    assert mounts(the_plan)[TARGET] == ("tmpfs", False)
    assert the_plan.prepare[-3:] == (SOURCE, TARGET, MARK)
    assert mounts(the_plan)[MARK_FOLDER] == ("tmpfs", False)
    copy = next(m.value for m in the_plan.container.mounts if m.value.target == TARGET)
    assert {"exec", "nosuid", "nodev", "size=2g", "uid=1000", "gid=1000"} <= set(copy.options)
    assert "results" in {d.control for d in the_plan.downgrades}


@pytest.mark.parametrize("programs", [("tar", "cp"), ("cp",), ()])
def test_the_copy_is_whole_or_fails(tmp_path: Path, programs: tuple[str, ...]) -> None:
    source, target, path = tmp_path / "it's $(x)", tmp_path / "to", tmp_path / "path"
    for folder in (source / "d", target, path):
        folder.mkdir(parents=True)
    (source / "d/.hidden").write_text("x")
    (source / "link").symlink_to("/nowhere")
    for name in ("-n", "..odd", ".dot", "a\nb"):
        (source / name).write_text(name)
    for program in programs:
        (path / program).symlink_to(shutil.which(program) or "")
    shell = shutil.which("sh") or ""
    mark = tmp_path / "mark"
    words = [shell, *COPY[1:], str(source), str(target), str(mark)]
    done = subprocess.run(words, env={"PATH": str(path)}, capture_output=True, check=False)
    assert (done.returncode == 0) == mark.exists() == bool(programs)
    if programs:
        assert (target / "d/.hidden").read_text() == "x"
        assert os.readlink(target / "link") == "/nowhere"
        assert sorted(os.listdir(target)) == sorted(os.listdir(source))
    (tmp_path / "empty").mkdir()
    mark.unlink(missing_ok=True)
    words[-3] = str(tmp_path / "missing")
    assert subprocess.run(words, capture_output=True, check=False).returncode != 0
    assert not mark.exists()
    words[-3] = str(tmp_path / "empty")
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    assert mark.exists()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, as those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="sbx-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_a_copy_goes_on_where_the_host_writes_meanwhile(open_folder: Path) -> None:
    """`tar` then says that a file changed as it read it: what it copied may be read-only, as git's objects."""
    source, target, path = (open_folder / name for name in ("from", "to", "path"))
    for folder in (source / "objects", target, path):
        folder.mkdir(parents=True)
    (source / "objects/1").write_text("x")
    (source / "objects/1").chmod(0o444)
    (source / "link").symlink_to("objects")
    (path / "tar").write_text(f'#!/bin/sh\n{shutil.which("tar")} "$@"; [ "$1" != -cf ]\n')
    (path / "tar").chmod(0o755)
    for program in ("cp", "sh"):
        (path / program).symlink_to(shutil.which(program) or "")
    user = 1000 if os.geteuid() == 0 else None
    os.chown(target, user or os.geteuid(), -1)
    mark = target / "mark"
    words = [str(path / "sh"), *COPY[1:], str(source), str(target), str(mark)]
    done = subprocess.run(
        words, env={"PATH": str(path)}, capture_output=True, check=False, user=user, group=user
    )
    assert done.returncode == 0, done.stderr
    assert (target / "objects/1").read_text() == "x" and mark.exists()
    assert os.readlink(target / "link") == "objects"


@pytest.mark.parametrize("profile", ["review", "untrusted"])
def test_nothing_of_the_image_can_be_written(profile: str) -> None:
    the_plan = plan(profile)
    root = the_plan.container.read_only_rootfs
    assert root is not None and root.value is True
    assert variables(the_plan) == {"HOME": HOME}
    assert the_plan.container.network is not None and the_plan.container.network.value == "none"
    assert [v.value for v in the_plan.container.cap_drop] == [
        "ALL"
    ] and the_plan.container.cap_add == ()


def test_a_home_of_the_users_config_is_left_out_and_named() -> None:
    written = '{"image": "i", "containerEnv": {"HOME": "/elsewhere", "A": "1"}}'
    the_plan = plan("review", hand_written=written)
    assert variables(the_plan) == {"HOME": HOME, "A": "1"}
    assert any(entry.item.startswith("containerEnv: HOME") for entry in the_plan.left_out)


def test_the_time_limit_is_the_first_process_and_says_what_it_is_worth() -> None:
    for host, lines in ((PLAIN, 1), (GVISOR, 2)):
        the_plan = plan("untrusted", host)
        assert the_plan.container.command == ("/bin/sh", "-c", "exec sleep 3600")
        reasons = [d.why for d in the_plan.downgrades if d.control == "time limit"]
        assert len(reasons) == lines and "editor" in reasons[0]
    assert "sleep 3600 &" in plan("dev").container.command[2]


@pytest.mark.parametrize("profile", ["review", "untrusted"])
def test_a_link_in_place_of_a_control_file_is_refused(profile: str) -> None:
    with pytest.raises(UsageError, match="is a symbolic link"):
        plan(profile, control_files=(ControlFile(".git", "symlink"),))


@pytest.mark.parametrize(("text", "count"), [("90s", 90), ("30m", 1800), ("1h", 3600)])
def test_seconds(text: str, count: int) -> None:
    assert seconds(text) == count


@pytest.mark.parametrize("text", ["", "h", "1", "1d", "-1h", "1.5h"])
def test_no_seconds(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        seconds(text)


def test_a_copy_says_who_asked_for_it() -> None:
    def decided(text: str) -> str:
        config = configured(f'image = "img:1"\n{text}')
        the_plan = plan_of(config, GVISOR, None, workspace(), Grants())
        (reason,) = [r for r in the_plan.reasons if "a private copy" in r.why]
        return reason.decided_by

    assert decided('profile = "agent"') == "profile agent"
    assert decided('[workspace]\nlayout = "clone"') == "config"
