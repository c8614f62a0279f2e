"""The import table of the house holds in every module."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.import_table import MAY_IMPORT
from tests.contract.imports import circle, imports, room_of, unused, violations

PACKAGE = Path(__file__).resolve().parents[2] / "sandboxd"


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {_name(path): path for path in sorted(PACKAGE.rglob("*.py")) if "_data" not in path.parts}
KNOWN = frozenset(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_module_keeps_to_the_table(module: str) -> None:
    assert room_of(module) in MAY_IMPORT, "a new room: give it a row in import_table.py"
    assert violations(module, MODULES[module].read_text(), KNOWN) == []


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("rules.a", "from sandboxd.rules import b", "sibling"),
        ("rules.a", "import sandboxd.rules.b", "sibling"),
        ("rules.a", "from . import b", "sibling"),
        ("rules.a", "from sandboxd.life.up_down import up", "may not import `life.up_down`"),
        ("kinds.compose.mounts", "from sandboxd.kinds.devcontainer import reader", "sibling"),
        ("cli.x", "from sandboxd.rules._mounts import x", "the private `rules._mounts.x`"),
        ("cli.x", "def f():\n    from sandboxd.rules import _mounts", "private `rules._mounts`"),
        ("cli.x", "from sandboxd.text import _at", "the private `text._at`"),
        ("kinds.a", "from sandboxd.kinds.compose import _b", "private `kinds.compose._b`"),
        ("text", "from sandboxd.errors import UsageError", "may not import `errors`"),
        ("lsp.x", "from sandboxd.daemon import service", "may not import `daemon.service`"),
        ("rules.a", "def f():\n    import subprocess", "line 2: `rules` may not use `subprocess`"),
        ("plan.x", "import os\nos.environ['HOME']", "`plan` may not use `os.environ`"),
        ("plan.x", "import os\nos.getenv('HOME')", "`plan` may not use `os.environ`"),
        ("plan.x", "from os import environ", "`plan` may not use `os.environ`"),
        ("daemon.x", "from docker import APIClient", "`daemon` may not use `docker`"),
        ("lsp.x", "from watchfiles import awatch", "`lsp` may not use `watchfiles`"),
        ("daemon.x", "import pickle", "`daemon` may not use `pickle`"),
        ("policy.x", "def f():\n    import tomli_w", "`policy` may not use `tomli_w`"),
        ("host.facts", "import time", "may not use `time`"),
        ("host.facts", "from sandboxd.host.probe import probe", "may not import `host.probe`"),
        ("lint.x", "from time import monotonic", "`lint` may not use `time`"),
    ],
)
def test_a_breach_is_found(module: str, source: str, expected: str) -> None:
    known = KNOWN | {"rules.b", "life.up_down", "daemon.service", "host.probe"}
    assert expected in "\n".join(violations(module, source, known))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("rules.a", "from sandboxd.rules._mounts import x"),
        ("rules", "from sandboxd.rules import _mounts"),
        ("kinds.compose.mounts", "from sandboxd.kinds import _mounts"),
        ("cli.commands.daemon", "from sandboxd import __version__"),
        ("rules.a", "from sandboxd.findings import Finding"),
        ("kinds.compose.mounts", "from sandboxd.kinds.compose.values import boolean"),
        ("cli.commands.daemon", "def run():\n    from sandboxd.daemon.service import serve"),
        ("engine.client", "import subprocess\nimport time"),
        ("host.probe", "import os\nos.environ"),
    ],
)
def test_what_is_allowed_is_no_breach(module: str, source: str) -> None:
    known = KNOWN | {"rules._mounts", "daemon.service"}
    assert violations(module, source, known) == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_for_types_stand_in_one_form(module: str) -> None:
    """Under `if TYPE_CHECKING:`, whose name comes from `typing`.

    What the commands load on their way to the daemon has no time for that module: it sets the name to
    False itself, which type checkers take for the same, and then imports `typing` for types alone.
    """
    source = MODULES[module].read_text()
    assert "typing.TYPE_CHECKING" not in source
    if "\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n" in source:
        at_run_time = {imported.module for imported in imports(source) if not imported.for_types}
        assert not any(name.startswith("typing.") for name in at_run_time)
    elif "if TYPE_CHECKING:" in source:
        assert "typing.TYPE_CHECKING" in {imported.module for imported in imports(source)}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle({module: path.read_text() for module, path in MODULES.items()}) == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("from sandboxd.x.b import f", "from sandboxd.x import a"), ["x.a", "x.b", "x.a"]),
        (("import sandboxd.x.b", "def f():\n    import sandboxd.x.a"), ["x.a", "x.b", "x.a"]),
        (("from sandboxd.x.b import f", "if TYPE_CHECKING:\n    import sandboxd.x.a"), []),
        (("from sandboxd.x.b import f", "import x.a"), []),
    ],
)
def test_a_circle_is_named(sources: tuple[str, str], expected: list[str]) -> None:
    assert circle(dict(zip(("x.a", "x.b"), sources, strict=True))) == expected


def test_no_permission_is_left_that_nobody_uses() -> None:
    assert unused({module: path.read_text() for module, path in MODULES.items()}) == []


def test_a_permission_that_nobody_uses_is_found() -> None:
    sources = {module: path.read_text() for module, path in MODULES.items()}
    sources = {module: source for module, source in sources.items() if room_of(module) != "render"}
    assert "`render` does not import `markup`" in unused(sources)


# Importing these costs more than the whole of `status` or `check` may.
HEAVY = {
    "dataclasses",
    "importlib.resources",
    "asyncio",
    "docker",
    "requests",
    "pygls",
    "watchfiles",
}
LIGHT_ROOMS = (
    *("__main__", "text", "errors", "findings", "files", "data", "syntax", "model", "kinds"),
    *("effective", "rules", "lint", "render", "config", "host.facts", "ipc"),
)


@pytest.mark.parametrize("module", [name for name in MODULES if room_of(name) in LIGHT_ROOMS])
def test_what_check_loads_imports_nothing_heavy(module: str) -> None:
    if module in ("ipc.server", "ipc.client"):
        return
    names = {imported.module for imported in imports(MODULES[module].read_text())}
    heavy = {name for name in names if any(f"{name}.".startswith(f"{bad}.") for bad in HEAVY)}
    assert heavy == set()
