"""Arguments in their plain form, read without `argparse`, whose import costs more than Python's own start.

Plain means: options by their whole names, each value a word of its own or after `=`, paths side by side, and the words
of another command last. Everything else, help and errors included, is left to `argparse`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

REST = "..."
"""`argparse.REMAINDER`: everything that is left belongs to another command."""

_SETTINGS = {"action", "nargs", "default", "metavar", "help", "choices"}

_OF_MANY = {"nargs", "metavar", "help"}


class _NotPlainError(Exception):
    """The words are not plain, so `argparse` has to read them."""


class Arguments:
    """The values of the arguments, as attributes."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def read(configure: Callable[[Any], None], words: Sequence[str]) -> Arguments | None:
    """The arguments `words` of a command as `argparse` reads them; None where only it can.

    :param configure: adds the command's arguments to a parser
    """
    plain = _Plain()
    try:
        configure(plain)
        return Arguments(plain.read(words))
    except _NotPlainError:
        return None


class _Plain:
    """Takes the place of a parser while a command declares its arguments."""

    def __init__(self) -> None:
        self._actions: dict[str, tuple[str, str]] = {}
        """The argparse action and the attribute of each option."""
        self._values: dict[str, Any] = {}
        self._rest = ""
        self._choices: dict[str, Any] = {}
        """The values that an attribute may have, where not any."""
        self._many = ""
        """The attribute of the words that are no options, any number of them side by side."""

    def __getattr__(self, name: str) -> Any:
        raise _NotPlainError

    def add_argument(self, *names: str, **settings: Any) -> None:
        action, nargs = settings.get("action", "store"), settings.get("nargs")
        if not settings.keys() <= _SETTINGS or action not in ("store", "store_true", "append"):
            raise _NotPlainError
        long = [name for name in names if name.startswith("--")]
        if long and nargs is None:
            fills = long[0][2:].replace("-", "_")
            default = False if action == "store_true" else settings.get("default")
            self._actions.update(dict.fromkeys(names, (action, fills)))
            self._values[fills] = list(default) if isinstance(default, list) else default
            if "choices" in settings:
                self._choices[fills] = settings["choices"]
        elif not names[0].startswith("-") and nargs == REST and not self._rest:
            self._rest = names[0]
            self._values[self._rest] = []
        elif not names[0].startswith("-") and nargs == "*" and settings.keys() <= _OF_MANY:
            self._many = self._many or names[0]
            self._values[names[0]] = []
        else:
            raise _NotPlainError

    def set_defaults(self, **values: Any) -> None:
        self._values.update(values)

    def read(self, words: Sequence[str]) -> dict[str, Any]:
        """The values of all arguments.

        :raises _NotPlainError: `words` are not plain
        """
        remaining = list(words)
        many = self._many
        while remaining and remaining[0] != "--":
            if remaining[0].startswith("-"):
                self._take_option(remaining)
            elif many:
                options = (at for at, word in enumerate(remaining) if word.startswith("-"))
                end = next(options, len(remaining))
                self._values[many], remaining, many = remaining[:end], remaining[end:], ""
            else:
                break
        if remaining and not self._rest:
            raise _NotPlainError
        return self._values | ({self._rest: remaining} if self._rest else {})

    def _take_option(self, remaining: list[str]) -> None:
        name, equals, value = remaining.pop(0).partition("=")
        action, fills = self._actions.get(name, ("", ""))
        # `-w=DIR` is an odd way to write a value, and not ours to read.
        if not action or (equals and (action == "store_true" or not name.startswith("--"))):
            raise _NotPlainError
        if action == "store_true":
            self._values[fills] = True
            return
        if not equals:
            if not remaining or remaining[0].startswith("-"):
                raise _NotPlainError
            value = remaining.pop(0)
        if value not in self._choices.get(fills, (value,)):
            raise _NotPlainError
        if action == "append":
            self._values[fills] = [*(self._values[fills] or []), value]
        else:
            self._values[fills] = value
