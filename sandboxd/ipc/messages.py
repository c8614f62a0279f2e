"""The protocol between commands and the daemon: one JSON-RPC 2.0 message a line, UTF-8.

A connection begins with the request `hello`; before its answer nothing else is served. Requests
may be sent without waiting; answers carry the request's id and may come in another order. After
`status/watch` the daemon also sends notifications: `snapshot`, `live` once, then one `event` for
each change, so that nothing is lost or told twice in between.

This module is imported by the fast path of `status`, so at run time it holds only plain strings
and numbers: the shapes below exist for the type checker and for readers.
"""

from __future__ import annotations

PROTOCOL = 2
"""The protocol's version, a part of the name of the socket's folder: daemons of two versions never share a socket."""

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
"""After its answer the connection carries the language server protocol until it ends."""

OPERATION = "operation/"
"""The prefix of methods that run an operation on a project's sandbox; the name of a module of `sandboxd.operations`
follows. The params are the operation's options and a `View`. `progress` notifications come before the answer; a
cancelled operation is answered by the error `CANCELLED`."""
CANCEL = "operation/cancel"
"""Cancels the operations of this connection at their next step; they are answered once they have cleaned up. Ending
the connection does the same."""

EXEC = "exec/start"
"""Its answer comes with a file descriptor (SCM_RIGHTS): the engine's own connection to the started command."""
EXEC_RESIZE = "exec/resize"
EXEC_SIGNAL = "exec/signal"
EXEC_CODE = "exec/code"
"""Waits for the exit code of the command that was started on the same connection."""

LOGS = "logs/start"
"""Its answer comes with a file descriptor: the engine's own connection, on which the log arrives in HTTP chunks."""

SESSION_END = b"\0"
"""The byte that ends what the daemon sends of a language server session; JSON does not contain it. One more byte
follows, the session's exit code: `0` or `1`."""

SNAPSHOT = "snapshot"
LIVE = "live"
EVENT = "event"
PROGRESS = "progress"

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NOT_GREETED = -32001
"""A request came before `hello`."""
NOT_HERE = -32002
"""The daemon does not see the same files as the caller, or cannot pass a descriptor: the caller does the work by
itself."""
CANCELLED = -32003
"""The operation was cancelled at the caller's request, and has cleaned up."""

AGENT_VARIABLE = "SSH_AUTH_SOCK"

ENGINE_VARIABLES = (
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    AGENT_VARIABLE,
)
"""The environment variables that, with the user's folders, decide which engine a caller means and how it is reached."""

FOLDER_VARIABLES = (
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
)
"""The environment variables that decide where the user's grants, policy, locks and saved work are."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypedDict

    class Hello(TypedDict):
        """Params of `hello`: the caller's world, which may differ from the daemon's own."""

        version: str
        """sandboxd's version on the calling side; the daemon answers with its own."""
        engine: dict[str, str]
        """Those of `ENGINE_VARIABLES` that are set, and DOCKER_CONFIG always, paths made absolute: which
        engine the answers are about. The daemon reads docker's own files by them, as the caller would."""
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

        format: str
        """``json``, or a form of `status.text`."""
        colour: bool
        """Whether the caller's stdout takes colour (a terminal, no NO_COLOR, TERM not dumb)."""
        columns: int
        """Width to wrap at."""

    class Rendered(TypedDict):
        """Result of `status/render`, params of `snapshot`. The order of the fields is fixed."""

        exit: int
        """Exit code for the command."""
        text: str
        """The text to print, its last newline included."""

    class ProjectPath(TypedDict, total=False):
        """Params of `project/register` and `project/forget`."""

        path: str
        """The workspace, absolute."""
        keeps: bool
        """Only of `register`: False remembers the project, but writes nothing into it."""
        wait: bool
        """Only of `register`: False answers before the project was looked at."""

    class Registered(TypedDict, total=False):
        """Result of `project/register`; empty where the project was not looked at."""

        problem: str
        """The reason why nothing can be generated, '' where it can."""
        hint: str
        """The exact next step then."""

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

    class View(TypedDict):
        """In the params of every operation: the world that the caller sees. The daemon compares it with
        its own, and does not act for a caller who sees another one."""

        directory: str
        """A folder of the project, absolute."""
        device: int
        """`st_dev` of that folder."""
        inode: int
        """`st_ino` of that folder."""
        folders: dict[str, str]
        """The `FOLDER_VARIABLES` that are set: never used, only compared."""

    class Progress(TypedDict):
        """Params of the notification `progress`."""

        text: str
        passing: bool
        """Written over by the next one on a terminal."""

    class Exec(TypedDict):
        """Params of `exec/start`."""

        view: View
        command: list[str]
        """[] for a shell."""
        tty: bool
        stdin: bool
        user: str
        """'' for the sandbox's own."""
        env: list[str]
        """NAME=VALUE each."""
        working_dir: str
        """'' for the sandbox's own."""
        name: str
        """Of the sandbox; '' for the one without."""

    class Begun(TypedDict):
        """Result of `exec/start`; a descriptor comes with it."""

        container: str
        exec_id: str
        variable: str
        """Name and value of the variable that marks the command's processes."""
        first: str
        """Output that came before the descriptor was sent, a code point a byte."""

    class Logs(TypedDict):
        """Params of `logs/start`."""

        view: View
        follow: bool
        """Go on until the sandbox ends."""
        tail: str
        """The number of the last lines, or ``all``."""
        since: int
        """Only what was written since, in seconds since 1970; 0 for all."""
        name: str
        """Of the sandbox; '' for the one without."""

    class Shown(TypedDict):
        """Result of `logs/start`; a descriptor comes with it."""

        engine: str
        """The engine's address, for messages."""
        tty: bool
        """The output is a terminal's, without frames."""
        first: str
        """The bytes that came before the descriptor was sent, a code point a byte."""

    class Resize(TypedDict):
        """Params of `exec/resize`: the size of the caller's terminal."""

        rows: int
        columns: int

    class Signal(TypedDict):
        """Params of `exec/signal`."""

        number: int

    class Code(TypedDict):
        """Result of `exec/code`, which waits for the end of the command."""

        code: int

    class Event(TypedDict, total=False):
        """Params of the notification `event`."""

        kind: (
            Literal["regenerated", "unchanged", "invalid", "failed", "gone", "back"]
            | Literal["host", "sandbox", "network"]
        )
        """The kind of event: files were written, a save changed nothing, the config cannot be used
        (the last good files stay), generating failed, the folder vanished or returned, the host
        changed, a project's container started, changed or ended, its gateway told something new."""
        path: str
        """The project's workspace; absent for `host`."""
        files: list[str]
        """Files written, relative to the workspace."""
        message: str
        """One line for a person; absent when `files` say it all."""
        milliseconds: float
        """From the save until the files were in place."""
