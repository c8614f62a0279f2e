"""The part of `typing` that the fast paths need, without its cost. To type checkers it is the original.

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
    from operator import itemgetter

    _new = tuple.__new__

    def _constructor(fields, defaults):
        """Takes the fields as arguments.

        Compiled once it has been called often: most types are made a few times, and compiling
        one takes as long as making a hundred.
        """
        optional = dict(zip(fields[len(fields) - len(defaults) :], defaults, strict=True))
        calls = 0

        def first(cls, *values, **named):
            nonlocal calls
            calls += 1
            if calls < _OFTEN:
                filled = _filled(fields, optional, values, named)
                if filled is not None:
                    return _new(cls, filled)
            names = ", ".join(fields)
            code = f"lambda _cls, {names}: _new(_cls, ({names}{',' if fields else ''}))"
            real = eval(code, {"_new": _new, "__builtins__": {}})  # noqa: S307
            real.__defaults__ = defaults
            real.__name__ = "__new__"
            real.__qualname__ = f"{cls.__qualname__}.__new__"
            cls.__new__ = staticmethod(real)
            return real(cls, *values, **named)

        return first

    _OFTEN = 50

    def _filled(fields, optional, values, named):
        """All values in order; None where the compiled constructor has to say what is wrong."""
        if not named and len(values) == len(fields):
            return values
        rest = []
        used = 0
        for field in fields[len(values) :]:
            if field in named:
                used += 1
                rest.append(named[field])
            elif field in optional:
                rest.append(optional[field])
            else:
                return None
        if used != len(named) or len(values) > len(fields):
            return None
        return (*values, *rest)

    def _replace(self, /, **changes):
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(changes)}")
        return made

    def _repr(self):
        values = (f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({', '.join(values)})"

    _SHARED = {
        "_make": classmethod(lambda cls, values: _new(cls, values)),
        "_replace": _replace,
        "_asdict": lambda self: dict(zip(self._fields, self, strict=True)),
        "__repr__": _repr,
        "__getnewargs__": lambda self: tuple(self),
        "__class_getitem__": classmethod(lambda cls, _: cls),
        "__slots__": (),
    }

    class _Meta(type):
        def __new__(mcs, name, _bases, namespace):
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace.pop(field) for field in fields if field in namespace}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"fields with a default come last in {name}")
            members = {**_SHARED, **namespace}
            members["_fields"] = members["__match_args__"] = fields
            members["_field_defaults"] = defaults
            members["__new__"] = _constructor(fields, tuple(defaults.values()))
            for index, field in enumerate(fields):
                members[field] = property(itemgetter(index))
            return type(name, (tuple,), members)

    _Base = type.__new__(_Meta, "NamedTuple", (), {})

    class _NamedTuple:
        """Stands as a base class; the class that results derives from `tuple` alone."""

        def __mro_entries__(self, bases):
            return (_Base,)

    NamedTuple = _NamedTuple()

    class Generic:
        """Parameters of a generic type mean something to type checkers only."""

        def __class_getitem__(cls, _):
            return cls

    def TypeVar(name):
        return name
