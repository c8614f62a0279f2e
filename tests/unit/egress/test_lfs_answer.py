"""The answer of an LFS server: files at its own host by the gateway, and no credential in it."""

from __future__ import annotations

import base64
import json
from typing import Any

import h11
import pytest

from sandboxd.egress.broker import Binding
from sandboxd.egress.gateway.lfs_answer import change_of, changed

TOKEN = "marked-token-1"
BASIC = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
BINDING = Binding("git", 8101, "git.example", 443, "Authorization", BASIC)
HOST = "gateway.sandboxd.internal:8101"


def action(href: str, **header: str) -> dict[str, Any]:
    return {"objects": [{"oid": "1", "actions": {"download": {"href": href, "header": header}}}]}


def change(document: Any) -> Any:
    return json.loads(changed(json.dumps(document).encode(), BINDING, HOST))


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("https://git.example/a/1", f"http://{HOST}/a/1"),
        (
            "https://git.example:443/a?x=https://git.example/",
            f"http://{HOST}/a?x=https://git.example/",
        ),
        ("https://store.example/a/1", "https://store.example/a/1"),
        ("https://git.example.evil/1", "https://git.example.evil/1"),
        ("https://git.example@evil.example/1", "https://git.example@evil.example/1"),
    ],
)
def test_files_at_the_services_own_host_are_at_the_gateway(href: str, expected: str) -> None:
    assert change(action(href, Accept="x")) == action(expected, Accept="x")


def test_the_credential_does_not_come_in() -> None:
    document = action("https://git.example/1", Authorization=BASIC, Range="bytes=0-")
    assert change(document) == action(f"http://{HOST}/1", Range="bytes=0-")


@pytest.mark.parametrize(
    "document",
    [
        {"message": f"who sent {TOKEN}?"},
        action(f"https://store.example/?token={TOKEN}"),
        {"objects": [{"error": {"message": BASIC}}]},
        {TOKEN: 1},
        [],
        "text",
        None,
    ],
)
def test_one_that_shows_it_elsewhere_does_not_pass(document: Any) -> None:
    with pytest.raises(ValueError, match="answer of LFS"):
        change(document)


def test_one_whose_characters_json_writes_otherwise_is_seen_as_well() -> None:
    binding = BINDING._replace(value='Bearer marked"token')
    with pytest.raises(ValueError, match="shows the credential"):
        changed(json.dumps({"message": 'marked"token'}).encode(), binding, HOST)


@pytest.mark.parametrize(
    "document",
    [{}, {"objects": None}, {"objects": [None, {"actions": [1]}, {"actions": {"a": 1}}]}],
)
def test_an_answer_of_another_form_passes_as_it_is(document: Any) -> None:
    assert change(document) == document


def test_an_empty_answer_passes() -> None:
    assert changed(b"", BINDING, HOST) == b""


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000])
def test_what_is_no_json_does_not_pass(body: bytes) -> None:
    with pytest.raises(ValueError, match="answer of LFS"):
        changed(body, BINDING, HOST)


@pytest.mark.parametrize(
    ("kind", "is_one"),
    [
        ("application/vnd.git-lfs+json", True),
        ("Application/Vnd.Git-LFS+json; charset=utf-8", True),
        ("application/json", False),
    ],
)
def test_an_answer_of_lfs_is_known_by_its_type(kind: str, is_one: bool) -> None:
    answer = h11.Response(status_code=200, headers=[("Content-Type", kind)])
    assert (change_of(answer, BINDING, HOST) is not None) is is_one
