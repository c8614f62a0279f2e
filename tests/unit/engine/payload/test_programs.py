"""Programs that are sent inside as text."""

from __future__ import annotations

import ast
import threading
import time

import pytest

from sandboxd.engine.payload import programs

FIRST = '''"""One."""

from __future__ import annotations

from typing import Any


def first() -> Any:
    return 1
'''
SECOND = '''"""Two."""

from __future__ import annotations

import json

from sandboxd.review.one import (
    first,
)
from sandboxdish import other

OTHER = first() + 1
'''


def test_modules_that_import_each_other_become_one_program() -> None:
    text = programs.joined([FIRST, SECOND])
    assert "sandboxd.review" not in text
    assert "from sandboxdish import other\n" in text and "import json\n" in text
    names: dict[str, object] = {}
    exec(compile(text.replace("from sandboxdish import other\n", ""), "x", "exec"), names)
    assert names["OTHER"] == 2


def test_a_program_is_called_with_its_task() -> None:
    names: dict[str, object] = {}
    source = "import json\ndef main(task):\n    global SEEN\n    SEEN = task\n"
    exec(compile(programs.with_task(source, {"a": "\u2028'\"\\"}), "x", "exec"), names)
    assert names["SEEN"] == {"a": "\u2028'\"\\"}


def test_sources_are_parsed_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    parse, at_once, most = ast.parse, 0, 0

    def count(source: str) -> ast.Module:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.01)
        at_once -= 1
        return parse(source)

    monkeypatch.setattr(ast, "parse", count)
    threads = [threading.Thread(target=programs.parsed, args=("x = 1\n",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
