"""The credentials of a sandbox in `status`: which services, what came of it, and the next step."""

from __future__ import annotations

import time
from typing import Any

from sandboxd.egress.credential_lines import MOST_SERVICES, CredentialLine
from sandboxd.egress.ledger import Ledger
from sandboxd.egress.policy import Policy
from sandboxd.status import credentials_text, names_text
from sandboxd.status.model import NamesStatus
from sandboxd.status.names import names_status
from tests.unit.status.test_names import document, project

POLICY = Policy(credentials=(("github-git", 3200), ("npm", 3201)))


def ledger(*events: dict[str, Any]) -> Ledger:
    common = {"event": "credential", "count": 1, "status": 200, "reason": "", "outcome": "used"}
    taken = Ledger()
    taken.take(
        common | {"seq": number, "time": time.time() - 120 + number} | event  # type: ignore[misc]
        for number, event in enumerate(events, 1)
    )
    return taken


def lines(names: NamesStatus) -> list[tuple[str, str]]:
    return [
        row for row in names_text.rows(names) if row[0] in ("credentials", "rejected", "not given")
    ]


def test_services_in_use_are_named_before_anything_is_known() -> None:
    names = names_status(POLICY, None, 0.0)
    assert lines(names) == [("credentials", "github-git, npm")]
    assert lines(names_status(Policy(), None, 0.0)) == []


def test_uses_are_counted_with_the_last_one() -> None:
    names = names_status(POLICY, ledger({"service": "github-git", "count": 3}), 0.0)
    ((label, text),) = lines(names)
    assert label == "credentials"
    assert text.startswith("github-git used 3 times, last ")
    assert text.endswith("ago; npm not used")


def test_a_secret_that_its_service_refuses_names_the_next_step() -> None:
    rejected = {"service": "npm", "outcome": "rejected", "status": 401}
    names = names_status(POLICY, ledger({"service": "npm"}, rejected), 0.0)
    assert lines(names)[1] == (
        "rejected",
        "npm: its service says no to the secret (401): `sandboxd credentials test npm`",
    )
    # A new secret that works ends it.
    names = names_status(POLICY, ledger(rejected, {"service": "npm"}), 0.0)
    assert len(lines(names)) == 1


def test_requests_that_get_none_and_a_service_that_is_away_are_said() -> None:
    names = names_status(
        POLICY,
        ledger(
            {"service": "github-git", "outcome": "refused", "reason": "path", "status": 0},
            {"service": "github-git", "outcome": "failed", "reason": "tls", "detail": "expired"},
        ),
        0.0,
    )
    assert lines(names)[1] == (
        "not given",
        "github-git: refused once, failed once; the last: tls: expired",
    )


def test_a_service_whose_secret_the_gateway_does_not_have_is_no_unused_one() -> None:
    given = {"event": "credentials", "services": [["npm", 3201]], "mark": ""}
    names = names_status(POLICY, ledger(given), 0.0)
    rows = dict(names_text.rows(names))
    assert rows["credentials"] == "github-git without its secret; npm not used"
    assert rows["no secret"].startswith("github: the gateway has no secret; `sandboxd up`")
    first, second = document(project(names))["names"]["credentials"]
    assert (first["missing"], second["missing"]) == (True, False)


def test_json_has_each_service_with_its_counts() -> None:
    names = names_status(POLICY, ledger({"service": "github-git", "count": 2}), 0.0)
    first, second = document(project(names))["names"]["credentials"]
    assert (first["service"], first["used"], first["status"]) == ("github-git", 2, None)
    assert first["last_used"] > 0
    assert (second["service"], second["last_used"]) == ("npm", None)


def test_a_gateway_names_no_more_services_than_there_can_be() -> None:
    taken = ledger(*({"service": f"s{number}"} for number in range(MOST_SERVICES + 5)))
    assert len(taken.credentials) == MOST_SERVICES
    assert credentials_text.rows((CredentialLine("a"),), True) == [("credentials", "a not used")]
