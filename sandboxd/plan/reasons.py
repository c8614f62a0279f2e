"""Why a plan is as it is: the reason of a value, a control that will not be in force, a part that was left out."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.findings import Place
from sandboxd.model.control_name import ControlName


class Reason(NamedTuple):
    """The reason for a value of the plan.

    `field` is a field of `Container`, or ``egress`` for a name, ``credential`` for one of the user's; `item`
    the value in docker's spelling; `decided_by` one of ``profile dev``, ``config``, ``host``, ``floor``;
    `why` a sentence for a person.
    """

    field: str
    item: str
    decided_by: str
    why: str


class Downgrade(NamedTuple):
    """A control that was asked for and will not be in force. It is shown wherever the plan is shown.

    `why` is the reason and `fix` the next step, both for the user; `fix` is '' if there is none.
    """

    control: ControlName
    why: str
    fix: str = ""
    of_other_tools: bool = False
    """Whether it holds only if another tool than `sandboxd up` starts the sandbox."""


class Addition(NamedTuple):
    """What another tool than `sandboxd up` adds to a sandbox, as a sentence, and how to be without it."""

    what: str
    fix: str


class LeftOut(NamedTuple):
    """A part of a hand-written config that the sandbox does not get, as the user wrote it."""

    item: str
    why: str
    place: Place | None = None
    of_other_tools: bool = False
    """Whether only a sandbox that another tool than `sandboxd up` starts lacks it."""
