"""The status screen: only what was observed is called in force, and every step has its hint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.host.advisories.versions import warnings
from sandboxd.host.facts import Component, Engine, HostFacts, Runtime
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.model.container import Container, Mount, Pair, SecurityOption
from sandboxd.model.labels import EGRESS, PROJECT
from sandboxd.model.values import Origin, Value
from sandboxd.observe.control import STATES, Control
from sandboxd.plan.container_name import container_name
from sandboxd.status import as_json, machine, text
from sandboxd.status.combine import Examined, combine
from sandboxd.status.glance import glance
from sandboxd.status.model import Counts, DaemonLine, ProjectStatus, StatusReport, Verification
from sandboxd.status.observe import Observed, Sandbox
from sandboxd.status.settings import network, settings

HOSTS = Path(__file__).parents[2] / "hosts"
PLAN = Origin("plan", "test")
DAEMON = DaemonLine(True, "1.2.3", 42, 1, "events")


def container(**fields: object) -> Container:
    return Container("c", None, **fields)  # type: ignore[arg-type]


def value(item: object) -> Value[object]:
    return Value(item, PLAN)


ASKED = container(runtime=value("runsc"), cap_drop=(value("ALL"),), cap_add=(value("CHOWN"),))
SEEN = Sandbox(
    True,
    ASKED,
    (
        Control("own kernel", "in force", "boot_id is not the host's"),
        Control("seccomp", "not in force", "Seccomp is 0"),
        Control("no-new-privileges", "not seen", "the host's /proc is closed"),
        Control("network", "open", "`bridge`: host services and DNS reachable"),
        Control("cpu limit", "left out", "none is set"),
    ),
)


def screen(
    *projects: ProjectStatus,
    here: str = "",
    host: HostFacts | None = None,
    form: text.Form = "long",
) -> str:
    report = StatusReport(DAEMON, host, projects, here=here)
    return text.render(report, form, colour=False, columns=80)


def test_a_running_container_shows_what_was_seen_inside() -> None:
    row = combine("/p", Examined(profile="dev", request=ASKED), Observed({"/p": SEEN}))
    assert row.state == "running"
    assert row.drift == ()
    shown = screen(row)
    assert "in force     own kernel\n" in shown
    assert "not in force seccomp: Seccomp is 0" in shown
    assert "not seen     no-new-privileges" in shown
    assert "open         network: " in shown
    assert "left out     cpu limit" in shown
    assert "drift        none" in shown
    assert "hint: `sandboxd verify`" in shown


@pytest.mark.parametrize(
    ("observed", "state"),
    [
        (Observed({}), "not created"),
        (Observed({"/p": Sandbox(False)}), "stopped"),
        (Observed({}, "no engine", "start it"), "unknown"),
    ],
)
def test_without_a_running_container_nothing_is_in_force(observed: Observed, state: str) -> None:
    row = combine("/p", Examined(profile="dev", request=ASKED), observed)
    assert row.state == state
    assert row.in_force is None and row.drift is None
    shown = screen(row).lower()
    assert "nothing observed" in shown
    assert "protected" not in shown and "safe" not in shown


def test_drift_is_named_with_both_values() -> None:
    live = container(runtime=value("runc"), cap_drop=(value("ALL"),), cap_add=(value("CHOWN"),))
    row = combine("/p", Examined(request=ASKED), Observed({"/p": Sandbox(True, live)}))
    assert row.drift == ("runtime: planned runsc, found runc",)
    assert "makes the container what was asked for" in row.hint


def test_a_config_that_cannot_be_used_is_the_first_thing_said() -> None:
    broken = Examined(valid=False, problem="`image` is wrong", hint="correct it")
    row = combine("/p", broken, Observed({"/p": SEEN}))
    assert row.state == "invalid config"
    assert row.in_force is not None, "what runs goes on running"
    shown = screen(row)
    assert "problem      `image` is wrong" in shown
    assert shown.endswith("hint: correct it\n")


def test_a_missing_folder_is_missing_whatever_runs() -> None:
    assert combine("/p", Examined(exists=False), Observed({"/p": SEEN})).state == "missing"


def test_the_project_of_the_caller_is_told_in_full_the_others_in_short() -> None:
    rows = [combine(path, Examined(request=ASKED), Observed({})) for path in ("/a", "/b", "/c")]
    shown = screen(*rows, here="/b")
    assert shown.index("/b") < shown.index("/a") < shown.index("/c")
    assert shown.count("  asked ") == 1


def test_the_step_of_another_project_says_whose_it_is() -> None:
    here = combine("/a", Examined(), Observed({}))._replace(hint="")
    other = combine("/b", Examined(valid=False, problem="x", hint="mend it"), Observed({}))
    assert screen(here, other, here="/a").endswith("hint: for `/b`: mend it\n")
    assert screen(here, other, here="/b").endswith("hint: mend it\n")


def test_a_project_that_is_not_kept_says_so() -> None:
    row = combine("/p", Examined(request=ASKED), Observed({}))._replace(keeps=False)
    assert "does not keep it generated" in screen(row)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (None, "open: host services and DNS reachable"),
        ("bridge", "open: host services and DNS reachable"),
        ("my-network", "open: host services and DNS reachable"),
        ("none", "none"),
        ("host", "host: the host's own network, nothing is separated"),
        ("container:x", "container:x: what that container reaches"),
    ],
)
def test_the_truth_about_networks(mode: str | None, words: str) -> None:
    assert network(container(network=value(mode) if mode else None)) == words


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "engine's default"),
        ({"cap_drop": (value("ALL"),)}, "none"),
        ({"cap_drop": (value("ALL"),), "cap_add": (value("B"), value("A"))}, "A, B"),
        ({"cap_add": (value("ALL"),), "cap_drop": (value("ALL"),)}, "all"),
        ({"privileged": value(True), "cap_drop": (value("ALL"),)}, "all (privileged)"),
        ({"cap_add": (value("X"),), "cap_drop": (value("Y"),)}, "engine's default + X - Y"),
    ],
)
def test_capabilities_in_words(fields: dict[str, object], words: str) -> None:
    assert settings(container(**fields))["capabilities"] == words


@pytest.mark.parametrize(
    ("options", "seccomp", "privileges"),
    [
        ((), "engine's default", "off"),
        ((("seccomp", "unconfined"),), "unconfined", "off"),
        ((("seccomp", "profile sha256:ab"), ("no-new-privileges", "true")), "profile", "on"),
        ((("seccomp", "/a/b.json"), ("no-new-privileges", "false")), "profile", "off"),
    ],
)
def test_security_options_in_words(
    options: tuple[tuple[str, str], ...], seccomp: str, privileges: str
) -> None:
    words_by_name = settings(
        container(security_opt=tuple(value(SecurityOption(*o)) for o in options))
    )
    assert (words_by_name["seccomp"], words_by_name["no-new-privileges"]) == (seccomp, privileges)


@pytest.mark.parametrize(
    ("mounts", "words"),
    [
        ((), "not known"),
        ((Mount("bind", "/p", "/workspaces/p"),), "the host's folder"),
        (
            (
                Mount("bind", "/p", "/sandboxd/workspace", read_only=True),
                Mount("tmpfs", "", "/workspaces/p"),
            ),
            "a private copy (`sandboxd review` brings changes)",
        ),
    ],
)
def test_where_the_work_is_done_in_words(mounts: tuple[Mount, ...], words: str) -> None:
    words_by_name = settings(container(mounts=tuple(value(mount) for mount in mounts)))
    assert words_by_name["workspace"] == words


INNER = container_name("/w/app")


def behind_gateway(name: str, mode: str) -> Container:
    labels = {EGRESS: INNER, PROJECT: "/w/app"}
    return Container(
        name,
        None,
        network=Value(mode, PLAN),
        labels=tuple(Value(Pair(*item), PLAN) for item in labels.items()),
    )


def test_a_plan_by_name_says_so_whatever_an_editor_would_give() -> None:
    assert network(behind_gateway("", "none")) == "names through the gateway"
    assert network(behind_gateway("box", "none")) == "none"


def test_whoever_started_it_the_inner_network_of_its_project_is_the_gateways() -> None:
    for name in (INNER, "name-of-an-editor"):
        assert network(behind_gateway(name, INNER)) == "names through the gateway"
        assert network(behind_gateway(name, "bridge")).startswith("open: on bridge")
        assert network(behind_gateway(name, name + "x")).startswith("open: on ")


def test_the_next_step_without_a_gateway_puts_it_back() -> None:
    gone = Control("network", "not in force", "its gateway is not there")
    live = behind_gateway("box", INNER)
    row = combine("/p", Examined(stale=True), Observed({"/p": Sandbox(True, live, (gone,))}))
    assert row.hint == "`sandboxd up` puts its gateway back"
    assert "denials      not known: nothing was heard from its gateway" in screen(row)


def test_hosts_name_each_runtime_and_why_not() -> None:
    runtimes = (
        Runtime("runc", "runc", usable=True, gvisor=False),
        Runtime("runsc", "runsc", usable=False, why="plain network mode fails"),
        Runtime("crun", "crun"),
    )
    engine = Engine("unix:///x", kind="docker", version="26.1", runtimes=runtimes)
    shown = " ".join(screen(host=HostFacts(engine=engine)).split())
    assert "runc starts containers" in shown
    assert "runsc not usable: plain network mode fails" in shown
    assert "crun not tried" in shown
    broken = Engine("unix:///x", error="permission denied", hint="join the group")
    shown = screen(host=HostFacts(engine=broken))
    assert "no container engine: permission denied" in shown
    assert shown.endswith("hint: join the group\n")


def test_ways_out_are_counted_by_their_numbers() -> None:
    engine = Engine("unix:///x", kind="docker", components=(Component("runc", "1.2.5"),))
    facts = HostFacts(system="Linux", engine=engine)
    numbers = [n for w in warnings(facts) if not w.condition for n in w.advisory.ids]
    assert len(numbers) > 2, "several in one entry"
    shown = " ".join(screen(host=facts).split())
    assert f"{len(numbers)} known ways out of these versions" in shown


def test_hostile_names_do_not_reach_the_terminal() -> None:
    row = combine("/p/\x1b[2J\u202e", Examined(profile="\x07", request=ASKED), Observed({}))
    shown = screen(row)
    assert "\x1b" not in shown and "\x07" not in shown and "\u202e" not in shown


def test_lines_fit_the_terminal() -> None:
    row = combine("/p", Examined(request=ASKED, downgrades=("x " * 60,)), Observed({"/p": SEEN}))
    report = StatusReport(DAEMON, None, (row,))
    for columns in (50, 80, 120):
        for form in text.FORMS:
            lines = text.render(report, form, colour=False, columns=columns).splitlines()
            assert max(map(len, lines)) <= columns


def test_colour_is_the_only_difference_of_colour() -> None:
    row = combine("/p", Examined(request=ASKED), Observed({"/p": SEEN}))
    report = StatusReport(DAEMON, None, (row,))
    for form in text.FORMS:
        painted = text.render(report, form, colour=True, columns=80)
        assert ("\x1b[" in painted) is (form != "short")
        for code in ("0", "1", "2", "31", "32", "33"):
            painted = painted.replace(f"\x1b[{code}m", "")
        assert painted == text.render(report, form, colour=False, columns=80)


def test_json_has_every_field_always() -> None:
    rows = (
        combine("/a", Examined(request=ASKED, counts=Counts(1, 2, 3, 4)), Observed({"/a": SEEN})),
        combine("/b", Examined(valid=False), Observed({}, "no engine")),
    )
    document = json.loads(as_json.render(StatusReport(DAEMON, None, rows)))
    assert document["version"] == 1
    assert document["host"] is None
    first, second = document["projects"]
    assert first.keys() == second.keys()
    assert first["findings"] == {"error": 1, "warning": 2, "hint": 3, "skipped": 4}
    assert first["in_force"]["controls"][0]["state"] == "in force"
    assert (second["in_force"], second["drift"], second["findings"]) == (None, None, None)
    assert second["unseen"] == "no engine"


def test_of_what_is_being_checked_nothing_is_said() -> None:
    row = combine("/p", Examined(), Observed({}))._replace(checking=True, hint="")
    shown = screen(row)
    assert "checking     its files changed just now" in shown
    assert "findings" not in shown and "trust" not in shown
    assert "/p  not created  checking ..." in screen(row, ProjectStatus("/q", "missing"))
    assert json.loads(as_json.render(StatusReport(DAEMON, None, (row,))))["projects"][0]["checking"]


def test_what_is_not_shown_is_counted() -> None:
    report = StatusReport(DAEMON, None, (), others={"stopped": 2, "not created": 3})
    shown = text.render(report, "long", colour=False, columns=120)
    assert "5 more projects: 3 not created, 2 stopped; `sandboxd list` names them" in shown


def test_rows_one_by_one_make_the_same_document() -> None:
    rows = (ProjectStatus("/a\n", "missing"), ProjectStatus("/b", "stopped"))
    report = StatusReport(DAEMON, None, rows)
    assert as_json.render(report._replace(projects=()), iter(rows)) == as_json.render(report)
    assert [row["path"] for row in json.loads(as_json.render(report))["projects"]] == ["/a\n", "/b"]


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (ProjectStatus("/p", "missing"), "✗ missing"),
        (ProjectStatus("/p", "not created"), "- not-created"),
        (ProjectStatus("/p", "running", problem="x", trust="none"), "! needs-grant"),
        (ProjectStatus("/p", "running", trust="outdated"), "· running"),
        (ProjectStatus("/p", "running", checking=True), "~ checking"),
        (ProjectStatus("/p", "running", unseen="it hangs"), "? not-seen"),
        (ProjectStatus("/p", "running", drift=("a",)), "! drift"),
        (combine("/p", Examined(request=ASKED), Observed({"/p": SEEN})), "! not-in-force"),
        (ProjectStatus("/p", "running", verified=Verification("held", 0.0, 3)), "✓ held"),
        (
            ProjectStatus("/p", "running", drift=("a",), verified=Verification("escaped", 0, 1)),
            "✗ escaped",
        ),
    ],
)
def test_a_prompt_gets_a_symbol_and_a_word(row: ProjectStatus, shown: str) -> None:
    assert screen(row, form="short") == f"{shown}\n"
    assert len(str(glance(row)).split(" ")) == 2
    assert screen(row, form="text").startswith(f"{shown[0]} /p  ")


def test_a_prompt_outside_of_a_project_gets_nothing() -> None:
    rows = ProjectStatus("/p", "running"), ProjectStatus("/q", "running")
    assert screen(*rows, form="short") == screen(form="short") == ""


def test_at_a_glance_the_verdict_stands_before_what_was_lost_and_what_is_in_order() -> None:
    row = combine("/p", Examined(profile="dev", request=ASKED), Observed({"/p": SEEN}))
    lines = screen(row, here="/p", form="text").splitlines()
    assert lines[0] == "! p  RUNNING  gVisor · profile dev"
    labels = [line[:15].strip() for line in lines[1:-1]]
    assert labels[:4] == ["held?", "not in force", "not seen", "open"]
    assert labels.index("in force") > labels.index("open")
    assert len(lines) <= 12


def test_of_many_rows_the_least_ones_are_left_out_and_twelve_lines_remain() -> None:
    controls = tuple(
        Control(f"{state} {number}", state, "a reason " * 20)
        for state in STATES
        for number in range(4)
    )
    live = SEEN._replace(controls=controls)
    examined = Examined(
        request=container(), problem="wrong " * 60, hint="mend it", downgrades=("a: b",) * 9
    )
    row = combine("/p", examined, Observed({"/p": live}))._replace(keeps=False)
    lines = screen(row, here="/p", form="text").splitlines()
    assert len(lines) <= 12
    assert [line[2:9] for line in lines].count("problem") == 1
    assert any("not in force 0" in line for line in lines), "what was lost is not left out"
    assert not any(line.startswith("  files") for line in lines)


def test_other_projects_have_a_line_each() -> None:
    names = ("/a", "/b", "/very/long/" + "folder/" * 20 + "c")
    rows = [combine(path, Examined(request=ASKED), Observed({})) for path in names]
    shown = screen(*rows, here="/b", form="text")
    lines = shown[shown.index("\n\n") :].strip().splitlines()
    assert lines[0].startswith("- /a  ") and lines[1].split()[1].endswith("folder/c")
    assert all(len(line) <= 80 for line in lines)


def test_an_old_build_of_gvisor_is_said_with_the_command_that_brings_another() -> None:
    def trouble(name: str) -> str:
        facts = from_raw(json.loads((HOSTS / f"{name}.json").read_text()))
        return machine.trouble(StatusReport(DaemonLine(True), facts, ()))

    assert "old gVisor, weaker and slower: `sudo sandboxd setup gvisor --update`" in trouble(
        "debian-13-gvisor-2024"
    )
    assert "old gVisor" not in trouble("debian-13-gvisor-2026")
    assert "old gVisor" not in trouble("ubuntu-24-04-gvisor"), "nothing was tried there"
