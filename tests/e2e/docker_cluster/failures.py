"""What the API server answers where it does not do what it is asked: a `Status`, as Kubernetes words it."""

from __future__ import annotations

from typing import Any

_REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    409: "Conflict", 410: "Expired", 415: "UnsupportedMediaType", 422: "Invalid", 429: "TooManyRequests",
    500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip


class Refused(Exception):
    """A request that ends with an error; `status` is the body of the answer."""

    def __init__(self, code: int, message: str, reason: str = "", **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.status = status(code, message, reason, **details)


def status(code: int, message: str, reason: str = "", **details: Any) -> dict[str, Any]:
    """A `Status` that says failure."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason or _REASONS.get(code, "Unknown"),
        "details": details,
        "code": code,
    }


def not_found(plural: str, name: str) -> Refused:
    return Refused(404, f'{plural} "{name}" not found', name=name, kind=plural)


def forbidden(plural: str, name: str, why: str) -> Refused:
    """Of admission or of rights: both answer with 403."""
    named = f' "{name}"' if name else ""
    return Refused(403, f"{plural}{named} is forbidden: {why}", name=name, kind=plural)


def invalid(kind: str, name: str, field: str, why: str) -> Refused:
    causes = [{"reason": "FieldValueInvalid", "message": why, "field": field}]
    message = f'{kind} "{name}" is invalid: {field}: {why}'
    return Refused(422, message, name=name, kind=kind, causes=causes)
