"""The protocol between commands and the daemon: one JSON-RPC 2.0 message a line, UTF-8.

A connection begins with the request `hello`; before its answer nothing else is served. Requests
may be sent without waiting; answers carry the request's id and may come in another order. After
`status/watch` the daemon also sends notifications: `snapshot`, `live` once, then one `event` for
each change, so that nothing is lost or told twice in between.

This module is imported by the fast path of `status`, so at run time it holds only plain strings
and numbers: the shapes below exist for the type checker and for readers.
"""

from __future__ import annotations

PROTOCOL = 1
"""In the name of the socket's folder: daemons of two protocols never meet on one socket."""

MAX_LINE = 8 * 1024 * 1024
"""Bytes of one message, its newline included; a longer one ends the connection."""

HELLO = "hello"
STATUS_RENDER = "status/render"
STATUS_WATCH = "status/watch"
PROJECT_REGISTER = "project/register"
PROJECT_FORGET = "project/forget"
PROJECT_LIST = "project/list"
SHUTDOWN = "daemon/shutdown"
LSP_ATTACH = "lsp/attach"
"""After its answer the connection carries the language server protocol, until it ends."""

SESSION_END = b"\0"
"""Ends what the daemon sends of a language server session: JSON holds no such byte. One more
follows, the session's exit code: `0` or `1`."""

SNAPSHOT = "snapshot"
LIVE = "live"
EVENT = "event"

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NOT_GREETED = -32001
"""A request came before `hello`."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypedDict

    class Hello(TypedDict):
        """Params of `hello`: the caller's world, which may differ from the daemon's own."""

        version: str
        """sandboxd's version on the calling side; the daemon answers with its own."""
        docker_host: str | None
        """DOCKER_HOST, None when unset: it decides which engine the answers are about."""
        docker_context: str | None
        """DOCKER_CONTEXT, None when unset."""
        path: str
        """PATH, for finding runtimes and credential helpers as the caller would."""
        cwd: str
        """Working directory, absolute: its project is shown first."""

    class Welcome(TypedDict):
        """Result of `hello`. The order of the fields is part of the protocol."""

        version: str
        """sandboxd's version in the daemon."""
        protocol: int
        """`PROTOCOL` of the daemon."""
        pid: int
        """The daemon's process id, for people and logs; signals go by the peer's credentials."""

    class Render(TypedDict):
        """Params of `status/render` and `status/watch`: the caller's terminal, so that the daemon can lay out text."""

        format: Literal["text", "json"]
        colour: bool
        """Whether the caller's stdout takes colour (a terminal, no NO_COLOR, TERM not dumb)."""
        columns: int
        """Width to wrap at."""

    class Rendered(TypedDict):
        """Result of `status/render`, params of `snapshot`. The order of the fields is fixed."""

        exit: int
        """Exit code for the command."""
        text: str
        """What to print, its last newline included."""

    class ProjectPath(TypedDict, total=False):
        """Params of `project/register` and `project/forget`."""

        path: str
        """The workspace, absolute."""
        keeps: bool
        """Only of `register`: False remembers the project, but writes nothing into it."""
        wait: bool
        """Only of `register`: False answers before the project was looked at."""

    class Remembered(TypedDict):
        """One project of `Listed`."""

        path: str
        """The workspace."""
        keeps: bool
        """Whether its generated files are written at each save."""
        exists: bool
        """Whether its folder is there."""

    class Listed(TypedDict):
        """Result of `project/list`."""

        projects: list[Remembered]
        """All remembered projects, by path."""

    class Shutdown(TypedDict, total=False):
        """Params of `daemon/shutdown`."""

        handover: bool
        """Make way for another daemon at once, but go on serving the editors that are attached."""

    class Attach(TypedDict):
        """Params of `lsp/attach`."""

        environ: dict[str, str]
        """The editor's environment: configs name its variables."""

    class Event(TypedDict, total=False):
        """Params of the notification `event`."""

        kind: Literal[
            "regenerated", "unchanged", "invalid", "failed", "gone", "back", "host", "sandbox"
        ]
        """What happened: files were written, a save changed nothing, the config cannot be used
        (the last good files stay), generating failed, the folder vanished or returned, the host
        changed, a project's container started, changed or ended."""
        path: str
        """The project's workspace; absent for `host`."""
        files: list[str]
        """Files written, relative to the workspace."""
        message: str
        """One line for a person; absent when `files` say it all."""
        milliseconds: float
        """From the save until the files were in place."""
