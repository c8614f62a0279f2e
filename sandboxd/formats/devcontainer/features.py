"""The Features that a devcontainer.json names: what they add to its container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd import formats
from sandboxd.errors import UnreadableError
from sandboxd.findings import Place
from sandboxd.formats import _features
from sandboxd.formats.devcontainer.feature_order import steps
from sandboxd.model import feature as model
from sandboxd.model.container import unread_features
from sandboxd.model.values import Origin, Value

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.formats import Resolver
    from sandboxd.formats._features import Locate
    from sandboxd.model.container import Container
    from sandboxd.model.feature import Feature
    from sandboxd.syntax.node import Node

_LOCKS = {".devcontainer.json": ".devcontainer-lock.json"}


def layer(path: str, root: Node, base: Container, variables: Resolver) -> Container:
    """`base` with what the Features of a devcontainer.json add; the project's own Features are read.

    `root` is the object of the file. Settings of Features are in the order of installation; their place is
    the Feature's name in the file.
    """
    features = root.get("features")
    uses: list[Value[Feature]] = []
    lock = _lock(path, variables)
    for key, _ in features.members if features is not None else ():
        use = model.parse(str(key.value))
        if lock is not None and use.source == "registry":
            use = use._replace(locked=str(key.value) in lock)
        place = Place(path, key.inside())
        uses.append(Value(use, Origin("file", path, "features"), place, str(key.value), (key,)))
    container = base
    own = {use.written for use in uses}
    unread: list[str] = []
    for step in steps(path, root, uses, variables):
        if step.root is not None:
            container = _features.describe(
                step.root, container, _at_name(step.name, step.place), variables
            )
            continue
        options = model.asks(model.parse(step.name))
        # A Feature that only another one depends on has no name in the file where it could be shown.
        if options is None or (options and step.name not in own):
            unread.append(step.name)
    unseen = container.unseen
    if unread:
        written = [use.written for use in uses if use.written in unread]
        brought = [name for name in unread if name not in written]
        unseen = (*unseen, unread_features((*written, *brought)))
    return container._replace(features=tuple(uses), unseen=unseen)


def _lock(path: str, variables: Resolver) -> set[str] | None:
    """The names that the lock file beside a devcontainer.json has; None when that is not known."""
    if variables.files is None:
        return None
    folder, _, name = path.rpartition("/")
    try:
        source = variables.read(f"{folder}/{_LOCKS.get(name, 'devcontainer-lock.json')}", path)
    except UnreadableError:
        return set()
    root = formats.parsed("feature_lock", source, variables.files).tree.root
    lock = _features.read_lock(root, source.path) if root is not None else None
    return {entry.name.value for entry in lock.entries} if lock is not None else set()


def _at_name(name: str, place: Place) -> Locate:
    """A function that places values of a Feature at its name: only removing that changes them."""

    def locate(normal: Any, node: Node, key: str, written: str) -> Value[Any]:
        return Value(normal, Origin("feature", name, key), place, written)

    return locate
