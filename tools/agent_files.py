"""The text of `sandboxd/agent_files.py`, from the table `host` of each agent's TOML file.

A check of one file has no time to read twenty files of agents.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PATH = "sandboxd/agent_files.py"
FOLDERS = ("sandboxd/agents/shipped", "sandboxd/agents/others")

LISTS = (
    "project", "stubs", "instructions", "definitions", "servers", "login", "startup", "caches",
)  # fmt: skip
"""Keys of `host` that hold names of files."""

_HEAD = '''"""Files of AI agents on a host: those that they obey, and those that hold their logins, hooks and caches.

Made by `./dev docs` from the table `host` in `agents/shipped/*.toml` and `agents/others/*.toml`.
"""

from __future__ import annotations

# fmt: off
'''


def text() -> str:
    """The module's text.

    :raises ValueError: a file has a key that is not known, or a value of another type
    """
    agents = list(_agents())

    def of_all(key: str) -> list[str]:
        return list(dict.fromkeys(name for _, host in agents for name in host.get(key, ())))

    project = [f"({_text(host['source'])}, {_texts(host['project'])})"
               for _, host in agents if "project" in host]  # fmt: skip
    servers = {name: title for title, host in agents for name in host.get("servers", ())}
    variables = {
        name: path for _, host in agents for name, path in host.get("variables", {}).items()
    }
    parts = (
        _name("PROJECT", "tuple[tuple[str, tuple[str, ...]], ...]", _rows(project),
              "(source, names) of the files of a project that make an agent act, as `policy/acts_on_host_table` has them."),
        _name("STUBS", "tuple[str, ...]", _texts(of_all("stubs")),
              "Folders among them that mean nothing when they are empty."),
        _name("INSTRUCTIONS", "tuple[str, ...]", _texts(name.lower() for name in of_all("instructions")),
              "Texts that an agent follows, in small letters."),
        _name("DEFINITIONS", "tuple[str, ...]", _texts(f"{name}/" for name in of_all("definitions")),
              "Folders of a project in which agents, commands and skills are defined."),
        _name("SERVERS", "dict[str, str]", _pairs(servers),
              "Folder of a project -> the agent that starts the MCP servers of its `mcp.json`."),
        _name("LOGINS", "tuple[str, ...]", _texts(of_all("login")),
              "Places of an agent's login, below the home."),
        _name("STARTUP", "tuple[str, ...]", _texts(of_all("startup")),
              "Places below the home whose hooks and MCP servers are commands."),
        _name("CACHES", "tuple[str, ...]", _texts(of_all("caches")),
              "Places in those of a login that hold no secret."),
        _name("VARIABLES", "dict[str, str]", _pairs(variables),
              "Variable of a host -> the place that it names by default."),
    )  # fmt: skip
    return _HEAD + "".join(parts)


def _agents() -> Iterator[tuple[str, dict[str, Any]]]:
    """(title, `host`) of every agent."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("*.toml")):
            data = tomllib.loads(path.read_text())
            if "host" in data:
                yield data["title"], _checked(path.name, data["host"])


def _checked(name: str, host: dict[str, Any]) -> dict[str, Any]:
    if unknown := sorted(host.keys() - {"source", "variables", *LISTS}):
        raise ValueError(f"{name}: `host` has an unknown key `{unknown[0]}`")
    if not str(host.get("source")).startswith("https://"):
        raise ValueError(f"{name}: `host` has no source")
    for key in LISTS:
        if not all(isinstance(each, str) for each in host.get(key, ())):
            raise ValueError(f"{name}: `{key}` of `host` is no list of names")
    return host


def _name(name: str, type_: str, value: str, about: str) -> str:
    return f'{name}: {type_} = {value}\n"""{about}"""\n'


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _texts(texts: Iterable[str]) -> str:
    return _tuple(map(_text, texts))


def _tuple(items: Iterable[str]) -> str:
    found = list(items)
    return f"({', '.join(found)}{',' if len(found) == 1 else ''})"


def _rows(items: Iterable[str]) -> str:
    return "(\n" + "".join(f"    {item},\n" for item in items) + ")"


def _pairs(pairs: dict[str, str]) -> str:
    return "{" + ", ".join(f"{_text(key)}: {_text(value)}" for key, value in pairs.items()) + "}"
