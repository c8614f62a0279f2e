"""Which pins of a running container are lost, and how that is known: from a /proc made for it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandboxd.model.labels import MADE_BY, UP
from sandboxd.observe import pin, pins
from sandboxd.observe.mount_table import Mounted, parse, place_of
from sandboxd.observe.pin import Pin, State, Witness
from sandboxd.plan.acting import is_of_version_control

ID = "c0ffee" * 10
WORK = "/workspaces/shop"
SENTRY, GOFER, PARENT = 7, 8, 6


class World:
    """A workspace of the host, a container that has it mounted, and the /proc that shows both."""

    def __init__(self, folder: Path) -> None:
        self.host = folder / "shop"
        self.inside = folder / "inside"
        self.proc = folder / "proc"
        (self.host / ".vscode").mkdir(parents=True)
        (self.host / ".envrc").write_text("a\n")
        self.shown: set[str] = set()
        self.points = [WORK, f"{WORK}/.envrc", f"{WORK}/.vscode"]
        self.process(SENTRY, "sleep")
        self.mountinfo("self", "1 0 0:9 / / rw - ext4 x rw\n")

    def process(self, pid: int, *words: str, group: str = ID, parent: int = PARENT) -> None:
        folder = self.proc / str(pid)
        folder.mkdir(parents=True)
        (folder / "cgroup").write_text(f"0::/docker-{group}.scope\n")
        (folder / "cmdline").write_text("\0".join((*words, "")))
        (folder / "status").write_text(f"Name:\tx\nPPid:\t{parent}\n")
        (folder / "root").symlink_to("/")

    def mountinfo(self, pid: object, text: str) -> None:
        (self.proc / str(pid)).mkdir(parents=True, exist_ok=True)
        (self.proc / str(pid) / "mountinfo").write_text(text)

    def look(self, pid: int = SENTRY, **more: Any) -> dict[str, Pin]:
        lines = [
            f"{n} 1 0:9 {self.path(p)} {p} ro - ext4 x rw\n" for n, p in enumerate(self.points)
        ]
        self.mountinfo(pid, "".join(lines))
        subject = pins.subject(self.inspected(**more), self.shown)
        return {each.name: each for each in pins.look(subject, str(self.proc))}

    def path(self, point: str) -> str:
        return f"{self.host}{point.removeprefix(WORK)}"

    def inspected(self, **more: Any) -> Any:
        mounts = [
            {"Type": "bind", "Source": self.path(p), "Destination": p, "RW": p == WORK}
            for p in (WORK, f"{WORK}/.envrc", f"{WORK}/.vscode")
        ]
        label = {"dev.sandboxd.project": str(self.host), **more.pop("labels", {})}
        return {
            "Id": ID,
            "State": {"Running": True, "Pid": SENTRY},
            "Config": {"Labels": label},
            "HostConfig": {},
            "Mounts": mounts,
            **more,
        }


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def states(found: dict[str, Pin]) -> dict[str, State]:
    return {name: each.state for name, each in found.items()}


def all_hold(world: World) -> None:
    assert states(world.look()) == dict.fromkeys((".", ".envrc", ".vscode"), State.HOLDS)


@pytest.fixture
def by_path(world: World) -> World:
    """Another user's container: its root may not be looked into."""
    (world.proc / str(SENTRY) / "root").unlink()
    (world.proc / str(SENTRY) / "root").write_text("")
    return world


@pytest.fixture
def by_inode(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Our own container: what is at a mount point is looked at by the root of its process."""
    root = world.proc / str(SENTRY) / "root"
    root.unlink()
    files = world.inside / "files"
    mounted = files / WORK[1:]
    mounted.mkdir(parents=True)
    os.link(world.host / ".envrc", mounted / ".envrc")
    root.symlink_to(files)
    return world


def test_every_pin_holds_that_is_mounted(by_path: World) -> None:
    all_hold(by_path)


def test_a_mount_that_went_is_lost(by_path: World) -> None:
    by_path.points.remove(f"{WORK}/.envrc")
    found = by_path.look()
    assert states(found)[".envrc"] is State.LOST
    assert found[".envrc"].witness is Witness.FIRST_PROCESS
    assert found[".vscode"].state is State.HOLDS


def test_a_mount_that_moved_along_is_lost(by_path: World) -> None:
    by_path.points[2] = f"{WORK}/.vscode.old"
    assert states(by_path.look())[".vscode"] is State.LOST


def test_what_is_mounted_is_compared_by_inode(by_inode: World) -> None:
    # Its mount is played by a second name.
    assert by_inode.look()[".envrc"].state is State.NOT_CHECKED
    (by_inode.host / "new").write_text("b\n")
    (by_inode.host / "new").rename(by_inode.host / ".envrc")
    lost = by_inode.look()[".envrc"]
    assert (lost.state, lost.why) == (State.LOST, "another one is at its path on the host")
    (by_inode.host / ".envrc").unlink()
    assert by_inode.look()[".envrc"].why == "nothing is at its path on the host"


def test_a_file_with_a_second_name_is_not_said_to_hold(by_path: World) -> None:
    os.link(by_path.host / ".envrc", by_path.host / "second")
    pin = by_path.look()[".envrc"]
    assert (pin.state, pin.is_lost) == (State.NOT_CHECKED, False)
    assert pin.why == "it has 2 names on the host, and may be written inside by another one"


def test_one_that_got_a_second_name_since_the_start_is_lost(by_path: World) -> None:
    """`up` gives each file that is shut a name of its own: a later one is by an act of the host (`ln`, `cp -al`)."""
    os.link(by_path.host / ".envrc", by_path.host / "second")
    found = by_path.look(labels={MADE_BY: UP})
    assert (found[".envrc"].state, found[".envrc"].is_lost) == (State.LINKED, True)
    text = pin.headline(found.values())
    assert text.startswith("PIN WITH A SECOND NAME: a hard link was made to `.envrc` on the host")
    assert found[".vscode"].state is State.HOLDS


def test_a_file_of_a_folder_counts_but_not_of_a_version_control(by_path: World) -> None:
    (by_path.host / ".vscode/tasks.json").write_text("{}")
    os.link(by_path.host / ".vscode/tasks.json", by_path.host / "second")
    found = by_path.look()[".vscode"]
    assert (found.state, found.why) == (
        State.NOT_CHECKED,
        "a file in it has 2 names on the host, and may be written inside by another one",
    )
    assert is_of_version_control("/x/.hg") and not is_of_version_control("/x/.vscode")


def test_a_workspace_that_was_moved_is_lost(by_path: World) -> None:
    by_path.host.rename(by_path.host.with_name("elsewhere"))
    assert [each.name for each in pin.lost(by_path.look().values())] == ["."]


def test_a_mount_of_what_was_deleted_is_lost(by_path: World) -> None:
    """`rm -rf .git && git init`: what lies elsewhere inside is still mounted, and another thing is there."""
    (by_path.host / "objects").mkdir()
    objects = {
        "Type": "bind",
        "Source": str(by_path.host / "objects"),
        "Destination": "/o",
        "RW": False,
    }
    described = by_path.inspected()
    described["Mounts"].append(objects)
    for suffix, state in (("", State.HOLDS), ("//deleted", State.LOST)):
        text = "".join(f"1 1 0:9 {by_path.path(p)} {p} ro - ext4 x rw\n" for p in by_path.points)
        by_path.mountinfo(
            SENTRY, f"{text}9 1 0:9 {by_path.host}/objects{suffix} /o ro - ext4 x rw\n"
        )
        seen = {
            each.target: each.state
            for each in pins.look(pins.subject(described), str(by_path.proc))
        }
        assert seen["/o"] is state


def gofer(world: World, pid: int = GOFER, **other: Any) -> None:
    words = ("runsc-gofer", "--root=/r", "gofer", "--bundle=/b")
    world.process(pid, *words, **other)
    task = world.proc / str(PARENT) / "task" / "61"
    task.mkdir(parents=True, exist_ok=True)
    (task / "children").write_text(f"{SENTRY} {pid} ")


def test_under_gvisor_its_gofer_is_looked_at(by_path: World) -> None:
    gofer(by_path)
    by_path.mountinfo(SENTRY, "1 0 0:9 / / rw - tmpfs x rw\n")
    by_path.points.remove(f"{WORK}/.envrc")
    memory = {"HostConfig": {"Tmpfs": {f"{WORK}/node_modules": ""}}}
    found = by_path.look(GOFER, **memory)
    assert found[".envrc"].state is State.LOST
    assert {each.witness for each in found.values()} == {Witness.GOFER, Witness.NOBODY}
    assert found["node_modules"].state is State.NOT_CHECKED


def test_the_gofer_of_another_sandbox_is_not_believed(by_path: World) -> None:
    gofer(by_path, group="f00d" * 16)
    by_path.mountinfo(SENTRY, "1 0 0:9 / / rw - tmpfs x rw\n")
    assert {each.state for each in by_path.look(GOFER).values()} == {State.NOT_CHECKED}


@pytest.mark.parametrize("hidden", ["pid", "mounts"])
def test_where_no_mount_is_seen_only_the_note_of_the_start_speaks(
    world: World, hidden: str
) -> None:
    note = {
        str(world.host / name): os.lstat(world.host / name).st_ino for name in (".envrc", ".vscode")
    }
    label = {"dev.sandboxd.sources": json.dumps(note)}
    if hidden == "pid":
        (world.proc / str(SENTRY) / "cgroup").write_text("0::/\n")
    else:
        world.points = ["/"]
    assert {each.state for each in world.look(labels=label).values()} == {State.NOT_CHECKED}
    (world.host / "new").write_text("b\n")
    (world.host / "new").rename(world.host / ".envrc")
    found = world.look(labels=label)
    assert (found[".envrc"].state, found[".envrc"].witness) == (State.LOST, Witness.NOTE)
    assert found[".vscode"].state is State.NOT_CHECKED


@pytest.mark.parametrize("note", ["", "no JSON", "[]", "3", '{"/x": "y"}', "[" * 100_000])
def test_a_note_that_is_none_says_nothing(world: World, note: str) -> None:
    world.points = ["/"]
    found = world.look(labels={"dev.sandboxd.sources": note})
    assert {each.state for each in found.values()} == {State.NOT_CHECKED}


def test_a_stopped_container_has_no_pins(world: World) -> None:
    assert world.look(State={"Running": False, "Pid": 0}) == {}


def test_pinned_volumes_stand_for_their_device(world: World) -> None:
    described = world.inspected()
    described["Mounts"][2] = {
        "Type": "volume",
        "Name": "p",
        "Source": "/var/x",
        "Destination": f"{WORK}/.vscode",
    }
    options = {"DriverConfig": {"Options": {"device": str(world.host / ".vscode")}}}
    described["HostConfig"] = {
        "Mounts": [{"Type": "volume", "Target": f"{WORK}/.vscode", "VolumeOptions": options}]
    }
    asked = {request.target: request.source for request in pin.requests(described)}
    assert asked[f"{WORK}/.vscode"] == str(world.host / ".vscode")


def test_mounts_outside_of_shared_folders_are_no_pins(world: World) -> None:
    described = world.inspected()
    described["Mounts"] += [
        {"Type": "bind", "Source": "/s/resolv", "Destination": "/etc/resolv.conf", "RW": False},
        {"Type": "bind", "Source": "/s/home", "Destination": "/home/dev", "RW": True},
        {"Type": "volume", "Name": "v", "Destination": "/cache", "RW": True},
    ]
    targets = [request.target for request in pin.requests(described)]
    assert targets == [WORK, f"{WORK}/.envrc", f"{WORK}/.vscode"]


def test_the_inside_can_only_take_back(by_path: World) -> None:
    """Under gVisor a folder that was moved away and back is mounted again for the host alone."""
    by_path.shown = {WORK, f"{WORK}/.vscode"}
    found = by_path.look()
    assert (found[".envrc"].state, found[".envrc"].witness) == (State.LOST, Witness.INSIDE)
    assert (found[".vscode"].state, found["."].state) == (State.HOLDS, State.HOLDS)
    by_path.points.remove(f"{WORK}/.vscode")
    assert by_path.look()[".vscode"].witness is Witness.FIRST_PROCESS


def test_an_inside_that_shows_no_workspace_says_nothing(by_path: World) -> None:
    by_path.shown = {"/", "/proc"}
    all_hold(by_path)


def test_a_container_without_a_control_group_is_known_by_what_the_engine_mounts(
    world: World,
) -> None:
    (world.proc / str(SENTRY) / "cgroup").write_text("0::/\n")
    (world.proc / str(SENTRY) / "root").unlink()
    assert {each.state for each in world.look().values()} == {State.NOT_CHECKED}
    lines = [f"{n} 1 0:9 {world.path(p)} {p} ro - ext4 x rw\n" for n, p in enumerate(world.points)]
    lines.append(f"9 1 0:9 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 x rw\n")
    world.mountinfo(SENTRY, "".join(lines))
    subject = pins.subject(world.inspected())
    assert {each.state for each in pins.look(subject, str(world.proc))} == {State.HOLDS}


def test_the_outermost_mount_is_the_one_that_is_looked_for(world: World) -> None:
    described = world.inspected()
    described["Mounts"].append(
        {"Type": "bind", "Source": f"{world.host}/a", "Destination": f"{WORK}/a", "RW": True}
    )
    described["Mounts"].append(
        {"Type": "bind", "Source": f"{world.host}/a/b", "Destination": f"{WORK}/a/b", "RW": False}
    )
    above = {request.target: request.above for request in pin.requests(described)}
    assert above[f"{WORK}/a/b"] == f"{WORK}/a"
    assert above[f"{WORK}/a"] == WORK


def test_a_mount_table_is_parsed_as_the_kernel_writes_it() -> None:
    table = parse("1 0 0:5 /a\\040b /p\\134q rw - x y z\n2 0 0:6 / /p\\134q rw - x y z\nbroken\n")
    assert table == {"/p\\q": Mounted("0:6", "/")}
    assert place_of("/p\\q/r", table) == Mounted("0:6", "/r")


def lost_pin(name: str, target: str) -> Pin:
    return Pin(name, target, f"/h/{name}", State.LOST, Witness.GOFER, "gone")


def test_what_the_index_names_since_the_start_is_missing(by_path: World) -> None:
    by_path.host.joinpath(".git").mkdir()
    subprocess.run(["git", "init", "-q"], cwd=by_path.host, check=True)
    shut = {"Type": "bind", "Source": "/state", "Destination": f"{WORK}/.git", "RW": True}
    mounts = [*by_path.inspected()["Mounts"], shut]
    by_path.points.append(f"{WORK}/.git")
    assert "lib/.git" not in by_path.look(Mounts=mounts)
    words = ("--add", "--cacheinfo", f"160000,{'1' * 40},lib")
    subprocess.run(["git", "update-index", *words], cwd=by_path.host, check=True)
    missing = by_path.look(Mounts=mounts)["lib/.git"]
    assert (missing.state, missing.witness) == (State.MISSING, Witness.INDEX)
    assert (missing.target, missing.is_lost) == (f"{WORK}/lib/.git", True)
    assert pin.headline([missing]) == (
        "PIN MISSING: git on the host goes into `lib/.git` since the start (known by git's index on the host), "
        "and what runs inside can write there"
    )
    (by_path.host / ".git/index").write_bytes(b"\0\0\xe0\0" * 8)
    unknown = by_path.look(Mounts=mounts)[".git/index"]
    assert (unknown.state, unknown.why) == (
        State.NOT_CHECKED,
        "the index cannot be read: it has another form",
    )


def test_the_headline_names_the_outermost_and_counts_the_rest() -> None:
    assert pin.headline([]) == ""
    inner = lost_pin("a/b", "/w/a/b")
    one = pin.headline([inner, lost_pin("a", "/w/a")])
    assert one.startswith("PIN LOST: `a` was replaced or moved") and "a/b" not in one
    assert one.endswith("(known by the mounts of gVisor's gofer, seen from the host)")
    many = pin.headline([lost_pin(f"f{n}", f"/w/f{n}") for n in range(5)])
    assert "`f0`, `f1`, `f2` and 2 more were replaced" in many
    assert "still works on the old one" in pin.headline([lost_pin(".", "/w"), inner])


def test_what_never_had_a_pin_is_not_said_to_be_lost() -> None:
    def missing(name: str, witness: Witness) -> Pin:
        return Pin(name, f"/w/{name}", f"/h/{name}", State.MISSING, witness)

    named = missing("hooks", Witness.CONFIG)
    assert pin.headline([named], " in `login`") == (
        "PIN MISSING in `login`: git on the host acts upon `hooks` since the start (known by git's config on the "
        "host), and what runs inside can write there"
    )
    every = [named, missing("lib/.git", Witness.INDEX), lost_pin("a", "/w/a")]
    lost, others = pin.headline(every).split("; ")
    assert lost.startswith("PIN LOST: `a` was") and others.startswith("PIN MISSING: ")
    assert "goes into `lib/.git` since" in others and "acts upon `hooks` since" in others
