"""The commands of `sandboxd egress`: one file and one function for each.

Each works without a sandbox. Where a gateway runs, an answer is in force there once the function returns; a
gateway is looked for after the answer is kept, so that a start in between takes it along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from sandboxd.operations.request import Request

NEEDS_FACTS = False


class Options(TypedDict):
    """The options of `serve`, as `actions.act` has them."""

    name: str
    """Of the sandbox; '' for the one without."""
    action: str
    arguments: dict[str, Any]


def serve(request: Request) -> dict[str, Any]:
    """`actions.act` with `Options`."""
    from sandboxd.operations.egress.actions import act
    from sandboxd.operations.egress.gateways import gateways_of

    return act(
        request.text("action"),
        request.directory,
        request.environ,
        request.values("arguments"),
        lambda workspace: gateways_of(request, workspace),
        request.name,
    )
