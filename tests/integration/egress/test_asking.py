"""Questions from inside: a person outside answers, and nothing inside can."""

from __future__ import annotations

import threading

from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import POLICY, Workspace
from tests.patience import PATIENCE


def test_a_question_waits_until_a_policy_allows_it(program: Program, workspace: Workspace) -> None:
    answers: list[str] = []
    asker = threading.Thread(
        target=lambda: answers.append(workspace.ask("open.example", 7, wait=50))
    )
    asker.start()
    asked = program.wait(lambda event: event["event"] == "asked")
    assert (asked["name"], asked["port"], asked["why"]) == ("open.example", 7, "tests")
    program.set(Policy(rules=(Rule(pattern("open.example"), (443,)),)))
    assert answers == []
    program.set(POLICY)
    asker.join(PATIENCE)
    assert answers == ["open"]
    assert workspace.connect("open.example:7").startswith("HTTP/1.1 200")


def test_a_person_says_no(program: Program, workspace: Workspace) -> None:
    answers: list[str] = []
    asker = threading.Thread(
        target=lambda: answers.append(workspace.ask("open.example", 7, wait=50))
    )
    asker.start()
    asked = program.wait(lambda event: event["event"] == "asked")
    program.send({"op": "answer", "id": asked["id"], "why": "not today"})
    asker.join(PATIENCE)
    assert answers == ["denied not today"]
    assert workspace.ask("open.example", 7) == "denied not today"
    assert sum(event["event"] == "asked" for event in program.events) == 1


def test_a_policy_that_denies_answers_who_waits(program: Program, workspace: Workspace) -> None:
    answers: list[str] = []
    asker = threading.Thread(
        target=lambda: answers.append(workspace.ask("open.example", 7, wait=50))
    )
    asker.start()
    program.wait(lambda event: event["event"] == "asked")
    program.set(Policy(denied=(pattern("open.example"),)))
    asker.join(PATIENCE)
    assert answers == ["denied a person said no"]


def test_what_cannot_be_approved_is_not_asked(program: Program, workspace: Workspace) -> None:
    program.set(Policy(denied=(pattern("no.example"),), canaries=("trap.example",)))
    for name in ("no.example", "trap.example", "127.0.0.1"):
        assert workspace.ask(name, 443).startswith("refused")
    program.denied("trap.example", "canary")
    assert not any(event["event"] == "asked" for event in program.events)


def test_questions_are_bounded(program: Program, workspace: Workspace) -> None:
    answers = [workspace.ask(f"n{number}.example", 443) for number in range(40)]
    assert answers[0].startswith("waiting") and answers[-1].startswith("refused too many")
    assert sum(event["event"] == "asked" for event in program.events) <= 12
    assert workspace.ask("n0.example", 443).startswith("waiting")
