"""A value of a setting, and where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from sandboxd.findings import Place
from sandboxd.syntax.node import Node

if TYPE_CHECKING:
    from typing import Literal

    OriginKind = Literal["file", "feature", "label", "compose", "dockerfile", "engine", "plan"]


T = TypeVar("T")


class Origin(NamedTuple):
    """The source of a value: `name` is a path, a Feature's id, an image, or a container's id, as `kind` says."""

    kind: OriginKind
    name: str
    key: str = ""
    """The property under which it was written, e.g. ``runArgs`` or ``securityOpt``."""

    def describe(self) -> str:
        """The source for messages: the property of the file itself (``runArgs``), else the Feature, image or file."""
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

    `place` is where the user can change it (for a Feature or a label, the line that names it); None for values that are
    in no file (a running container, a plan). `written` is the user's own spelling, for messages. `nodes` are its syntax
    nodes in file order: one for a property, two for ``--cap-add`` followed by its value in `runArgs`; fixes need them.
    """

    value: T
    origin: Origin
    place: Place | None = None
    written: str = ""
    nodes: tuple[Node, ...] = ()
