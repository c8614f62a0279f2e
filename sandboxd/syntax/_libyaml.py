"""The compiled part of PyYAML without the rest of it.

`import yaml` takes 40 ms, three times as long as Python's own start, for loaders and dumpers that
we do not use. The compiled parser only wants the classes of its events and errors.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
from types import ModuleType

from sandboxd._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_REAL = ("error", "tokens", "events", "nodes")
_ERRORS = {
    "reader": "ReaderError",
    "scanner": "ScannerError",
    "parser": "ParserError",
    "composer": "ComposerError",
    "constructor": "ConstructorError",
    "emitter": "EmitterError",
    "serializer": "SerializerError",
    "representer": "RepresenterError",
}

_loaded: list[tuple[Any, type[Exception]]] = []


def events(text: str) -> Iterator[Any]:
    """The events of `text`.

    :raises Exception: of the type that `error_type` names, where the text cannot be read
    """
    parser = load()[0](text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


def error_type() -> type[Exception]:
    return load()[1]


def load() -> tuple[Any, type[Exception]]:
    """The parser's class and the type of its errors."""
    if not _loaded:
        _loaded.append(_quick() or _whole())
    return _loaded[0]


def _whole() -> tuple[Any, type[Exception]]:
    """By PyYAML's own door; without its compiled part the same events come slowly."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.YAMLError


def _quick() -> tuple[Any, type[Exception]] | None:
    """None where PyYAML is loaded already, has no compiled part, or is another than we know."""
    if "yaml" in sys.modules:
        return None
    spec = importlib.machinery.PathFinder.find_spec("yaml")
    if spec is None or spec.submodule_search_locations is None:
        return None
    package = ModuleType("yaml")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["yaml"] = package
    try:
        for name in _REAL:
            setattr(package, name, importlib.import_module(f"yaml.{name}"))
        error = package.error.YAMLError
        marked = package.error.MarkedYAMLError
        for name, title in _ERRORS.items():
            module = ModuleType(f"yaml.{name}")
            # A `ReaderError` has no marks, and is made with what it says about the bytes.
            base = error if name == "reader" else marked
            setattr(module, title, type(title, (base,), {}))
            setattr(package, name, module)
        parser = importlib.import_module("yaml._yaml").CParser
    except (ImportError, AttributeError):
        return None
    finally:
        # Who wants the whole of PyYAML finds it unloaded, but for the parts that it shares with us.
        del sys.modules["yaml"]
    return parser, error
