"""The host's own /proc: only a process of the very container counts, and only where it can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.observe import host_process
from sandboxd.observe.observer import _parse
from sandboxd.observe.process import of_files

ID = "c0ffee" * 10
STATUS = "Name:\tsh\nUid:\t1000\t1000\t1000\t1000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
MOUNTS = "1 0 0:1 / / rw - overlay overlay rw\n2 1 0:1 / /a\\040b ro,nosuid - tmpfs tmpfs rw\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    folder = tmp_path / "7"
    (folder / "attr").mkdir(parents=True)
    (folder / "net").mkdir()
    (folder / "cgroup").write_text(f"0::/docker-{ID}.scope\n")
    (folder / "status").write_text(STATUS)
    (folder / "mountinfo").write_text(MOUNTS)
    (folder / "limits").write_text("Limit  Soft Hard\nMax processes   64   128   processes\n")
    (folder / "net/route").write_text("Iface Destination\nlo 0000007F\neth0 00000000\n")
    return tmp_path


def inspected(pid: int = 7, identity: str = ID) -> dict[str, Any]:
    return {"Id": identity, "State": {"Pid": pid}}


def test_a_process_of_the_container(proc: Path) -> None:
    first = host_process.look(inspected(), str(proc))
    assert first is not None
    assert (first.user, first.status["Seccomp"], first.processes) == ("1000", "2", "64")
    assert first.mounts[1][:2] == ("/a b", ("ro", "nosuid"))
    assert first.routes == ("eth0 00000000",)


@pytest.mark.parametrize(
    "other", [inspected(identity="beef" * 16), inspected(pid=8), inspected(pid=0), {"Id": ID}, {}]
)
def test_a_number_of_somebody_else_is_nobody(proc: Path, other: dict[str, Any]) -> None:
    assert host_process.look(other, str(proc)) is None


def test_what_cannot_be_read_is_not_seen(proc: Path) -> None:
    (proc / "7/mountinfo").unlink()
    assert host_process.look(inspected(), str(proc)) is None


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (("runsc-sandbox", "--directfs=false", "boot", "--x", ID), ("--directfs=false",)),
        (("/usr/bin/runsc", "--a", "--b", "boot"), ("--a", "--b")),
        (("sh", "-c", "runsc-sandbox", "--directfs=false", "boot"), ()),
        (("runsc-sandbox", "--directfs=false"), ()),
        ((), ()),
    ],
)
def test_the_flags_of_a_gvisor_kernel(
    proc: Path, words: tuple[str, ...], flags: tuple[str, ...]
) -> None:
    (proc / "7/cmdline").write_text("\0".join(words))
    assert host_process.sentry(inspected(), str(proc)) == flags


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"1", b'{"status": 1}', b"[" * 100_000])
def test_an_observer_that_says_something_else_saw_nothing(text: bytes) -> None:
    assert _parse(text) is None


def test_a_process_is_nothing_without_what_matters() -> None:
    assert of_files({"status": STATUS}) is None
