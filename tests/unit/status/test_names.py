"""The network by name in `status`: counts, the last names that were denied, and open questions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandboxd.egress.ledger import Ledger
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.egress.sources import sources
from sandboxd.model.container import Container
from sandboxd.model.values import Origin, Value
from sandboxd.status import as_json, text
from sandboxd.status.combine import Examined, combine
from sandboxd.status.model import DaemonLine, NamesStatus, ProjectStatus, StatusReport
from sandboxd.status.names import names_status
from sandboxd.status.names_now import names_now
from sandboxd.status.observe import Observed, Sandbox

NOW = 1000.0
POLICY = Policy(
    rules=(
        Rule(pattern("index.example.org"), (443,), source="group pypi"),
        Rule(pattern("files.example.org"), (443,), source="group pypi"),
        Rule(pattern("github.com"), (22, 443), source="group github"),
        Rule(pattern("a.example.org"), (443,), source="approval", until=2000.0),
    ),
    canaries=("canary.internal",),
)
RUNNING = Observed(
    {"/p": Sandbox(True, Container("c", None, network=Value("app-inner", Origin("engine", "x"))))}
)
EXAMINED = Examined(egress=POLICY, request=Container("c", None))


def ledger(*events: dict[str, Any]) -> Ledger:
    answers = Ledger()
    common = {"event": "denied", "port": 443, "door": "dns", "reason": "no-rule", "rule": ""}
    answers.take(
        common | {"seq": number, "time": 900.0 + number, "count": 1} | event  # type: ignore[misc]
        for number, event in enumerate(events, 1)
    )
    return answers


def project(names: NamesStatus | None) -> ProjectStatus:
    return combine("/p", EXAMINED, RUNNING, names)


def screen(*projects: ProjectStatus, here: str = "") -> str:
    report = StatusReport(DaemonLine(True), None, projects, here=here)
    return text.render(report, "long", colour=False, columns=200)


def document(row: ProjectStatus) -> Any:
    report = StatusReport(DaemonLine(True), None, (row,))
    return json.loads(as_json.render(report))["projects"][0]


def test_one_line_says_what_is_let_through_and_how_much_was_denied() -> None:
    names = names_status(
        POLICY,
        ledger({"name": "b.org", "count": 3}, {"name": "index.example.org", "event": "reached"}),
        NOW,
    )
    shown = screen(project(names))
    assert (
        "network      pypi, github, a.example.org · 3 denied, 1 reached · `sandboxd egress log`"
        in shown
    )
    assert "denied       b.org (no rule names it)" in shown
    assert "tripwire" not in shown and "asks for" not in shown


def test_what_was_denied_and_is_allowed_by_now_is_no_news() -> None:
    names = names_status(POLICY, ledger({"name": "a.example.org"}, {"name": "b.org"}), NOW)
    assert [denied.name for denied in names.denied] == ["b.org"]
    assert names.totals.denied == 2
    after = names_status(POLICY, ledger({"name": "a.example.org"}), now=3000.0)
    assert [denied.name for denied in after.denied] == ["a.example.org"]


def test_the_last_names_come_first_and_each_once() -> None:
    events = [{"name": f"n{number}.org"} for number in range(9)]
    again = {"name": "n8.org", "door": "direct"}
    names = names_status(POLICY, ledger(*events, again), NOW)
    assert [d.name for d in names.denied] == ["n8.org", "n7.org", "n6.org", "n5.org", "n4.org"]


def test_a_reason_is_said_once_for_a_name_and_a_request_without_one_names_nothing() -> None:
    looked_up = {"name": "b.org", "port": 0}
    broken = {"name": "", "port": 0, "reason": "malformed", "door": "http"}
    names = names_status(
        POLICY, ledger(looked_up, {"name": "b.org", "port": 80, "door": "http"}, broken), NOW
    )
    shown = screen(project(names))
    assert shown.count("b.org (no rule names it)") == 1
    assert "(no name) (it breaks the rules" in shown
    assert ":443" not in shown


def test_a_tripwire_and_a_question_stand_out() -> None:
    asked = {"event": "asked", "id": 1, "name": "c.org", "port": 22, "why": "a\x1b[2Jb"}
    names = names_status(
        POLICY, ledger({"name": "canary.internal", "reason": "canary"}, asked), NOW
    )
    shown = screen(project(names))
    assert "tripwire     used once" in shown
    assert (
        'asks for     c.org:22, "a<U+001B>[2Jb": `sandboxd egress allow c.org:22`, or '
        "`sandboxd egress deny c.org`" in shown
    )
    other = screen(project(names), ProjectStatus("/q", "missing"), here="/q")
    assert "network: tripwire, 1 denied" in other


def test_connections_and_tripwires_that_a_flood_hid_stand_out() -> None:
    lost = {"event": "lost", "count": 90, "reached": 2, "tripwires": 1}
    shown = screen(project(names_status(POLICY, ledger(lost), NOW)))
    assert "90 not shown" in shown
    assert "lost         too many to be shown one by one: uses of a tripwire: 1" in shown


def test_nothing_is_invented_of_a_gateway_that_nobody_listens_to() -> None:
    assert "none recorded" in screen(project(None))
    row = document(project(None))
    assert row["denials"] is None
    assert row["names"]["recorded"] is False
    assert row["names"]["allowed"] == ["pypi", "github", "a.example.org"]
    assert document(combine("/p", Examined(), RUNNING))["names"] is None


def test_the_document_has_the_numbers_and_the_names() -> None:
    asked = {"event": "asked", "id": 1, "name": "c.org", "why": "because"}
    row = document(project(names_status(POLICY, ledger({"name": "b.org", "port": 0}, asked), NOW)))
    assert row["denials"] == 1
    assert row["names"] == {
        "allowed": ["pypi", "github", "a.example.org"],
        "recorded": True,
        "denied": 1,
        "reached": 0,
        "asked": 1,
        "tripwires": 0,
        "lost": 0,
        "lost_reached": 0,
        "lost_tripwires": 0,
        "of_verify": 0,
        "bytes_up": None,
        "bytes_down": None,
        "most_sent": None,
        "last_denied": [
            {
                "name": "b.org",
                "port": None,
                "reason": "no-rule",
                "command": "sandboxd egress allow b.org",
            }
        ],
        "questions": [{"name": "c.org", "port": 443, "why": "because"}],
        "credentials": [],
        "waiting": [],
        "behind": None,
        "shut": None,
    }


READY = {"event": "ready", "counts_bytes": True}


def sent(name: str, up: int, down: int = 0) -> dict[str, Any]:
    return {"event": "carried", "name": name, "bytes_up": up, "bytes_down": down}


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([READY, sent("a.org", 900)], "900 B to `a.org`; 0 B received"),
        (
            [READY, sent("a.org", 200_000, 5), sent("b.org", 1_000_000, 47_999_995)],
            "1.1 MiB to 2 names, most to `b.org`; 45.8 MiB received",
        ),
        ([READY, sent("", 9), sent("a.org", 1)], "10 B to more names, most to other names; 0 B received"),
        ([{"event": "ready"}], "not counted: the gateway is of an earlier version"),
        ([], "not counted: the gateway is of an earlier version"),
    ],
)  # fmt: skip
def test_a_row_says_how_much_left_and_to_whom(events: list[dict[str, Any]], words: str) -> None:
    shown = screen(project(names_status(POLICY, ledger(*events), NOW)))
    assert f"sent         {words}" in shown


def test_nothing_that_left_is_no_row_and_a_known_zero() -> None:
    status = project(names_status(POLICY, ledger(READY), NOW))
    assert "sent  " not in screen(status)
    assert document(status)["names"]["bytes_up"] == 0
    unknown = project(names_status(POLICY, None, NOW))
    assert "sent  " not in screen(unknown)
    assert document(unknown)["names"]["bytes_up"] is None


def test_the_document_has_the_bytes_and_who_was_sent_most() -> None:
    status = project(
        names_status(POLICY, ledger(READY, sent("a.org", 1, 2), sent("b.org", 3)), NOW)
    )
    names = document(status)["names"]
    assert (names["bytes_up"], names["bytes_down"]) == (4, 2)
    assert names["most_sent"] == [
        {"name": "b.org", "bytes_up": 3, "bytes_down": 0},
        {"name": "a.org", "bytes_up": 1, "bytes_down": 2},
    ]


def test_many_rules_are_counted() -> None:
    rules = tuple(Rule(pattern(f"n{number}.org"), (443,)) for number in range(9))
    assert sources(Policy(rules=rules))[-2:] == ("n5.org", "and 3 more")


def test_what_is_denied_is_not_listed_as_allowed() -> None:
    wild = Rule(pattern("*.example.net"), (443,), source="sandboxd.toml")

    def listed(*denied: str) -> tuple[str, ...]:
        policy = POLICY._replace(
            rules=(*POLICY.rules, wild), denied=tuple(pattern(each) for each in denied)
        )
        return sources(policy)

    rest = ("github", "a.example.org", "*.example.net")
    assert listed("unrelated.org") == ("pypi", *rest)
    assert listed("*.example.org") == ("github", "*.example.net")
    assert listed("index.example.org") == ("pypi (in part)", *rest)
    assert listed("b.example.net")[-1] == "*.example.net (in part)"
    assert listed("github.com", "*.example.net") == ("pypi", "a.example.org")


def test_a_gateway_that_lets_nothing_through_shows_no_name() -> None:
    why = "`trust.toml` is not a list of grants"
    names = names_now({}, "/p", EXAMINED, ledger(), NOW, shut=why)
    assert names is not None and names.allowed == ()
    shown = " ".join(screen(project(names)).split())
    assert "no name allowed" in shown and f"nothing is let through: {why}" in shown


def test_a_sandbox_whose_folder_is_gone_is_named_with_what_it_has() -> None:
    seen = Observed({"/p": Sandbox(True, Container("c", None), ())})
    gone = Examined(exists=False)
    assert combine("/p", gone).problem == "", "there is no sandbox"
    unknown = combine("/p", gone, seen)
    assert "runs on" in unknown.problem and "nothing through" not in unknown.problem
    shut = names_now({}, "/p", gone, Ledger(), 0.0, shut="there is no folder `/p`")
    assert shut is not None
    assert "nothing through" not in combine("/p", gone, seen, shut._replace(behind="x")).problem
    row = combine("/p", gone, seen, shut)
    assert "nothing through" in row.problem and "`sandboxd down --project /p`" in row.hint
