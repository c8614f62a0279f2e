"""Merges two descriptions of one container."""

from __future__ import annotations

from sandboxd.model.container import Container


def merge(below: Container, above: Container) -> Container:
    """What docker makes of the options of `below` followed by those of `above`: lists are joined, of single values
    the later one applies.
    """
    fields: dict[str, object] = {}
    for name, old, new in zip(Container._fields, below, above, strict=True):
        if type(old) is tuple and type(new) is tuple:
            fields[name] = (*old, *new)
        else:
            fields[name] = old if new is None else new
    return Container(**fields)  # type: ignore[arg-type]
