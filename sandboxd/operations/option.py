"""Typed options of an operation, declared once. Imports nothing: a command declares its arguments before anything else.

A type of options is a frozen class whose fields each have a default: ``build: bool = option("--build", "...",
default=False)`` is also an option of a command, ``name: str = ""`` is not. `Request.read_options` reads what a client
sends by the type of the default: a switch, a number, a text, a text or None, a tuple of texts, or
variables.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_):
        """Tell type checkers that the constructor takes the fields; nothing when it runs."""
        return lambda class_: class_


class Argument:
    """How a field is typed on a command line."""

    def __init__(
        self,
        option: str,
        help_: str,
        default: object,
        metavar: str,
        needs: str,
        short: str,
    ) -> None:
        self.option = option
        self.spellings = (short, option) if short else (option,)
        self.help = help_
        self.default = default
        self.metavar = metavar
        self.needs = needs
        self.dest = option.removeprefix("--").replace("-", "_")
        """Its name in the parsed arguments."""


def option(
    option: str,
    help_: str,
    *,
    default: T,
    metavar: str = "",
    needs: str = "",
    short: str = "",
) -> T:
    """A field that is an option of a command.

    :param option: as it is typed; a switch gives the value that `default` is not
    :param help_: its line in the help
    :param metavar: the placeholder of its value in the help; '' for a switch
    :param needs: the value of the `Ability` without which a backend refuses it; '' for none
    :param short: its short form, such as `-y`; '' for none
    """
    argument: Any = Argument(option, help_, default, metavar, needs, short)
    return argument  # type: ignore[no-any-return]  # the class puts the default in its place


def option_of(options: type[Options], field: str) -> Any:
    """A field that is the same option of a command as `field` of other options."""
    return options.arguments[field]


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(option, option_of)
)
class Options:
    """The base of a type of options. An instance cannot be changed."""

    defaults: dict[str, object]
    """Field -> its value where nothing is given."""
    own_arguments: dict[str, Argument]
    """Field -> how it is typed, of those that are options of a command, without the fields of a base."""
    arguments: dict[str, Argument]
    """The same with those of a base."""

    def __init_subclass__(cls) -> None:
        base: Any = cls.__base__
        values = {name: getattr(cls, name) for name in cls.__annotations__}
        cls.own_arguments = {
            name: value for name, value in values.items() if isinstance(value, Argument)
        }
        cls.arguments = {**getattr(base, "arguments", {}), **cls.own_arguments}
        cls.defaults = {
            **getattr(base, "defaults", {}),
            **values,
            **{name: argument.default for name, argument in cls.own_arguments.items()},
        }

    def __init__(self, **values: object) -> None:
        if unknown := values.keys() - self.defaults.keys():
            raise TypeError(f"{type(self).__name__} has no field `{min(unknown)}`")
        vars(self).update(self.defaults, **values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"`{name}` of {type(self).__name__} cannot be changed")

    def changed(self, **values: object) -> Self:
        """The same options with other `values`."""
        return type(self)(**{**vars(self), **values})

    def __iter__(self) -> Iterator[tuple[str, object]]:
        """(field, value as JSON data), in the order of the fields."""
        for name, value in vars(self).items():
            yield name, [*value] if isinstance(value, tuple) else value

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        raise TypeError(f"{type(self).__name__} has no hash: a field may be a dictionary")

    def __repr__(self) -> str:
        fields = vars(self).items()
        changed = (f"{name}={value!r}" for name, value in fields if value != self.defaults[name])
        return f"{type(self).__name__}({', '.join(changed)})"
