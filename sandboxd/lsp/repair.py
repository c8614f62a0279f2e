"""Makes a client's message fit lsprotocol's types, which are stricter than the protocol.

A value that a newer client may legally send (a trace level, a symbol kind, a diagnostic tag) is an error to the
decoder, and would end the whole session. Such values are left out, as none of them is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lsprotocol import types

Decode = Callable[[Any, Any], Any]
"""(JSON value, type) -> decoded value; raises if it does not fit the type."""

_DEEPEST = 5


def repair(method: str, params: dict[str, Any], decode: Decode) -> dict[str, Any]:
    """A copy of `params` without the values that cannot be decoded; only fields that are known to cause trouble are
    checked.
    """
    if method == types.INITIALIZE:
        return _initialize(params, decode)
    if method == types.TEXT_DOCUMENT_CODE_ACTION and isinstance(params.get("context"), dict):
        return {**params, "context": _context(params["context"], decode)}
    if method == types.WORKSPACE_DID_CHANGE_CONFIGURATION:
        return {"settings": None, **params}
    if method == types.SET_TRACE:
        return {**params, "value": "off"}
    return params


def _initialize(params: dict[str, Any], decode: Decode) -> dict[str, Any]:
    capabilities_sent = params.get("capabilities")
    capabilities = (
        _prune(capabilities_sent, (), decode) if isinstance(capabilities_sent, dict) else {}
    )
    result = {"processId": None, "rootUri": None, "capabilities": capabilities}
    for name, value in params.items():
        if name == "capabilities":
            continue
        if _fits({**result, name: value}, types.InitializeParams, decode):
            result[name] = value
    return result


def _prune(capabilities: dict[str, Any], path: tuple[str, ...], decode: Decode) -> dict[str, Any]:
    """The capabilities at `path` that decode, as large parts as possible."""
    result: dict[str, Any] = {}
    for name, value in capabilities.items():
        here = (*path, name)
        if _fits(_nest(here, value), types.ClientCapabilities, decode):
            result[name] = value
        elif isinstance(value, dict) and len(here) < _DEEPEST:
            part = _prune(value, here, decode)
            if _fits(_nest(here, part), types.ClientCapabilities, decode):
                result[name] = part
    return result


def _nest(path: tuple[str, ...], value: Any) -> Any:
    for name in reversed(path):
        value = {name: value}
    return value


def _context(context: dict[str, Any], decode: Decode) -> dict[str, Any]:
    """The context of a code action without diagnostics that do not decode: they are of other servers."""
    diagnostics_sent = context.get("diagnostics")
    diagnostics = diagnostics_sent if isinstance(diagnostics_sent, list) else []
    usable = [item for item in diagnostics if _fits(item, types.Diagnostic, decode)]
    result: dict[str, Any] = {"diagnostics": usable}
    for name, value in context.items():
        whole = {**result, name: value}
        if name != "diagnostics" and _fits(whole, types.CodeActionContext, decode):
            result[name] = value
    return result


def _fits(value: Any, kind: Any, decode: Decode) -> bool:
    try:
        decode(value, kind)
    except Exception:
        return False
    return True
