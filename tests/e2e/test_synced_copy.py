"""A folder of the host and a copy of it in a volume are kept the same by the program inside, under runc and gVisor."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.forward.trunk import Trunk, open_program
from sandboxd.host.facts import HostFacts
from sandboxd.sync import program
from sandboxd.sync.engine import Ask, Event, Say, Show
from sandboxd.sync.flows import Policy
from sandboxd.sync.journal import Journal
from sandboxd.sync.remote import Ended, RemoteSide
from sandboxd.sync.retention import Retention
from sandboxd.sync.run import Report, Rest, keep_the_same
from sandboxd.sync.session import Pair, Session
from sandboxd.sync.state import Root
from sandboxd.sync.stops import Reason
from sandboxd.sync.watched import WatchedSide
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

WORK = "/work"


class Kept:
    """A folder of the host, and a container of user 1000 with a copy of it in a volume."""

    def __init__(self, api: Engine, runtime: str, image: str, base: Path) -> None:
        self.api, self.base, self.host = api, base, base / "host"
        self.host.mkdir()
        name = f"sandboxd-test-{secrets.token_hex(4)}"
        self.volume = name
        api.create_volume(name, {})
        mount = {"Type": "volume", "Source": name, "Target": WORK}
        self.container = api.create(
            name,
            {  # type: ignore[typeddict-item]
                "Image": image,
                "Cmd": ["sleep", "3600"],
                "User": "1000:1000",
                "HostConfig": {
                    "Runtime": runtime,
                    "CapDrop": ["ALL"],
                    "Mounts": [mount],
                    "Init": True,
                },
            },
        )
        api.put_folder(self.container, "", WORK[1:], 0o755, (1000, 1000))
        api.start(self.container)
        self.events: list[Event] = []
        self.put = self.events.append
        self.open()

    def open(self) -> None:
        """As a daemon that starts: it knows what the journal says."""
        self.trunk: Trunk = open_program(
            self.api, self.container, os.environ["XDG_CACHE_HOME"], program.text(WORK)
        )
        side = RemoteSide(self.trunk, Root(1, 1), lambda event: self.put(event))
        retention = Retention(str(self.base / "kept"))
        host = WatchedSide(str(self.host), retention, lambda event: self.put(event))
        self.remote, self.watched = side, host
        self.pair = Pair(host, side, Journal(str(self.base / "journal")), Policy(), (retention,))

    def close(self) -> None:
        self.remote.end()
        self.watched.hearing.end()
        self.trunk.close()
        self.watched.close()

    def end(self) -> None:
        self.close()
        self.api.remove(self.container)
        self.api.remove_volume(self.volume)

    def keep(self) -> Report:
        return keep_the_same(*self.pair[:4])

    def sh(self, script: str) -> str:
        """What a shell inside writes in its copy."""
        code, output = run_quietly(
            self.api, self.container, Exec(["sh", "-c", f"cd {WORK}; {script}"])
        )
        assert code == 0, output
        return output.decode()


@pytest.fixture
def kept(
    api: Engine, runtime: str, host_facts: HostFacts, busybox_image: str, tmp_path: Path
) -> Iterator[Kept]:
    gvisor = host_facts.proven_gvisor()
    assert gvisor is not None
    kept = Kept(api, gvisor.name if runtime == "gvisor" else "runc", busybox_image, tmp_path)
    yield kept
    kept.end()


def test_changes_pass_both_ways_and_what_acts_on_the_host_does_not(kept: Kept) -> None:
    for number in range(100):
        (kept.host / f"f{number}").write_text(f"{number}\n")
    (kept.host / "run").write_text("#!/bin/sh\necho it runs\n")
    (kept.host / "run").chmod(0o755)
    (kept.host / ".envrc").write_text("by the user\n")
    assert kept.keep().rest is Rest.SAME
    assert kept.sh("ls | wc -l; ./run; cat f99 .envrc") == "101\nit runs\n99\nby the user\n"
    (kept.host / "f1").write_text("edited on the host\n")
    (kept.host / "f2").unlink()
    kept.sh(
        "echo edited inside >f3; rm f4; mkdir -p d .git/hooks .vscode; echo new >d/new; chmod +x f5;"
        "echo x >.git/hooks/pre-commit; echo x >.vscode/tasks.json; echo x >.envrc; ln -s /etc/passwd out"
    )
    report = kept.keep()
    assert report.rest is Rest.SAME
    assert kept.sh("cat f1 f3; ls f2 2>&1 || true").splitlines()[:2] == [
        "edited on the host",
        "edited inside",
    ]
    assert (kept.host / "f3").read_text() == "edited inside\n"
    assert (kept.host / "d/new").read_text() == "new\n"
    assert os.access(kept.host / "f5", os.X_OK)
    assert not (kept.host / "f4").exists()
    assert (kept.host / ".envrc").read_text() == "by the user\n"
    for name in (".git", ".vscode", "out"):
        assert not os.path.lexists(kept.host / name), name
    assert {".envrc", ".vscode/tasks.json", "out"} <= {stay.path for stay in report.last.stays}


def test_of_a_conflict_both_are_kept(kept: Kept) -> None:
    (kept.host / "file").write_text("before\n")
    kept.keep()
    (kept.host / "file").write_text("of the host\n")
    kept.sh("echo of inside >file")
    (conflict,) = kept.keep().conflicts
    assert (kept.host / "file").read_text() == kept.sh("cat file") == "of the host\n"
    assert kept.sh(f"cat '{conflict.beside}'") == "of inside\n"
    assert (kept.host / conflict.beside).read_text() == "of inside\n"


def test_everything_removed_inside_is_asked_about(kept: Kept) -> None:
    for number in range(20):
        (kept.host / f"f{number}").write_text(f"{number}\n")
    kept.keep()
    kept.sh("rm -rf ./*")
    stop = kept.keep().last.stop
    assert stop is not None
    assert stop.reason is Reason.EMPTIED
    assert len(os.listdir(kept.host)) == 20


def test_a_restart_of_the_container_and_a_kill_of_the_reader_lose_nothing(kept: Kept) -> None:
    for number in range(30):
        (kept.host / f"f{number}").write_text(f"{number}\n")
    kept.keep()
    kept.close()
    kept.sh("echo while nobody looks >f1; rm f2")
    (kept.host / "f3").write_text("on the host meanwhile\n")
    kept.api.stop(kept.container, 1)
    kept.api.start(kept.container)
    kept.open()
    report = kept.keep()
    assert report.rest is Rest.SAME
    assert (report.conflicts, report.last.stays) == ((), ())
    assert (kept.host / "f1").read_text() == "while nobody looks\n"
    assert not (kept.host / "f2").exists()
    assert kept.sh("cat f3") == "on the host meanwhile\n"
    assert len(os.listdir(kept.host)) == 29


def test_the_end_of_the_container_ends_the_run(kept: Kept) -> None:
    (kept.host / "file").write_text("text\n")
    kept.keep()
    kept.api.stop(kept.container, 0)
    (kept.host / "file").write_text("edited\n")
    with pytest.raises(Ended):
        kept.keep()
    kept.api.start(kept.container)


def test_a_session_hears_of_what_either_side_writes(kept: Kept) -> None:
    notices: list[Ask | Say | Show] = []
    session = Session(kept.pair, notices.append)
    kept.put = session.put  # type: ignore[assignment]
    loops = (session.run, kept.remote.hearing.run, kept.watched.hearing.run)
    threads = [threading.Thread(target=loop) for loop in loops]
    (kept.host / "file").write_text("text\n")
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: kept.sh("cat file 2>/dev/null || true") == "text\n")
        kept.sh("echo edited >file; mkdir d; echo new >d/new")
        eventually(lambda: (kept.host / "file").read_text() == "edited\n")
        eventually(lambda: (kept.host / "d/new").exists())
        kept.sh("echo again >d/new")
        eventually(lambda: (kept.host / "d/new").read_text() == "again\n")
        (kept.host / "d/new").write_text("by the host\n")
        eventually(lambda: kept.sh("cat d/new") == "by the host\n")
    finally:
        session.end()
        kept.remote.end()
        kept.watched.hearing.end()
        for thread in threads:
            thread.join()
    assert not [each for each in notices if not isinstance(each, Show)]
