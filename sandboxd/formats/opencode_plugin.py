"""`.opencode/plugins/*.ts`: programs of a repository that opencode loads with each session.

No config names them: to lie there is enough. `.opencode/plugin` is the folder's older name, `tool` and `tools`
hold programs that the agent may call.

Source: https://opencode.ai/docs/plugins, /custom-tools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.formats import _defaults
from sandboxd.model.agent import AgentConfig, Program
from sandboxd.model.document import Document
from sandboxd.model.values import Origin, Value
from sandboxd.syntax.node import Tree
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "opencode_plugin"
_FOLDERS = ("plugin", "plugins", "tool", "tools")
NAMES = tuple(f"{folder}/*.{ending}" for folder in _FOLDERS for ending in ("ts", "js"))
LANGUAGES: tuple[str, ...] = ()
COMMENT = "//"
WATCHED = ("**/.opencode/{plugin,plugins,tool,tools}/*.{ts,js}",)
LARGEST = 1024 * 1024
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers
edits = _defaults.no_edits
can = _defaults.by_edits(edits)


def matches(path: str) -> bool:
    above, _, folder = path.rpartition("/")[0].rpartition("/")
    is_there = folder in _FOLDERS and above.rpartition("/")[2] == ".opencode"
    return is_there and path.endswith((".ts", ".js")) and not path.endswith(".d.ts")


def parse(source: SourceText) -> Document:
    return Document(NAME, source, Tree(None, (), ()), "shell")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    path, text = document.source.path, document.source.text
    if not text.strip():
        return
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    place = Place(path, Span(start, len(text) if end < 0 else end))
    name = "/".join(path.split("/")[-3:])
    occasion = "as a plug-in with each session"
    if f"/{name}".startswith("/.opencode/tool"):
        occasion = "as a tool that the agent calls"
    value = Value(name, Origin("file", path, "plugin"), place, name)
    yield "AgentConfig", AgentConfig(path, "opencode", (Program("helper", occasion, value),))
