"""The answer of a Git LFS server to a batch request: where each file is, and which header to send for it. Pure.

URLs of the service's own host are changed to the gateway, where the credential is added. Some servers repeat
the credential as a header to send: it is removed."""

from __future__ import annotations

import json
from typing import Any

import h11

from sandboxd.egress.broker import Binding, traces
from sandboxd.egress.gateway.credential_head import LFS_KIND, moved
from sandboxd.egress.gateway.http_exchange import Change

MOST_BYTES = 4 << 20
"""A client asks about 100 files at a time, which is some 100 KB."""


def change_of(answer: h11.Response, binding: Binding, host: str) -> Change | None:
    """The change of the body of `answer`; None where it is no answer of Git LFS.

    :param host: as the client named the gateway
    """
    kinds = [value for name, value in answer.headers if name == b"content-type"]
    if not any(kind.split(b";")[0].strip().lower() == LFS_KIND for kind in kinds):
        return None
    return Change(MOST_BYTES, lambda body: changed(body, binding, host))


def changed(body: bytes, binding: Binding, host: str) -> bytes:
    """`body` as the client gets it; an empty one, as servers answer to a report of an upload, holds nothing.

    :raises ValueError: it is no JSON, or would still show the credential
    """
    if not body:
        return body
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("an answer of LFS that is no JSON") from None
    if not isinstance(document, dict):
        raise ValueError("an answer of LFS that is no object")
    marks = traces(binding)
    for entry in _list(document.get("objects")):
        for action in _dict(_dict(entry).get("actions")).values():
            _change_action(_dict(action), binding, host, marks)
    data = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if any(form in data for mark in marks for form in (mark, _in_json(mark))):
        raise ValueError("an answer of LFS that shows the credential")
    return data


def _change_action(
    action: dict[str, Any], binding: Binding, host: str, marks: tuple[bytes, ...]
) -> None:
    href = action.get("href")
    if isinstance(href, str):
        url = href.encode("utf-8", "surrogatepass")
        action["href"] = moved(url, binding, host).decode("utf-8", "surrogatepass")
    fields = _dict(action.get("header"))
    for name, value in list(fields.items()):
        text = f"{name}\n{value}".encode("utf-8", "surrogatepass")
        if any(mark in text for mark in marks):
            del fields[name]


def _in_json(mark: bytes) -> bytes:
    """`mark` as it is escaped in a JSON string."""
    return json.dumps(mark.decode("ascii"))[1:-1].encode()


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
