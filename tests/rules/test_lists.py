"""Every item of a rule's list is found, by an expectation that is held apart from the code.

A file of `tests/rules/lists` is about one list. `rule` says which rule reads it, `covers` names the
list in the code (``module:NAME``, ``module:NAME#0`` for the first column of a table) whose keys must be
those of the items, and `text` is a file with
``@`` where an item goes; `path` is its place in the project, if its language is not JSON. An item
is ``[key, words of the message, source]``, or a table that also sets `text` (in the place of ``@``),
`file` (in the place of the whole text), `severity`, `path` or `host`. `variables` are those of a page,
as JSON, in which ``@`` is replaced as well. `fine` are texts for ``@``
that must not be found; with ``nothing = true`` no item may be found: the list names exceptions. With
``known = true`` nothing may be left unjudged either.
"""

from __future__ import annotations

import json
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sandboxd.findings import Finding
from sandboxd.lint.analysis import check_source
from sandboxd.text import SourceText
from tests.each_case import check_each
from tests.rules import pages

FOLDER = Path(__file__).parent / "lists"


class Item(NamedTuple):
    """One item of a list; `says` is a part of the message."""

    key: str
    says: str
    source: str
    text: str | None = None
    file: str | None = None
    severity: str | None = None
    path: str | None = None
    host: dict[str, Any] | None = None


class Listing(NamedTuple):
    """A file of the folder."""

    name: str
    rule: str
    covers: str
    text: str
    path: str
    severity: str
    items: list[Item]
    fine: list[str]
    host: dict[str, Any]
    nothing: bool
    variables: str
    known: bool


def _listing(file: Path) -> Listing:
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    items = [
        Item(str(item[0]), *item[1:]) if isinstance(item, list) else Item(**item)
        for item in data["items"]
    ]
    return Listing(
        file.stem,
        data["rule"],
        data["covers"],
        data["text"],
        data.get("path", ".devcontainer/devcontainer.json"),
        data.get("severity", ""),
        items,
        data.get("fine", []),
        data.get("host", {}),
        data.get("nothing", False),
        data.get("variables", "{}"),
        data.get("known", False),
    )


LISTINGS = [_listing(file) for file in sorted(FOLDER.glob("*.toml"))]


def _findings(listing: Listing, item: Item) -> list[Finding]:
    part = item.key if item.text is None else item.text
    text = item.file or listing.text.replace("@", part)
    report = check_source(
        SourceText(f"/project/{item.path or listing.path}", text),
        host=pages.host(json.loads(json.dumps(item.host or listing.host))),
        variables=pages.variables(json.loads(listing.variables.replace("@", part)), ""),
        only=(listing.rule,),
    )
    assert not (listing.known and report.skipped)
    return [finding for finding in report.findings if finding.rule == listing.rule]


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_each_item_is_found(listing: Listing) -> None:
    check_each(listing.items, lambda item: _check_item(listing, item), lambda item: item.key)


def _check_item(listing: Listing, item: Item) -> None:
    findings = _findings(listing, item)
    assert item.source
    if listing.nothing or not item.says:
        assert not findings
        return
    assert findings
    messages = [finding.message for finding in findings if item.says in finding.message]
    assert messages, [finding.message for finding in findings]
    severity = item.severity or listing.severity
    if severity:
        assert severity in {f.severity.label for f in findings if f.message in messages}


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_what_is_fine_is_not_found(listing: Listing) -> None:
    found = [text for text in listing.fine if _findings(listing, Item(text, "", ""))]
    assert found == []


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_the_list_of_the_code_has_these_items_and_no_others(listing: Listing) -> None:
    module, _, name = listing.covers.partition(":")
    name, _, column = name.partition("#")
    keys = [key[int(column)] if column else key for key in getattr(import_module(module), name)]
    names = {" ".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in keys}
    assert {item.key for item in listing.items} == names
