"""The matrix's page: what is written is read again, and what must not differ is told."""

from __future__ import annotations

from pathlib import Path

from sandboxd.verify import attempts
from tools import escape_matrix
from tools.escape_matrix import SANDBOXES, differences, label, parse, render


def outcomes(outcome: str = "held") -> dict[str, dict[str, str]]:
    names = [attempt.id for attempt in attempts.load()]
    return {label(sandbox): dict.fromkeys(names, outcome) for sandbox in SANDBOXES}


def test_a_page_is_read_as_it_was_written() -> None:
    results = outcomes()
    for outcome, attempt in zip(escape_matrix._SIGNS, attempts.load(), strict=False):
        results["r:priv"][attempt.id] = outcome
    assert parse(render(results, "Linux 6.1")) == ("Linux 6.1", results)


def test_every_difference_counts_on_the_same_machine() -> None:
    after = outcomes()
    after["r:priv"]["bpf"] = "not-applicable"
    assert differences(outcomes(), after, True) == [
        "r:priv bpf: the page says held, it is not-applicable"
    ]
    assert differences(outcomes(), outcomes(), True) == []


def test_on_another_machine_what_escapes_from_a_profile_and_new_attempts_count() -> None:
    after = outcomes()
    after["r:priv"]["bpf"] = "escaped"
    after["r:dev"]["af-alg"] = "not-applicable"
    assert differences(outcomes(), after, False) == []
    after["g:agent"]["bpf"] = "escaped"
    after["r:dev"]["new"] = "held"
    assert differences(outcomes(), after, False) == [
        "r:dev new: the page says missing, it is held",
        "g:agent bpf: the page says held, it is escaped",
    ]


def test_the_published_page_names_every_sandbox_and_attempt_and_our_profiles_hold() -> None:
    _, published = parse(Path(escape_matrix.PAGE).read_text(encoding="utf-8"))
    assert len(SANDBOXES) >= 12
    assert set(published) == {label(sandbox) for sandbox in SANDBOXES}
    for sandbox in SANDBOXES:
        results = published[label(sandbox)]
        assert set(results) == {attempt.id for attempt in attempts.load()}
        if sandbox.profile not in ("", "seed-baseline") and not sandbox.changes:
            is_broken = sandbox.broken not in (None, escape_matrix._nothing)
            assert ("escaped" in results.values()) == is_broken, sandbox.about
            assert is_broken or "inconclusive" not in results.values()
