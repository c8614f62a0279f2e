"""A value and where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from sandboxd.findings import Place
from sandboxd.syntax.node import Node

if TYPE_CHECKING:
    from typing import Literal

    OriginKind = Literal["file", "feature", "label", "compose", "dockerfile", "engine", "plan"]


T = TypeVar("T")


class Origin(NamedTuple):
    """The source of a value: `name` is a path, a Feature id, an image, or a container id."""

    kind: OriginKind
    name: str
    key: str = ""
    """The property it was written under, e.g. ``runArgs`` or ``securityOpt``."""

    def describe(self) -> str:
        """The source in words for people: ``runArgs`` of the file itself, else the Feature, image or file."""
        if self.kind == "file":
            return f"`{self.key}`" if self.key else ""
        if self.key == "env_file":
            return f"environment file `{self.name}`"
        noun = {
            "feature": "Feature",
            "label": "label of image",
            "compose": "Compose file",
            "dockerfile": "Dockerfile",
            "engine": "container",
            "plan": "plan",
        }[self.kind]
        return f"{noun} `{self.name}`"


class Value(NamedTuple, Generic[T]):
    """One normalised setting.

    `place` is what the user can change (for a Feature or a label that is the line naming it);
    None for values that no file holds (a live container, a plan). `written` is the user's own
    spelling, for messages. `nodes` are the syntax nodes that hold it, in file order: one for a
    property, two for ``--cap-add`` followed by its value in `runArgs`; the file kind needs them
    to write fixes.
    """

    value: T
    origin: Origin
    place: Place | None = None
    written: str = ""
    nodes: tuple[Node, ...] = ()
