"""`sandboxd list`: the columns and the facts of each backend, in one table and one document."""

from __future__ import annotations

import json

import pytest

from sandboxd.backends.backend import Listed, Listing
from sandboxd.cli import main
from sandboxd.cli.commands import _sandbox
from sandboxd.cli.commands import list as list_command
from sandboxd.errors import EXIT_ENVIRONMENT, EnvironmentFailure

HERE = Listing(
    (
        Listed(
            {"name": "sandboxd-shop", "id": "a"},
            {"name": "sandboxd-shop", "state": "running", "profile": "dev", "project": "/shop"},
        ),
    ),
    {},
)
THERE = Listing(
    (Listed({"name": "shop"}, {"name": "shop", "state": "ended", "runtime_class": ""}),),
    {"context": "team", "namespace": "dev"},
)
PROJECT = {"path": "/weather", "exists": True}


class Played:
    """A backend with a listing; None: it cannot be asked."""

    def __init__(self, listing: Listing | None) -> None:
        self.listing = listing

    def list_sandboxes(self) -> Listing:
        if self.listing is None:
            raise EnvironmentFailure("no engine answers", "start one")
        return self.listing


@pytest.mark.parametrize(
    ("words", "listing", "code", "out", "err"),
    [
        (
            (),
            HERE,
            0,
            "NAME           STATE        PROFILE  PROJECT\n"
            "sandboxd-shop  running      dev      /shop\n"
            "-              not created           /weather\n",
            "",
        ),
        (
            (),
            None,
            EXIT_ENVIRONMENT,
            "NAME  STATE    PROFILE  PROJECT\n-     unknown           /weather\n",
            "no engine answers\n",
        ),
        (("--on", "team"), THERE, 0, "NAME  STATE  RUNTIME CLASS\nshop  ended\n", ""),
        (
            ("--on", "team"),
            Listing((), THERE.place, "in the namespace `dev` of `team`"),
            0,
            "",
            "no sandboxes in the namespace `dev` of `team`\n",
        ),
    ],
)
def test_a_table(
    words: tuple[str, ...],
    listing: Listing | None,
    code: int,
    out: str,
    err: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(_sandbox, "backend", lambda _: Played(listing))
    monkeypatch.setattr(list_command, "_projects", lambda: [PROJECT])
    assert main.run(["list", *words]) == code
    said = capsys.readouterr()
    assert said.out == out
    assert err in said.err and bool(said.err) is bool(err)


@pytest.mark.parametrize(
    ("words", "listing", "document"),
    [
        (
            (),
            HERE,
            {"version": 1, "sandboxes": [dict(HERE.sandboxes[0].facts)], "projects": [PROJECT]},
        ),
        (
            ("--on", "team"),
            THERE,
            {"version": 1, "context": "team", "namespace": "dev", "sandboxes": [{"name": "shop"}]},
        ),
    ],
)
def test_a_document(
    words: tuple[str, ...],
    listing: Listing,
    document: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(_sandbox, "backend", lambda _: Played(listing))
    monkeypatch.setattr(list_command, "_projects", lambda: [PROJECT])
    assert main.run(["list", "--json", *words]) == 0
    assert capsys.readouterr().out == json.dumps(document, indent=2) + "\n"
