"""Results of operations as JSON has them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandboxd.bench.results import Results
    from sandboxd.operations.drift import Compared
    from sandboxd.operations.verify import Verified


def encode(value: Any) -> Any:
    """Named tuples become objects, other tuples become lists."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: encode(item) for name, item in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {name: encode(item) for name, item in value.items()}
    return value


def verified(document: Mapping[str, Any]) -> Verified:
    """The result of `verify` from what `encode` made of it."""
    from sandboxd.observe.control import Control
    from sandboxd.operations.verify import Verified
    from sandboxd.verify.verdict import Result, Verdict

    verdict = document["verdict"]
    results = tuple(Result(**result) for result in verdict["results"])
    controls = tuple(Control(**control) for control in document["controls"])
    return Verified(Verdict(**{**verdict, "results": results}), document["seconds"], controls)


def compared(document: Mapping[str, Any]) -> Compared:
    """The result of `drift` from what `encode` made of it."""
    from sandboxd.observe.control import Control
    from sandboxd.observe.drift import Drift
    from sandboxd.operations.drift import Compared

    return Compared(
        document["container"],
        tuple(Drift(**difference) for difference in document["differences"]),
        tuple(Control(**control) for control in document["controls"]),
    )


def results(document: Mapping[str, Any]) -> Results:
    """The result of `bench` from what `encode` made of it."""
    from sandboxd.bench.results import Results, Row, Variant

    lists = {
        "variants": tuple(Variant(**variant) for variant in document["variants"]),
        "rows": tuple(Row(**row) for row in document["rows"]),
        "left_out": tuple(document["left_out"]),
    }
    return Results(**{**document, **lists})
