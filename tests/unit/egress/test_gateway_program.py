"""The gateway's program runs where little is: in a container of its own."""

from __future__ import annotations

import subprocess
import sys

_LIST = (
    "import sys, sandboxd.egress.gateway.main\n"
    "print(*(name for name, module in sys.modules.items() if getattr(module, '__file__', None)))"
)


def test_it_imports_the_standard_library_h11_and_pure_modules_alone() -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-c", _LIST], check=True, capture_output=True, text=True
    )
    names = result.stdout.split()
    ours = {name for name in names if name.partition(".")[0] == "sandboxd"}
    others = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    assert others - {"_virtualenv", "sitecustomize", "usercustomize"} <= {"h11", "sandboxd"}
    allowed = ("sandboxd.egress.gateway", *(f"sandboxd.egress.{name}" for name in _PURE))
    assert {
        name for name in ours - {"sandboxd", "sandboxd.egress"} if not name.startswith(allowed)
    } == set()


_PURE = (
    "addresses",
    "broker",
    "decoy",
    "layout",
    "messages",
    "names",
    "placeholder",
    "policy",
    "questions",
    "spellings",
    "wire",
    "words",
)
