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
SOURCES = {module: path.read_text() for module, path in MODULES.items()}
KNOWN = frozenset(MODULES)


def test_each_module_is_in_a_room_of_the_table() -> None:
    new = {room_of(module) for module in MODULES} - MAY_IMPORT.keys()
    assert new == set(), "a new room: give it a row in import_table.py"


def test_each_module_keeps_to_the_table() -> None:
    found = {module: violations(module, source, KNOWN) for module, source in SOURCES.items()}
    assert {module: lines for module, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("rules.a", "from sandboxd.rules import b", "sibling"),
        ("rules.a", "import sandboxd.rules.b", "sibling"),
        ("rules.a", "from . import b", "sibling"),
        ("rules.a", "from sandboxd.life.up_down import up", "may not import `life.up_down`"),
        ("formats.compose.mounts", "from sandboxd.formats.devcontainer import reader", "sibling"),
        ("cli.x", "from sandboxd.rules._mounts import x", "the private `rules._mounts.x`"),
        ("cli.x", "def f():\n    from sandboxd.rules import _mounts", "private `rules._mounts`"),
        ("cli.x", "from sandboxd.text import _at", "the private `text._at`"),
        ("formats.a", "from sandboxd.formats.compose import _b", "private `formats.compose._b`"),
        ("formats.a", "from sandboxd.formats.resolved import layers", "sibling"),
        ("text", "from sandboxd.errors import UsageError", "may not import `errors`"),
        ("lsp.x", "from sandboxd.daemon import service", "may not import `daemon.service`"),
        ("rules.a", "def f():\n    import subprocess", "line 2: `rules` may not use `subprocess`"),
        ("plan.x", "import os\nos.environ['HOME']", "`plan` may not use `os.environ`"),
        ("plan.x", "import os\nos.getenv('HOME')", "`plan` may not use `os.environ`"),
        ("plan.x", "from os import environ", "`plan` may not use `os.environ`"),
        ("daemon.x", "from docker import APIClient", "`daemon` may not use `docker`"),
        ("lsp.x", "from watchfiles import awatch", "`lsp` may not use `watchfiles`"),
        ("backends.docker", "import lightkube", "`backends` may not use `lightkube`"),
        ("daemon.x", "import pickle", "`daemon` may not use `pickle`"),
        ("policy.x", "def f():\n    import tomli_w", "`policy` may not use `tomli_w`"),
        ("host.facts", "import time", "may not use `time`"),
        ("host.facts", "from sandboxd.host.probe import probe", "may not import `host.probe`"),
        (
            "host.facts.engine",
            "from sandboxd.host.probe import probe",
            "may not import `host.probe`",
        ),
        ("host.platforms.a", "import subprocess", "may not use `subprocess`"),
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
        ("formats.compose.mounts", "from sandboxd.formats import _mounts"),
        ("formats.resolved.container", "from sandboxd.formats.devcontainer import features"),
        ("cli.commands.daemon", "from sandboxd import __version__"),
        ("rules.a", "from sandboxd.findings import Finding"),
        ("formats.compose.mounts", "from sandboxd.formats.compose.values import boolean"),
        ("cli.commands.daemon", "def run():\n    from sandboxd.daemon.service import serve"),
        ("engine.client", "import subprocess\nimport time"),
        ("host.probe", "import os\nos.environ"),
    ],
)
def test_what_is_allowed_is_no_breach(module: str, source: str) -> None:
    known = KNOWN | {"rules._mounts", "daemon.service"}
    assert violations(module, source, known) == []


def test_imports_for_types_stand_in_one_form() -> None:
    """Under `if TYPE_CHECKING:`, whose name comes from `typing`.

    What the commands load on their way to the daemon has no time for that module: it sets the name to
    False itself, which type checkers take for the same, and then imports `typing` for types alone.
    """
    assert [module for module, source in SOURCES.items() if not _has_the_form(source)] == []


def _has_the_form(source: str) -> bool:
    if "typing.TYPE_CHECKING" in source:
        return False
    if "\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n" in source:
        at_run_time = {imported.module for imported in imports(source) if not imported.for_types}
        return not any(name.startswith("typing.") for name in at_run_time)
    if "if TYPE_CHECKING:" in source:
        return "typing.TYPE_CHECKING" in {imported.module for imported in imports(source)}
    return True


@pytest.mark.parametrize(
    "source",
    [
        "import typing\nif typing.TYPE_CHECKING:\n    import x\n",
        "from typing import Any\n\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n    import x\n",
        "from x import TYPE_CHECKING\nif TYPE_CHECKING:\n    import x\n",
    ],
)
def test_another_form_is_found(source: str) -> None:
    assert not _has_the_form(source)


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(SOURCES) == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("from sandboxd.x.b import f", "from sandboxd.x import a"), ["x.a", "x.b", "x.a"]),
        (("import sandboxd.x.b", "def f():\n    import sandboxd.x.a"), ["x.a", "x.b", "x.a"]),
        (
            ("from sandboxd.x.b import f", "if TYPE_CHECKING:\n    import sandboxd.x.a"),
            ["x.a", "x.b", "x.a"],
        ),
        (("from sandboxd.x.b import f", "import x.a"), []),
    ],
)
def test_a_circle_is_named(sources: tuple[str, str], expected: list[str]) -> None:
    assert circle(dict(zip(("x.a", "x.b"), sources, strict=True))) == expected


def test_no_permission_is_left_that_nobody_uses() -> None:
    assert unused(SOURCES) == []


def test_a_permission_that_nobody_uses_is_found() -> None:
    sources = {module: source for module, source in SOURCES.items() if room_of(module) != "render"}
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
    *("__main__", "text", "errors", "findings", "files", "data", "syntax", "model", "formats"),
    *("rules", "lint", "render", "config", "host.facts", "host.advisories", "ipc"),
)


def test_what_check_loads_imports_nothing_heavy() -> None:
    loaded = {module for module in MODULES if room_of(module) in LIGHT_ROOMS}
    heavy = {
        module: name
        for module in loaded - {"ipc.server", "ipc.client"}
        for name in {imported.module for imported in imports(SOURCES[module])}
        if any(f"{name}.".startswith(f"{bad}.") for bad in HEAVY)
    }
    assert heavy == {}
