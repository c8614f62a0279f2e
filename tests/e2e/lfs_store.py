"""A server of Git LFS (its batch interface, by basic transfers) whose files are at the forge's own host."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any

_JSON = "application/vnd.git-lfs+json"


class LfsStore:
    """Keeps files in memory; repeats the credential in its answers, as GitLab does."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.files: dict[str, bytes] = {}

    def answer(
        self, method: str, path: str, headers: Message, body: bytes
    ) -> tuple[int, bytes, str] | None:
        """Status, body and type of the answer; None for what is no request of LFS."""
        before, slash, name = path.partition("/info/lfs/")
        if slash and name == "objects/batch":
            wish = json.loads(body)
            credential = headers["Authorization"]
            objects = [
                self._object(before, each, wish["operation"], credential)
                for each in wish["objects"]
            ]
            return 200, json.dumps({"transfer": "basic", "objects": objects}).encode(), _JSON
        if slash:
            return 404, b"{}", _JSON
        _, slash, name = path.partition("/lfs-files/")
        if not slash:
            return None
        if method == "PUT":
            self.files[name] = body
        return 200, self.files.get(name, b""), "application/octet-stream"

    def _object(
        self, before: str, wish: dict[str, Any], operation: str, credential: str
    ) -> dict[str, Any]:
        action = {
            "href": f"https://{self._host}{before}/lfs-files/{wish['oid']}",
            "header": {"Authorization": credential, "X-More": "yes"},
        }
        is_done = operation == "upload" and wish["oid"] in self.files
        return {**wish, "authenticated": True, "actions": {} if is_done else {operation: action}}
