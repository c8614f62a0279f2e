"""Docker's `daemon.json`: settings of the engine for all containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.findings import Place
    from sandboxd.model.values import Value


class DaemonRuntime(NamedTuple):
    """An entry of `runtimes`. `args` holds its `runtimeArgs` as written."""

    name: Value[str]
    path: Value[str] | None
    args: tuple[Value[str], ...]

    def is_gvisor(self) -> bool:
        """Whether the file name of `path`, or the runtime's name if it has no path, is gVisor's."""
        path = self.path.value if self.path is not None else self.name.value
        return "runsc" in path.rpartition("/")[2]

    def flag(self, name: str) -> tuple[Value[str], str] | None:
        """The last argument that sets a flag, with the flag's value ('true' for a flag without a value); None if none
        sets it.
        """
        last = None
        for index, arg in enumerate(self.args):
            key, equals, value = arg.value.lstrip("-").partition("=")
            if key != name or not arg.value.startswith("-"):
                continue
            following = self.args[index + 1].value if index + 1 < len(self.args) else "-"
            if not equals:
                value = "true" if following.startswith("-") else following
            last = arg, value.strip("\"'")
        return last


class DaemonConfig(NamedTuple):
    """The content of a `daemon.json`.

    `values` has the scalars, and `lists` the arrays of strings, each by key. Nested keys are joined by dots:
    ``builder.entitlements``.
    """

    path: str
    place: Place
    values: Mapping[str, Value[object]]
    lists: Mapping[str, tuple[Value[str], ...]]
    runtimes: tuple[DaemonRuntime, ...]

    def get(self, key: str) -> object:
        """The value of a key; None if it is not set."""
        value = self.values.get(key)
        return None if value is None else value.value

    def strings(self, key: str) -> tuple[Value[str], ...]:
        return self.lists.get(key, ())

    def gvisors(self) -> list[DaemonRuntime]:
        return [runtime for runtime in self.runtimes if runtime.is_gvisor()]
