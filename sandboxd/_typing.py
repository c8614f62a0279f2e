"""What the fast paths need of `typing`, without its cost. To type checkers it is the original.

`typing.NamedTuple` compiles and checks every annotation: for the types of one `sandboxd check`
that takes longer than the check itself. See docs/decisions/0001.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Generic as Generic
    from typing import NamedTuple as NamedTuple
    from typing import TypeVar as TypeVar
else:
    from collections import namedtuple

    _NOT_COPIED = ("__annotations__", "__classcell__", "__dict__", "__module__", "__qualname__")

    class _Meta(type):
        def __new__(mcs, name, _bases, namespace):
            fields = tuple(namespace.get("__annotations__", ()))
            with_default = [field for field in fields if field in namespace]
            if with_default != list(fields[len(fields) - len(with_default) :]):
                raise TypeError(f"fields with a default come last in {name}")
            made = namedtuple(
                name,
                fields,
                defaults=[namespace[field] for field in with_default],
                module=namespace["__module__"],
            )
            for key, value in namespace.items():
                if key not in fields and key not in _NOT_COPIED:
                    setattr(made, key, value)
            made.__qualname__ = namespace["__qualname__"]
            made.__annotations__ = namespace.get("__annotations__", {})
            # `Value[str]` may stand in an annotation that somebody evaluates.
            made.__class_getitem__ = classmethod(lambda cls, _: cls)
            return made

    _Base = type.__new__(_Meta, "NamedTuple", (), {})

    class _NamedTuple:
        """Stands as a base class; the class that results derives from `tuple` alone."""

        def __mro_entries__(self, bases):
            return (_Base,)

    NamedTuple = _NamedTuple()

    class Generic:
        """Parameters of a generic type mean something to type checkers only."""

        def __class_getitem__(cls, item):
            return cls

    def TypeVar(name):
        return name
