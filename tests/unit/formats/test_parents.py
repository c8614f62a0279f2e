"""An edit of a value that the document at hand does not hold is refused, never left out."""

from __future__ import annotations

import pytest

from sandboxd import formats
from sandboxd.findings import Place, Remove
from sandboxd.formats.resolved.container import containers
from sandboxd.formats.resolved.variables import Variables
from sandboxd.model.values import Origin, Value
from sandboxd.syntax.node import NotInTreeError
from sandboxd.text import SourceText

TEXTS = {
    "/p/.devcontainer/devcontainer.json": '{"image": "x", "privileged": true}',
    "/p/compose.yml": "services:\n  app:\n    image: x\n    privileged: true\n",
}


@pytest.mark.parametrize("path", sorted(TEXTS))
def test_a_value_of_another_reading_of_the_text_is_not_removed(path: str) -> None:
    source = SourceText(path, TEXTS[path])
    kind = formats.find(path)
    assert kind is not None
    first, second = kind.parse(source), kind.parse(source)
    (container,) = containers(first, Variables())
    assert container.privileged is not None
    changes = (Remove(container.privileged),)
    assert kind.edits(first, container, changes)
    with pytest.raises(NotInTreeError, match="the boolean is not written in this text"):
        kind.edits(second, container, changes)


def test_an_item_of_another_reading_of_a_json_file_is_not_removed() -> None:
    source = SourceText("/p/daemon.json", '{"insecure-registries": ["a:5000", "b:5000"]}')
    kind = formats.get("daemon_json")
    first, second = kind.parse(source), kind.parse(source)
    assert first.tree.root is not None
    item = first.tree.root.members[0].value.items[0]
    place = Place(source.path, item.span)
    value = Value("a:5000", Origin("file", source.path, ""), place, "a:5000", (item,))
    assert kind.edits(first, None, (Remove(value),))
    with pytest.raises(NotInTreeError, match="the string `a:5000` is not written in this text"):
        kind.edits(second, None, (Remove(value),))
