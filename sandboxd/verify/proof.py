"""Controls that attempts of `verify` prove, since an effect says more than a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.controls import proof_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.observe.control import Control
    from sandboxd.verify.verdict import Verdict


def outcomes(verdict: Verdict) -> dict[str, str]:
    """The outcome of each attempt of a verdict."""
    return {result.id: result.outcome for result in verdict.results}


def with_proof(
    controls: Iterable[Control], outcomes: Mapping[str, str], age: str
) -> tuple[Control, ...]:
    """`controls`, with the results of attempts for those that cannot be observed otherwise.

    If an attempt escaped that a control should stop, the control is not in force, whatever was observed of it.

    :param outcomes: of a verdict on this container; {} if there is none
    :param age: how long ago the verdict was made, in words
    """
    return tuple(_judge(control, outcomes, age) for control in controls)


def _judge(control: Control, outcomes: Mapping[str, str], age: str) -> Control:
    attempts = proof_of(control.name)
    tried = {name: outcomes[name] for name in attempts if name in outcomes}
    escaped = sorted(name for name, outcome in tried.items() if outcome == "escaped")
    if escaped and control.state != "left out":
        why = f"`sandboxd verify` got through by {', '.join(escaped)}, {age} ago"
        return control._replace(state="not in force", why=why)
    if control.state != "not seen" or set(tried.values()) != {"held"} or len(tried) < len(attempts):
        return control
    why = f"held against {', '.join(attempts)} of `sandboxd verify`, {age} ago"
    return control._replace(state="in force", why=why)
