"""What describes one key of a `sandboxd.toml`, and one table."""

from __future__ import annotations

from typing import NamedTuple

TEXT, TEXTS, DATE, NUMBER = "string", "list of strings", "date", "whole number"


class Key(NamedTuple):
    """A key of `sandboxd.toml`. The name `*` stands for all keys of a table whose names the project chooses."""

    name: str
    meaning: str
    """One sentence without a full stop."""
    example: str
    """An example value as it is written in the file; for `*` a whole line."""
    type: str = TEXT
    """`TEXT`, `TEXTS`, `DATE` or `NUMBER`, which is above 0."""
    default: str = ""
    """What applies if the key is missing, in words; '' for a key that must be there."""
    choices: tuple[str, ...] = ()
    """The values that it, or each item of its list, may have; () for any text."""
    names: tuple[str, ...] = ()
    """For `*`: the names that the project may use; () for any."""
    limits: str = ""
    """What the key cannot do, in whole sentences; '' for nothing."""
    literal: str | None = None
    """The default as a value of the file; None where it cannot be written as one."""
    pattern: str = ""
    """A regular expression for the value, of a list for each item that is none of `choices`; '' for any text."""
    own_text: bool = False
    """Whether a value that refers to a variable of the host's environment is refused."""
    may_be_empty: bool = False
    idle_beside: tuple[str, tuple[str, ...]] | None = None
    """Another key of the table and values of it with which this key would have no effect, and is refused. None for
    none."""


class Table(NamedTuple):
    """A table of `sandboxd.toml`; the name '' stands for the top level."""

    name: str
    meaning: str
    keys: tuple[Key, ...]
    repeated: bool = False
    """Whether it is an array of tables, written `[[name]]`."""

    @property
    def heading(self) -> str:
        """The header as it is written in the file; '' for the top level."""
        if not self.name:
            return ""
        return f"[[{self.name}]]" if self.repeated else f"[{self.name}]"

    @property
    def is_open(self) -> bool:
        """Whether the project chooses the names of its keys."""
        return self.keys[0].name == "*"
