"""Collects the reasons and downgrades of a plan while it is made."""

from __future__ import annotations

from typing import TypeVar

from sandboxd.findings import Place
from sandboxd.model.container import Pair
from sandboxd.model.control_name import ControlName
from sandboxd.model.values import Origin, Value
from sandboxd.plan.reasons import Addition, Downgrade, LeftOut, Reason

T = TypeVar("T")

Decider = tuple[str, Place | None]
"""Who decided a value, as in `Reason.decided_by`, and the place in the file that does."""


class Notes:
    """The reasons, downgrades and left-out parts of a plan, in the order in which they were noted."""

    def __init__(self, profile: str) -> None:
        self.profile = f"profile {profile}"
        self.reasons: list[Reason] = []
        self.downgrades: list[Downgrade] = []
        self.left_out: list[LeftOut] = []
        self.brought: dict[Origin, list[str]] = {}
        self.unread: list[Addition] = []
        self.limits: dict[str, Decider] = {}
        """Who decided each limit that is not the profile's own, by its name of `model.limits`."""

    def value(
        self,
        field: str,
        value: T,
        item: str,
        why: str,
        decided_by: str = "",
        place: Place | None = None,
    ) -> Value[T]:
        """Return a value for a field of the plan's container, and note its reason.

        :param item: the value in docker's spelling
        :param decided_by: '' for the profile
        """
        decided_by = decided_by or self.profile
        self.reasons.append(Reason(field, item, decided_by, why))
        return Value(value, Origin("plan", decided_by, field), place, item)

    def reason(self, field: str, item: str, why: str, decided_by: str = "") -> None:
        """Note the reason for something that is no value of the container.

        :param decided_by: '' for the profile
        """
        self.reasons.append(Reason(field, item, decided_by or self.profile, why))

    def decider_of(self, limit: str) -> Decider:
        """Who decided the limit of this name, for `value`."""
        return self.limits.get(limit, ("", None))

    def downgrade(
        self, control: ControlName, why: str, fix: str = "", *, of_other_tools: bool = False
    ) -> None:
        self.downgrades.append(Downgrade(control, why, fix, of_other_tools))

    def leave_out(self, value: Value[T], why: str, *, of_other_tools: bool = False) -> None:
        """Note that a value of the hand-written config is not taken over."""
        written = value.written or str(value.value)
        if isinstance(value.value, Pair) and not written.startswith(value.value.name):
            written = f"{value.value.name}={written}"
        item = f"{value.origin.key}: {written}" if value.origin.key else written
        if value.origin.kind in ("label", "feature"):
            # Another tool creates the container, so it cannot be left out here.
            self.brought.setdefault(value.origin._replace(key=""), []).append(f"`{item}`")
            return
        self.left_out.append(LeftOut(item, why, value.place, of_other_tools))
