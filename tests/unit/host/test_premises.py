"""What is tried of a gVisor build: judged by what the host saw, remembered by the build, never assumed."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import connect_from
from sandboxd.host import held, premises
from sandboxd.host.facts import NOT_YET, PINS, HostFacts, Premise, Runtime, builds
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.host.memory import Memory, open_memory
from sandboxd.host.premise_folder import SOCKET, PremiseFolder
from sandboxd.host.premises import Subject
from sandboxd.host.program_files import build_of

HOSTS = Path(__file__).parents[2] / "hosts"
STOCK = Subject("runsc", "/usr/bin/runsc", (), "release-20260817.0", "1:2:3")
DONE = {"state": "done", "detail": ""}
MODULES = premises.load()


def outside(**changes: Any) -> dict[str, Any]:
    """What the host sees after attacks that did nothing."""
    files = {name: {"changed": False, "mode_changed": False} for name in (*MODULES, "file")}
    intact = {"files": files, "moved": False, "connections": 0, "arguments": []}
    return {**intact, "memory": 1 << 20, "processes": 3, "open_files": 8, **changes}


def holds(name: str, inside: dict[str, Any], seen_outside: dict[str, Any]) -> bool:
    return MODULES[name].judge(inside, seen_outside)[0]


@pytest.mark.parametrize("name", [*PINS])
def test_a_pin_is_judged_by_the_hosts_file_whatever_is_reported_inside(name: str) -> None:
    stopped = {"state": "stopped", "detail": "read-only file system"}
    assert holds(name, DONE, outside())
    for field in ("changed", "mode_changed"):
        damage = outside()
        damage["files"][name][field] = True
        expected = field == ("mode_changed" if name == "file_mode" else "changed")
        assert holds(name, DONE, damage) is not expected
    damage = outside()
    damage["files"][name] = {"changed": True, "mode_changed": True}
    assert not holds(name, stopped, damage)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_what_was_not_reported_does_not_hold(name: str) -> None:
    answer = premises.judge({}, outside())
    assert answer["premises"][name] == {"holds": False, "detail": "it was not reported"}
    unclear = {"state": "unclear", "detail": "no end within 5 s"}
    assert not holds(name, unclear, outside())


@pytest.mark.parametrize(
    ("name", "inside", "changes", "expected"),
    [
        ("exec_filter", {"mode": ["2"], "error": 1}, {}, True),
        ("exec_filter", {"mode": ["2"], "error": 0}, {}, False),
        ("exec_filter", {"mode": ["0"], "error": 1}, {}, False),
        ("exec_filter", {"mode": [], "error": 0}, {}, False),
        ("unknown_call", {"detail": "ENOSYS"}, {}, True),
        ("unknown_call", {"detail": "EPERM"}, {}, False),
        ("unknown_call", {"detail": "no error"}, {}, False),
        ("host_sockets", {}, {}, True),
        ("host_sockets", {}, {"connections": 1}, False),
        ("host_sockets", {}, {"connections": None}, False),
        ("folder_move", {}, {}, True),
        ("folder_move", {}, {"moved": True}, False),
        ("own_network", {}, {"arguments": ["--debug"]}, True),
        ("own_network", {}, {"arguments": ["--network=host"]}, False),
        ("own_network", {}, {"arguments": ["-network=host", "--network=sandbox"]}, True),
        ("limits", {"processes": 3, "open_files": 5}, {}, True),
        ("limits", {"processes": 7, "open_files": 5}, {}, False),
        ("limits", {"processes": 3, "open_files": 12}, {}, False),
        ("self_report", {"no_new_privileges": "1", "memory": 9, "version": "x-gvisor"}, {}, True),
        ("self_report", {"no_new_privileges": "", "memory": 9, "version": "x-gvisor"}, {}, False),
        (
            "self_report",
            {"no_new_privileges": "1", "memory": 1 << 21, "version": "x-gvisor"},
            {},
            False,
        ),
        ("self_report", {"no_new_privileges": "1", "memory": 9, "version": "4.4.0"}, {}, False),
    ],
)
def test_verdicts(
    name: str, inside: dict[str, Any], changes: dict[str, Any], expected: bool
) -> None:
    assert holds(name, {**DONE, **inside}, outside(**changes)) is expected


def test_the_host_sees_what_became_of_its_files_and_its_socket(tmp_path: Path) -> None:
    with PremiseFolder(("one", "two", "gone")) as folder:
        assert not any(file["changed"] for file in folder.look()["files"].values())
        Path(folder.folder, "one").write_text("")
        os.chmod(Path(folder.folder, "two"), 0o640)
        Path(folder.folder, "gone").unlink()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.path.join(folder.folder, SOCKET))
            look = folder.look()
    assert look["connections"] == 1
    assert look["files"] == {
        "one": {"changed": True, "mode_changed": False},
        "two": {"changed": False, "mode_changed": True},
        "gone": {"changed": True, "mode_changed": True},
        "file": {"changed": False, "mode_changed": False},
    }
    assert not os.path.exists(folder.folder)


def test_the_folder_knows_whether_what_is_pinned_was_moved() -> None:
    with PremiseFolder(()) as folder:
        assert not folder.look()["moved"]
        os.rename(folder.pinned, f"{folder.pinned}.moved")
        assert folder.look()["moved"]
        # Another in its place is no excuse.
        os.mkdir(folder.pinned)
        assert folder.look()["moved"]


def test_what_takes_the_place_of_a_file_counts_as_changed_and_holds_nobody_up() -> None:
    with PremiseFolder(("pipe", "link")) as folder:
        for name in ("pipe", "link"):
            Path(folder.folder, name).unlink()
        os.mkfifo(Path(folder.folder, "pipe"), 0o666)
        Path(folder.folder, "link").symlink_to(folder.file)
        assert all(folder.look()["files"][name]["changed"] for name in ("pipe", "link"))


def test_other_users_of_the_machine_do_not_come_to_the_files() -> None:
    """All folders on the way can be passed, so one of them has a name that nobody else can list."""
    with PremiseFolder(()) as folder:
        private = Path(folder.folder).parent
        assert stat.S_IMODE(private.parent.stat().st_mode) == 0o711
        assert private.name not in private.parent.name and len(private.name) == 16


@pytest.mark.parametrize("field", Subject._fields)
def test_another_build_or_definition_is_another_subject(field: str) -> None:
    memory = Memory(None)
    answer = {"premises": {"limits": {"holds": True, "detail": "x"}}, "message": ""}
    memory.put(premises.key("engine", STOCK, "6.18"), answer)
    assert premises.recall("engine", [STOCK], "6.18", memory) == {"runsc": answer}
    assert premises.recall("engine", [STOCK], "6.19", memory) == {}
    assert premises.recall("other", [STOCK], "6.18", memory) == {}
    other = {**STOCK._asdict(), field: ("--debug",) if field == "args" else "other"}
    assert premises.recall("engine", [Subject(**other)], "6.18", memory) == {}


def test_a_failure_to_try_is_believed_for_a_while_and_counts_as_nothing_held(
    own_home: Path,
) -> None:
    memory = Memory(None)
    engine = connect_from({"DOCKER_HOST": f"unix://{own_home}/none.sock"})
    answers = premises.run(engine, {"ID": "e"}, [STOCK], "6.18", memory, None)
    assert answers["runsc"]["premises"] == {}
    assert "there is no container engine" in answers["runsc"]["message"]
    assert premises.recall("e", [STOCK], "6.18", memory) == answers
    a_minute_ago = {**answers["runsc"], "at": answers["runsc"]["at"] - 61}
    memory.put(premises.key("e", STOCK, "6.18"), a_minute_ago)
    assert premises.recall("e", [STOCK], "6.18", memory) == {}


def host(name: str) -> HostFacts:
    return from_raw(json.loads((HOSTS / f"{name}.json").read_text()))


def runtime(facts: HostFacts, name: str) -> Runtime:
    assert facts.engine is not None
    entry = facts.engine.runtime(name)
    assert entry is not None
    return entry


def test_under_the_build_of_2024_the_runtime_without_directfs_is_chosen() -> None:
    facts = host("debian-13-gvisor-2024")
    stock, ours = runtime(facts, "runsc"), runtime(facts, "runsc-sandboxd")
    assert not stock.pins_hold() and ours.pins_hold()
    assert facts.usable_gvisor() == ours
    assert "no filter in what `exec`" in builds.shortfall(ours)
    assert "3-4 x" in builds.shortfall(ours)
    assert "a plain read-only folder does not hold" in builds.shortfall(stock)


def test_under_the_build_of_2026_the_stock_runtime_is_chosen_and_nothing_is_weaker() -> None:
    facts = host("debian-13-gvisor-2026")
    best = facts.usable_gvisor()
    assert best is not None and best.name == "runsc"
    assert best.pins_hold() and not best.directfs_off() and best.holds("exec_filter")
    assert builds.shortfall(best) == ""


def test_what_was_tried_goes_before_what_the_arguments_promise() -> None:
    off = Runtime("runsc-sandboxd", "/r", ("--directfs=false",), usable=True, gvisor=True)
    assert off.pins_hold(), "as decision 3 says, where nothing was tried"
    broken = off._replace(premises=(Premise("folder_truncate", False, "emptied"),))
    assert not broken.pins_hold()
    stock = Runtime("runsc", "/r", usable=True, gvisor=True)
    assert not stock.pins_hold(), "nothing was tried"
    good = stock._replace(premises=tuple(Premise(name, True, "") for name in PINS))
    assert good.pins_hold()
    assert not good._replace(premises=good.premises[1:]).pins_hold()


@pytest.mark.parametrize(
    ("held", "expected"),
    [((), False), (("folder_move",), True), (("exec_filter",), True), (PINS, False)],
)
def test_a_mount_point_stays_one_by_itself_or_by_a_filter_in_exec(
    held: tuple[str, ...], expected: bool
) -> None:
    stock = Runtime("runsc", "/r", usable=True, gvisor=True)
    every = ("folder_move", "exec_filter", *PINS)
    tried = stock._replace(premises=tuple(Premise(name, name in held, "") for name in every))
    assert tried.keeps_mount_points() is expected
    assert not stock.keeps_mount_points(), "nothing was tried"
    assert stock._replace(args=("--directfs=false",)).keeps_mount_points()


def test_a_build_that_nobody_tried_is_named_until_it_is() -> None:
    raw = json.loads((HOSTS / "debian-13-gvisor-2024.json").read_text())
    assert not from_raw(raw).has_untried_build
    del raw["engine"]["premises"]["runsc"]
    facts = from_raw(raw)
    assert facts.has_untried_build
    assert runtime(facts, "runsc").premises_untried == NOT_YET
    raw["engine"]["premises"]["runsc"] = {"premises": {}, "message": "no space left"}
    assert not from_raw(raw).has_untried_build, "a failure is not tried all the time"


def test_every_premise_says_what_it_is_and_what_follows() -> None:
    assert len(MODULES) >= 9 and set(PINS) < set(MODULES)
    for name, module in MODULES.items():
        assert module.TITLE and len(module.PLAN) == 2, name
        text = str(module.__doc__)
        assert "Attack:" in text and "Seen:" in text, name


def test_what_a_build_held_is_recalled_for_this_program_alone(own_home: Path) -> None:
    program = own_home / "runsc"
    program.write_text("one")
    program.chmod(0o755)
    entry = {"path": str(program), "runtimeArgs": ["--network=host"]}
    info = {"ID": "e", "KernelVersion": "6.18", "Runtimes": {"runsc": entry}}
    memory = open_memory(os.environ)
    held.keep(memory, info, "runsc", build_of(str(program)), ["limits", "exec_filter"])
    memory.save()
    assert held.recall(os.environ, info, "runsc") == {"limits", "exec_filter"}
    assert held.recall(os.environ, info, "other") == frozenset()
    others = [{**info, "KernelVersion": "6.19"}, {**info, "ID": "f"}]
    others.append({**info, "Runtimes": {"runsc": {**entry, "runtimeArgs": []}}})
    assert [held.recall(os.environ, other, "runsc") for other in others] == [frozenset()] * 3
    program.write_text("another")
    assert held.recall(os.environ, info, "runsc") == frozenset()
