"""Whole runs: what they leave out, what comes first, what may fail, and that what a test costs is recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import recorder, tiers
from tests.tiers import Part, Quarantined, Tier
from tools.suite import recorded

ROOT = Path(__file__).resolve().parents[3]

PLUGIN = """
from pathlib import Path
from tests import tiers

tiers.ROOT = Path({folder!r})
tiers.parts = lambda: (
    tiers.Part("kills", "ends", ("test_kills.py", "test_two.py::test_b")),
    tiers.Part("hours", "for long", ("test_hours.py",)),
)
tiers.quarantine = lambda: (tiers.Quarantined("test_two.py::test_a", "2026-11-30", "now and then"),)
tiers.recorded_times = lambda: {{"test_one.py": 1.0, "test_two.py": 5.0, "test_kills.py": 9.0,
                               "test_hours.py": 0.5}}
pytest_addoption, pytest_configure = tiers.pytest_addoption, tiers.pytest_configure
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Four files of tests, with lists of their own."""
    (tmp_path / "lists_of_test.py").write_text(PLUGIN.format(folder=str(tmp_path)))
    (tmp_path / "test_one.py").write_text("def test_it(): pass\n")
    (tmp_path / "test_two.py").write_text("def test_a(): pass\ndef test_b(): pass\n")
    (tmp_path / "test_kills.py").write_text("def test_it(): pass\n")
    (tmp_path / "test_hours.py").write_text("def test_it(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nxfail_strict = true\n")
    return tmp_path


def run(folder: Path, tier: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "-p", "lists_of_test", "--tier", tier, *words],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{folder}",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def order(done: subprocess.CompletedProcess[str]) -> list[str]:
    lines = [line.split()[0] for line in done.stdout.splitlines() if "%]" in line]
    return [line for line in lines if "::" in line]


def test_a_tier_leaves_out_what_a_part_names_and_begins_with_what_takes_longest(
    suite: Path,
) -> None:
    done = run(suite, tiers.PROMISES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert order(done) == ["test_two.py::test_a", "test_one.py::test_it"]
    done = run(suite, tiers.EVERYTHING)
    assert order(done) == [
        "test_kills.py::test_it",
        "test_two.py::test_a",
        "test_two.py::test_b",
        "test_one.py::test_it",
        "test_hours.py::test_it",
    ]


def test_a_part_that_is_asked_for_runs_with_the_promises(suite: Path) -> None:
    done = run(suite, tiers.PROMISES, "--part", "hours")
    assert done.returncode == 0, done.stdout + done.stderr
    assert order(done) == [
        "test_two.py::test_a",
        "test_one.py::test_it",
        "test_hours.py::test_it",
    ]


def test_a_quarantined_test_that_fails_is_shown_and_fails_no_run(suite: Path) -> None:
    (suite / "test_two.py").write_text("def test_a(): assert 'weather' == 'fine'\n")
    done = run(suite, tiers.EVERYTHING)
    assert done.returncode == 0 and "1 xfailed" in done.stdout, done.stdout
    assert "QUARANTINE: 1 failed, 0 passed" in done.stdout
    assert "assert 'weather' == 'fine'" in done.stdout
    assert "failed: test_two.py::test_a" in done.stdout


def test_a_quarantined_test_that_passes_is_named(suite: Path) -> None:
    done = run(suite, tiers.EVERYTHING)
    assert done.returncode == 0 and "1 xpassed" in done.stdout, done.stdout
    assert "QUARANTINE: 0 failed, 1 passed" in done.stdout
    assert "passed: test_two.py::test_a" in done.stdout


BREAKS = """
import pytest
@pytest.fixture(autouse=True)
def it():
    {before}
    yield
    {after}
def test_a(): pass
"""


def test_what_it_is_set_up_with_may_fail_and_what_all_tests_end_with_may_not(suite: Path) -> None:
    (suite / "test_two.py").write_text(BREAKS.format(before="1 / 0", after="pass"))
    assert run(suite, tiers.EVERYTHING).returncode == 0
    (suite / "test_two.py").write_text(BREAKS.format(before="pass", after="1 / 0"))
    assert run(suite, tiers.EVERYTHING).returncode == 1


def test_no_other_test_may_fail(suite: Path) -> None:
    (suite / "test_one.py").write_text("def test_it(): assert False\n")
    assert run(suite, tiers.EVERYTHING).returncode == 1
    assert run(suite, tiers.PROMISES).returncode == 1


def test_it_works_where_several_processes_share_the_tests(suite: Path) -> None:
    (suite / "test_two.py").write_text("def test_a(): assert False\n")
    done = run(suite, tiers.PROMISES, "-p", "xdist", "-n", "2", "--dist", "loadfile")
    assert done.returncode == 0 and "1 passed, 1 xfailed" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("name", "test", "meant"),
    [
        ("tests/a", "tests/a/test_x.py::test_y", True),
        ("tests/a/test_x.py", "tests/a/test_x.py::test_y[1]", True),
        ("tests/a/test_x.py::test_y", "tests/a/test_x.py::test_y[1]", True),
        ("tests/a/test_x.py::test_y[1]", "tests/a/test_x.py::test_y[1]", True),
        ("tests/a/test_x.py::test_y[1]", "tests/a/test_x.py::test_y[2]", False),
        ("tests/a/test_x.py::test_y", "tests/a/test_x.py::test_yes", False),
        ("tests/a", "tests/ab/test_x.py", False),
        ("tests/a/test_x.py::[runc]", "tests/a/test_x.py::test_y[runc]", True),
        ("tests/a/test_x.py::[runc]", "tests/a/test_x.py::test_y[1-runc-True]", True),
        ("tests/a/test_x.py::[runc]", "tests/a/test_x.py::test_y[runc2]", False),
        ("tests/a/test_x.py::[runc]", "tests/a/test_x.py", False),
        ("tests/a/test_x.py::[runc]", "tests/a/test_z.py::test_y[runc]", False),
    ],
)
def test_a_name_means_itself_and_what_it_holds(name: str, test: str, meant: bool) -> None:
    assert tiers.names(name, test) is meant


def test_what_others_show_too_runs_where_a_machine_lacks_those(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = [Part("runc", "the same under runc", ("tests/a.py",), "gvisor")]
    path = tiers.ROOT / "tests" / "a.py"
    assert Tier(tiers.PROMISES, parts, ()).pytest_ignore_collect(path) is True
    lacks = [{"text": "runsc", "markers": ["gvisor"]}]
    monkeypatch.setenv("SANDBOXD_TEST_LACKS", json.dumps(lacks))
    assert Tier(tiers.PROMISES, parts, ()).pytest_ignore_collect(path) is None


def test_the_lists_are_read(tmp_path: Path) -> None:
    (tmp_path / "tiers.toml").write_text('[kills]\nwhat = "ends"\ntests = ["a", "b"]\n')
    (tmp_path / "quarantine.toml").write_text(
        '[[test]]\nname = "a"\nsince = 2026-11-30\nseen = "once"\n'
    )
    assert tiers.parts(tmp_path) == (Part("kills", "ends", ("a", "b")),)
    rows = tiers.quarantine(tmp_path)
    assert rows == (Quarantined("a", "2026-11-30", "once"),)
    assert Tier(tiers.EVERYTHING, (), rows).row("a::test_it") == rows[0]
    assert Tier(tiers.EVERYTHING, (), rows).row("b::test_it") is None


READS = """
from pathlib import Path
HERE = Path(__file__).parent
(HERE / "pages" / "one.md").read_text()
def test_reads():
    assert (HERE / "data" / "a.json").read_text() == ""
    assert list((HERE / "empty").iterdir()) == []
def test_does_not():
    __import__("module")
"""


def test_the_folders_that_a_file_of_tests_reads_are_recorded(tmp_path: Path) -> None:
    for name in ("pages/one.md", "data/a.json", "unread/b.json", "module.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "test_reads.py").write_text(READS)
    (tmp_path / "lists_of_test.py").write_text(
        "from pathlib import Path\nfrom tests.reads import Reads\n"
        "def pytest_configure(config):\n"
        "    config.pluginmanager.register(Reads(Path('main-reads.json'), Path.cwd()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "lists_of_test", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{tmp_path}",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert recorded.reads(tmp_path) == {"test_reads.py": ["data", "empty", "pages"]}


COSTS = """
import subprocess, time, pytest
@pytest.fixture(scope="module")
def slow():
    time.sleep(0.2)
@pytest.fixture
def outer(slow):
    pass
def test_starts(outer):
    subprocess.run(["sleep", "0.1"], check=True)
def test_counts(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 1e9)
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
"""


def test_what_tests_fixtures_and_processes_cost_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "test_costs.py").write_text(COSTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    words = ["-p", "tests.recorder", "--record", str(tmp_path / "record"), "-q", str(tmp_path)]
    # What it records is called after the worker of xdist that it would be.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_XDIST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=tmp_path,
        env={**environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    starts, counts = recorded.read(tmp_path / "record")
    assert starts["test"] == "test_costs.py::test_starts"
    fixtures = {name: (scope, wall) for name, scope, wall, _ in starts["fixtures"]}
    assert fixtures["slow"][0] == "module" and fixtures["slow"][1] >= 0.2
    # What it waited for is counted once, whatever else the machine had to do.
    outer, setup = fixtures.get("outer", ("function", 0.0))[1], starts["phases"]["setup"][0]
    assert fixtures["slow"][1] + outer <= setup + 0.001
    ((program, wall, processor),) = starts["processes"]
    assert program == "sleep" and wall >= 0.1 > processor
    assert counts["phases"]["call"][1] >= 0.15
    assert all(0 <= wall < 1e6 for wall, _ in counts["phases"].values())
    lines = (tmp_path / "record" / "main.jsonl").read_text().splitlines()
    assert "session" in json.loads(lines[-1])


def test_the_clock_leaves_no_control_group_behind() -> None:
    code = (
        "import os\nfrom tests.recorder import Clock\nclock = Clock()\nclock.read()\n"
        "print(os.getpid())\nclock.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    name = f"sandboxd-tests-{done.stdout.strip()}"
    # Not `glob`: groups of other processes come and go meanwhile.
    assert not [folder for folder, _, _ in os.walk(recorder._ROOT) if folder.endswith(f"/{name}")]
