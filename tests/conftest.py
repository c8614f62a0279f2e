"""What every test may rely on: a home of its own, and, where the machine can, a real engine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import docker
import pytest
from hypothesis import HealthCheck, settings

from tests.homes import Homes, environ
from tests.patience import PATIENCE
from tools.engine import packages, private, processes
from tools.private_engine import import_busybox_image

pytest_plugins = ("tests.alone", "tests.expected", "tests.reads", "tests.recorder", "tests.tiers")

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI") == "true"

# A test with one of these that is skipped has shown nothing: in CI it counts as failed, unless
# `./dev test` found beforehand that this machine cannot have what the test needs.
MUST_RUN_IN_CI = ("engine", "gvisor", "node", "editor", "shell", "agents")
# A test that has one of these fixtures counts as marked: the fixture may skip it.
_MARKED_BY = {"engine": "engine", "own_engines": "engine", "runsc": "gvisor"}
LACKS = json.loads(os.environ.get("SANDBOXD_TEST_LACKS", "[]"))
EXCUSED = {marker for lack in LACKS for marker in lack["markers"]}


# A machine that has other things to do is slow: how long an example takes says nothing.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("suite"), derandomize=True)
settings.register_profile("quick", settings.get_profile("same"), max_examples=20)
settings.load_profile("suite")


_OWN_FOLDER = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the run a folder of its own, and the children of tests the usual signals, however it was started.

    The folder that runs of pytest share is shut for other users by each run that begins: also for the owners of
    workspaces, as whom the tests of another run just work.

    `command &` in a script ignores SIGINT and SIGQUIT, nohup SIGHUP, and children inherit that. A
    handler is not inherited. The tests themselves go on ignoring the signal.
    """
    if not config.option.basetemp and not hasattr(config, "workerinput"):
        folder = tempfile.mkdtemp(prefix="tests-")
        config.option.basetemp = config.stash[_OWN_FOLDER] = folder
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_IGN:
                signal.signal(number, lambda _number, _frame: None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep the folder of a run for whoever looks at what failed."""
    folder = session.config.stash.get(_OWN_FOLDER, "")
    if folder and not session.testsfailed:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def all_homes(homes: Path) -> Homes:
    """The homes of all tests."""
    return Homes(homes)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the homes of all tests are; a process that still lives in one at the end is a leak."""
    # pytest chooses its own folder when it first needs one: not below a test's home.
    tmp_path_factory.getbasetemp()
    folder = Path(tempfile.mkdtemp(prefix="sbx-"))
    # As a home and `/tmp` are: what lies below has a mode of its own, and attempts may look for it.
    folder.chmod(0o711)
    yield folder
    # One that was told to end may be about to.
    processes.wait_until(lambda: not processes.with_home(str(folder), below=True), PATIENCE)
    left = processes.with_home(str(folder), below=True)
    names = [" ".join(processes.command_line(pid))[:200] for pid in left]
    processes.end(left)
    shutil.rmtree(folder, ignore_errors=True)
    assert names == [], "tests left these processes running"


@pytest.fixture(autouse=True)
def own_home(all_homes: Homes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, XDG folders and no Docker settings: no test reads or writes the user's."""
    home = all_homes.take()
    for name in [name for name in os.environ if name.startswith(("DOCKER_", "SANDBOXD_"))]:
        if not name.startswith("SANDBOXD_TEST_"):
            monkeypatch.delenv(name)
    # Tests that are about the start of a daemon take SANDBOXD_NO_DAEMON out.
    for name, value in environ(home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", os.environ["TMPDIR"])
    yield home
    # `sandboxd daemon start` starts one, as it should.
    if (home / "run" / f"sandboxd-{os.getuid()}-2").exists():
        processes.wait_until(lambda: _all_ended(home), PATIENCE)
    all_homes.put_back(home)


def _all_ended(home: Path) -> bool:
    """Kill what lives in a home; True once nothing does."""
    left = processes.with_home(str(home))
    processes.end(left)
    return not left


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """The DOCKER_HOST of an engine for tests: the one of SANDBOXD_TEST_DOCKER_HOST, or a private one."""
    given = os.environ.get("SANDBOXD_TEST_DOCKER_HOST")
    if given:
        yield given
        return
    reason = _no_engine_reason()
    if reason:
        pytest.skip(f"no Docker engine for tests: {reason}")
    private.sweep()
    started = private.start(f"test-{os.getpid()}", owner=os.getpid())
    try:
        yield started.docker_host
    finally:
        private.stop(started.folder)


@pytest.fixture(scope="session")
def own_engines() -> None:
    """For tests that start engines themselves: skipped where nobody may start one."""
    if reason := _no_engine_reason():
        pytest.skip(f"no Docker engine of the test's own: {reason}")


@pytest.fixture(scope="session")
def busybox_image(engine: str) -> str:
    """Tag of a small local image: busybox, users root and dev (1000), /workspace."""
    return import_busybox_image(engine)


@pytest.fixture(scope="session")
def runsc(engine: str) -> str:
    """Name of the registered gVisor runtime whose read-only mounts hold."""
    with contextlib.closing(docker.DockerClient(base_url=engine, timeout=PATIENCE)) as client:
        names = client.info()["Runtimes"]
    if "runsc-sandboxd" not in names:
        pytest.skip("no gVisor: the engine has no runtime `runsc-sandboxd`")
    return "runsc-sandboxd"


@pytest.fixture
def demo_project(tmp_path: Path) -> Path:
    """A copy of the demo's weak project."""
    return Path(shutil.copytree(ROOT / "tools" / "demo" / "project", tmp_path / "weather"))


@pytest.fixture(autouse=True)
def _what_the_markers_need(request: pytest.FixtureRequest, own_home: Path) -> None:
    if request.node.get_closest_marker("engine"):
        request.getfixturevalue("engine")
    if request.node.get_closest_marker("gvisor"):
        request.getfixturevalue("runsc")
    if request.node.get_closest_marker("node"):
        for program in ("node", "npx"):
            if shutil.which(program) is None:
                pytest.skip(f"no `{program}`: install nodejs and npm")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        marks = [name for name in MUST_RUN_IN_CI if item.get_closest_marker(name)]
        marks += [
            _MARKED_BY[name] for name in getattr(item, "fixturenames", ()) if name in _MARKED_BY
        ]
        if marks and not EXCUSED.intersection(marks):
            report.outcome = "failed"
            report.longrepr = f"must not be skipped in CI: {_reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", ()))
    if reasons or LACKS:
        terminalreporter.section("NOT CHECKED on this machine", sep="!", red=True)
        for lack in LACKS:
            terminalreporter.write_line(f"  without {lack['text']}")
        for reason, count in reasons.most_common():
            terminalreporter.write_line(f"{count:4d} tests: {reason}")


def _reason(report: pytest.TestReport) -> str:
    where = report.longrepr
    return where[2].removeprefix("Skipped: ") if isinstance(where, tuple) else str(where)


def _no_engine_reason() -> str:
    if sys.platform != "linux":
        return "a private engine needs Linux"
    if os.geteuid() != 0:
        return "a private engine needs root; or set SANDBOXD_TEST_DOCKER_HOST"
    missing = [name for name in packages.missing() if name in packages.REQUIRED]
    if missing:
        return f"missing {', '.join(missing)}; run `CI=true ./dev setup --tests`"
    return ""
