"""Write the indexes of rules and of file kinds and the editor's patterns, or with `--check` say which are out of date.

Both are found by looking into a folder, so one that is lost would be lost in silence; and a check
of one file has no time to import all of them. The indexes are what users may rely on: an id that
stands in one is never renamed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from sandboxd.files import write_atomic
from tools import agent_files

if TYPE_CHECKING:
    from sandboxd.findings import Need

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_HEAD = '''"""{about}

Made by `./dev docs` from the modules beside it.
"""

from __future__ import annotations

# fmt: off
'''


_HELD = "tools/held_formats.py"

_LAST = {"rules": "FAMILIES", "formats": "WATCHED"}
"""The last name that the index of a room has: without it, it was made by another version or cut off."""


def indexes() -> dict[str, str]:
    """Path below the checkout -> text."""
    _make_importable()
    return {
        "sandboxd/rules/_index.py": _rules(),
        "sandboxd/formats/_index.py": _kinds(),
        _HELD: _held(),
        "editor-extension/src/patterns.json": _patterns(),
        agent_files.PATH: agent_files.text(),
    }


def _rules() -> str:
    families = modules("rules/families")
    tables = {name: import_module(f"sandboxd.rules.families.{name}").ROWS for name in families}
    family_of = {row.META.id: name for name, rows in tables.items() for row in rows}
    own = [
        import_module(f"sandboxd.rules.{name}") for name in modules("rules") if name != "families"
    ]
    rows: dict[str, tuple[str, tuple[Need, ...], int]] = {}
    for rule in (*own, *(row for table in tables.values() for row in table)):
        subject = rule.check.__annotations__["subject"]
        rows[rule.META.id] = (subject, rule.META.needs, int(rule.META.severity))
    about = (
        "Every rule: what it is asked about, what that must hold for it to say anything, and the\n"
        "highest severity that it gives; and the family of those that are rows of one."
    )
    types = sorted({type(need).__name__ for _, needs, _ in rows.values() for need in needs})
    names = "".join(f"    {name},\n" for name in types)
    head = _HEAD.format(about=about).replace(
        "# fmt: off\n",
        "from typing import TYPE_CHECKING\n\n"
        f"from sandboxd.rules._needs import (\n{names})\n\n"
        "if TYPE_CHECKING:\n    from sandboxd.findings import Need\n\n"
        "# fmt: off\n",
    )
    return (
        head
        + "RULES: dict[str, tuple[str, tuple[Need, ...], int]] = {\n"
        + "".join(
            f"    {_text(rule)}: ({_text(subject)}, {_row(map(_need, needs))}, {severity}),\n"
            for rule, (subject, needs, severity) in sorted(rows.items())
        )
        + "}\n"
        + "FAMILIES: dict[str, str] = {\n"
        + "".join(
            f"    {_text(rule)}: {_text(name)},\n" for rule, name in sorted(family_of.items())
        )
        + "}\n"
    )


def _kinds() -> str:
    loaded = {name: import_module(f"sandboxd.formats.{name}") for name in _kind_names()}
    languages = {language: name for name, kind in loaded.items() for language in kind.LANGUAGES}
    watched = tuple(glob for kind in loaded.values() for glob in kind.WATCHED)
    about = (
        "Every file kind: patterns of its names, the languages of editors that stand for it, and the\n"
        "files to watch."
    )
    head = _HEAD.format(about=about)
    return (
        head
        + "KINDS: dict[str, tuple[str, ...]] = {\n"
        + "".join(f"    {_text(name)}: {_texts(kind.NAMES)},\n" for name, kind in loaded.items())
        + "}\n"
        + "LANGUAGES: dict[str, str] = {\n"
        + "".join(f"    {_text(key)}: {_text(name)},\n" for key, name in sorted(languages.items()))
        + "}\n"
        + f"WATCHED: tuple[str, ...] = {_texts(watched)}\n"
    )


def _held() -> str:
    """A module that nothing imports: for the type checker, which compares each format with the protocol."""
    names = _kind_names()
    return (
        '"""Every format, held against the protocol `Kind` by the type checker.\n\n'
        'Made by `./dev docs` from the modules of `sandboxd/formats`.\n"""\n\n'
        "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\n# fmt: off\n"
        "if TYPE_CHECKING:\n    from sandboxd.formats import (\n        Kind,\n"
        + "".join(f"        {name},\n" for name in names)
        + "    )\n\n    HELD: tuple[Kind, ...] = (\n"
        + "".join(f"        {name},\n" for name in names)
        + "    )\n"
    )


def _patterns() -> str:
    """Globs of every kind's names for VS Code, which tells capitals and small letters apart."""
    names = {
        name for kind in _kind_names() for name in import_module(f"sandboxd.formats.{kind}").NAMES
    }
    globs = [f"**/{re.sub('[a-z]', _either_case, name)}" for name in sorted(names)]
    return json.dumps(globs, indent=4) + "\n"


def _kind_names() -> list[str]:
    return [name for name in modules("formats") if name != "resolved"]


def _either_case(letter: re.Match[str]) -> str:
    return f"[{letter[0]}{letter[0].upper()}]"


def _make_importable() -> None:
    """Put an empty index where one is missing or broken, as after a merge: rules import theirs."""
    if not _runs(agent_files.PATH, "VARIABLES"):
        write_atomic(f"{ROOT}/{agent_files.PATH}", agent_files.text().encode())
    for room, name in (("rules", "RULES"), ("formats", "KINDS")):
        path = f"sandboxd/{room}/_index.py"
        if not _runs(path, _LAST[room]):
            text = f"from typing import Any\n\n{name}: dict[str, Any] = {{}}\n"
            if room == "rules":
                text += "FAMILIES: dict[str, str] = {}\n"
            else:
                text += "LANGUAGES: dict[str, str] = {}\nWATCHED: tuple[str, ...] = ()\n"
            write_atomic(f"{ROOT}/{path}", text.encode())


def _runs(path: str, last: str) -> bool:
    """Whether the generated module at `path` is whole: it runs, and has its `last` name."""
    text = _read(f"{ROOT}/{path}") or "("
    try:
        exec(compile(text if last in text else "(", path, "exec"), {})
    except (SyntaxError, ImportError, NameError, TypeError):
        return False
    return True


def modules(room: str) -> list[str]:
    """The modules and packages of a growth folder, by name; those with an underscore are its helpers."""
    with os.scandir(f"{ROOT}/sandboxd/{room}") as entries:
        return sorted(
            entry.name.removesuffix(".py")
            for entry in entries
            if not entry.name.startswith("_")
            and (entry.name.endswith(".py") or os.path.isfile(f"{entry.path}/__init__.py"))
        )


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _texts(texts: tuple[str, ...]) -> str:
    return _row(map(_text, texts))


def _need(need: Need) -> str:
    """The words that make a need: they are named tuples."""
    assert isinstance(need, tuple)
    return f"{type(need).__name__}({', '.join(map(_text, need))})"


def _row(items: Iterable[str]) -> str:
    """A tuple, from the text of each of its items."""
    texts = list(items)
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def stale() -> list[str]:
    """The indexes that differ from what the folders hold."""
    return [path for path, text in indexes().items() if _read(f"{ROOT}/{path}") != text]


def write() -> list[str]:
    """Bring the indexes up to date; the paths of those that were not."""
    late = stale()
    texts = indexes()
    for path in late:
        write_atomic(f"{ROOT}/{path}", texts[path].encode())
    return late


def main() -> int:
    """Run; exit 1 when `--check` finds an index out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        print("".join(f"{path}\n" for path in write()), end="")
        return 0
    late = stale()
    for path in late:
        print(f"out of date: {path}", file=sys.stderr)
    if late:
        print("hint: run `./dev docs`", file=sys.stderr)
    return 1 if late else 0


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
