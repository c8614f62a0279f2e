"""The Features that a devcontainer.json names: what they add to its container."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from sandboxd import formats
from sandboxd.errors import UnreadableError
from sandboxd.findings import Place
from sandboxd.formats import _features
from sandboxd.model import feature as model
from sandboxd.model.container import unread_features
from sandboxd.model.values import Origin, Value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from sandboxd.findings import Place
    from sandboxd.formats import Resolver
    from sandboxd.formats._features import Locate
    from sandboxd.model.container import Container
    from sandboxd.model.feature import Feature
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node


# The dev container CLI goes in rounds (its containerFeaturesOrder.ts): in each come those that wait for
# nothing any more; of these only the ones that `overrideFeatureInstallOrder` has furthest ahead; and these
# by their names. What a Feature of a registry waits for is not known here.
FILE = "devcontainer-feature.json"
MAX_FEATURES = 200


class Step(NamedTuple):
    """A Feature to install: its file's object where that could be read, and the place that names it."""

    name: str
    place: Place
    root: Node | None


def steps(path: str, root: Node, uses: Iterable[Value[Feature]], variables: Resolver) -> list[Step]:
    """The Features of the devcontainer.json at `path`, each once, in the order of installation.

    The place of one that another Feature depends on is the name of that other Feature.
    """
    by_identity: dict[str, Step] = {}
    waits: dict[str, tuple[set[str], set[str]]] = {}
    todo = [(use.written, use.place) for use in uses]
    for name, place in todo:
        identity = _identity(name, path)
        if identity in by_identity or place is None or len(by_identity) >= MAX_FEATURES:
            continue
        read = _local(name, path, variables)
        by_identity[identity] = Step(name, place, read)
        needs, after = _names(read, "dependsOn"), _names(read, "installsAfter")
        todo.extend((need, place) for need in needs)
        waits[identity] = (
            {_identity(need, path) for need in needs},
            {_identity(other, path) for other in after},
        )
    override = _names(root, "overrideFeatureInstallOrder")
    ahead = {_identity(name, path): len(override) - at for at, name in enumerate(override)}
    return [by_identity[identity] for identity in _rounds(waits, ahead)]


def _rounds(waits: dict[str, tuple[set[str], set[str]]], ahead: dict[str, int]) -> list[str]:
    waiting, order = dict(waits), list[str]()
    while waiting:
        before = set(order)
        free = [
            name
            for name, (needs, after) in waiting.items()
            # A Feature of `installsAfter` that is not installed at all is not waited for.
            if needs <= before and not (after & waits.keys()) - before
        ]
        if not free:
            # A cycle: the CLI gives up.
            return [*order, *waiting]
        furthest = max(ahead.get(name, 0) for name in free)
        for name in sorted(name for name in free if ahead.get(name, 0) == furthest):
            order.append(name)
            del waiting[name]
    return order


def _identity(name: str, path: str) -> str:
    """A text that is equal for the same Feature, whatever its version and the case of its letters."""
    use = model.parse(name)
    if use.source != "local":
        return use.id
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), use.id))


def _local(name: str, path: str, variables: Resolver) -> Node | None:
    if variables.files is None or model.parse(name).source != "local":
        return None
    try:
        source = variables.read(f"{_identity(name, path)}/{FILE}", path)
    except UnreadableError:
        return None
    root = formats.parsed("feature", source, variables.files).tree.root
    return root if root is not None and root.kind == "object" else None


def _names(root: Node | None, key: str) -> list[str]:
    """The strings of a list, or the keys of an object."""
    node = root.get(key) if root is not None else None
    if node is None:
        return []
    names = [item.text() for item in node.items] + [member.key.text() for member in node.members]
    return [name for name in names if name]


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
