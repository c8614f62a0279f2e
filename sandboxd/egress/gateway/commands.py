"""Parses commands from the host, strictly."""

from __future__ import annotations

import json
from typing import NamedTuple

from sandboxd.egress.broker_wire import Credentials, NotBindings, credentials_from_json
from sandboxd.egress.policy import Policy
from sandboxd.egress.wire import NotAPolicy, policy_from_json


class NotACommand(ValueError):
    """The line is no valid command."""

    def __init__(self, why: str, op: str = "", version: int = 0, closes: bool = True) -> None:
        """:param closes: it is, or may have been, a policy: nothing may be let through by the old one"""
        super().__init__(why)
        self.op, self.version, self.closes = op, version, closes


class SetPolicy(NamedTuple):
    policy: Policy
    cut: bool


class Replay(NamedTuple):
    after: int
    mark: str


class AskState(NamedTuple):
    pass


class Answer(NamedTuple):
    id: int
    why: str


class SetCredentials(NamedTuple):
    credentials: Credentials
    mark: str


Command = SetPolicy | Replay | AskState | Answer | SetCredentials

_KEYS = {
    "policy": {"op", "policy", "cut"},
    "events": {"op", "after", "mark"},
    "state": {"op"},
    "answer": {"op", "id", "why"},
    "credentials": {"op", "bindings", "roots", "mark"},
}


def read(line: bytes) -> Command:
    """The command in a line.

    :raises NotACommand: it is no valid command; see `messages`
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise NotACommand("not a line of JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("op"), str):
        raise NotACommand("not an object with an `op`")
    op = value["op"]
    if op not in _KEYS:
        raise NotACommand("an unknown command", op[:50], closes=False)
    closes = op == "policy"
    if value.keys() != _KEYS[op]:
        raise NotACommand("other keys than it has", op, closes=closes)
    if op == "policy":
        return _set_policy(value["policy"], value["cut"])
    if op == "state":
        return AskState()
    if op == "credentials":
        return _set_credentials(value["bindings"], value["roots"], value["mark"])
    number = value["after" if op == "events" else "id"]
    if type(number) is not int:
        raise NotACommand("no number", op, closes=False)
    key = "mark" if op == "events" else "why"
    text = value[key]
    if not isinstance(text, str):
        raise NotACommand(f"`{key}` is no text", op, closes=False)
    return Replay(number, text[:50]) if op == "events" else Answer(number, text[:500])


def _set_credentials(bindings: object, roots: object, mark: object) -> SetCredentials:
    if not isinstance(mark, str):
        raise NotACommand("`mark` is no text", "credentials", closes=False)
    try:
        return SetCredentials(credentials_from_json(bindings, roots), mark[:50])
    except NotBindings as error:
        raise NotACommand(str(error)[:300], "credentials", closes=False) from None


def _set_policy(policy: object, cut: object) -> SetPolicy:
    version = policy.get("version") if isinstance(policy, dict) else 0
    version = version if type(version) is int and 0 <= version < 2**53 else 0
    if not isinstance(cut, bool):
        raise NotACommand("`cut` is neither true nor false", "policy", version)
    try:
        return SetPolicy(policy_from_json(policy), cut)
    except NotAPolicy as error:
        raise NotACommand(str(error)[:300], "policy", version) from None
