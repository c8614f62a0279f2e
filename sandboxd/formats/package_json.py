"""`package.json`: programs that its tools run around commits.

Sources: https://github.com/lint-staged/lint-staged#configuration, https://github.com/toplenboren/simple-git-hooks,
https://typicode.github.io/husky/migrate-from-v4.html, https://github.com/yyx990803/yorkie. Scripts (`npm test`)
run when somebody runs them, and are not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults, _hook_reader
from sandboxd.model.document import Document
from sandboxd.model.host_hooks import HostHooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "package_json"
NAMES = ("package.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED: tuple[str, ...] = ()
LARGEST = _defaults.LARGEST
recognises = _defaults.recognises
containers = _defaults.containers
edits = _defaults.no_edits
can = _defaults.by_edits(edits)

# Tool, and where it keeps an object with a command, or a list of them, for each hook of git.
_BY_HOOK = (
    ("simple-git-hooks", ("simple-git-hooks",)),
    ("husky", ("husky", "hooks")),
    ("yorkie", ("gitHooks",)),
)
_STAGED = "lint-staged"
_SETTING = re.compile(r"\"(?:lint-staged|simple-git-hooks|husky|gitHooks)\"\s*:\s*\{")


def matches(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def fits(path: str, text: str) -> bool:
    """Whether a tool that runs programs around commits is set up, and not only named."""
    return _SETTING.search(text) is not None


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    root, path = document.tree.root, document.source.path
    when = _hook_reader.occasion("pre-commit")
    staged = _agent_reader.at(root, _STAGED)
    # Its older form has the patterns one level deeper, beside settings.
    patterns = _agent_reader.at(staged, "linters") or staged
    by_tool = {
        _STAGED: [
            command
            for pattern, entry in _agent_reader.members(patterns)
            for command in _hook_reader.commands(entry, path, pattern, when)
        ]
    }
    for tool, keys in _BY_HOOK:
        by_tool[tool] = [
            command
            for hook, entry in _agent_reader.members(_agent_reader.at(root, *keys))
            if hook in _hook_reader.OCCASIONS
            for command in _hook_reader.commands(entry, path, hook, _hook_reader.occasion(hook))
        ]
    for tool, commands in by_tool.items():
        if commands:
            yield "HostHooks", HostHooks(path, tool, tuple(commands))
