"""The projects of an editor: handed to the daemon, watched, and judged where no editor shows them.

A Compose file or a Dockerfile that changes may make a devcontainer.json weak that nobody has
open; that is said as well. Folders are watched by the client where it offers to, else by the
daemon. The client's settings are read here, too.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

from lsprotocol import types

from sandboxd import config
from sandboxd.errors import UnreadableError
from sandboxd.files import read_source
from sandboxd.lsp import convert, plans
from sandboxd.lsp.context import Context
from sandboxd.lsp.documents import OpenDocument, kind_of, uri_path
from sandboxd.status.examine import config_files

_PATTERNS = (
    "**/sandboxd.toml",
    "**/devcontainer.json",
    "**/.devcontainer.json",
    "**/*compose*.{yml,yaml}",
    "**/*Dockerfile*",
    "**/.env",
)
_PAUSE_SECONDS = 0.2
_MOST_FILES = 50

log = logging.getLogger(__name__)


def register(context: Context) -> None:
    projects = Projects(context)
    context.file_listeners.append(projects.files_changed)
    context.open_listeners.append(projects.touched)
    context.refreshers.append(projects.refresh)
    context.feature(types.INITIALIZED, projects.initialized)
    context.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, projects.watched_files_changed)
    context.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, projects.folders_changed)
    context.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION, projects.configuration_changed)


class Projects:
    """What lies around the open documents."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: set[str] = set()
        self._published: set[str] = set()
        self._client_watches = False
        self._soon: asyncio.TimerHandle | None = None

    def initialized(self, _params: types.InitializedParams) -> None:
        self._hand_over(self._context.roots())
        workspace = self._context.capabilities().workspace
        files = workspace.did_change_watched_files if workspace is not None else None
        if files is not None and files.dynamic_registration:
            self._client_watches = True
            watchers = [types.FileSystemWatcher(pattern) for pattern in _PATTERNS]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            item = types.Registration(
                "sandboxd-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options
            )
            self._context.server.client_register_capability(types.RegistrationParams([item]))
        if workspace is not None and workspace.configuration:
            self._context.spawn(self._configure())

    def folders_changed(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        self._hand_over([uri_path(folder.uri) for folder in params.event.added])

    def configuration_changed(self, params: types.DidChangeConfigurationParams) -> None:
        given = params.settings
        if isinstance(given, dict) and isinstance(given.get("sandboxd"), dict):
            self._set_options(given["sandboxd"])
        workspace = self._context.capabilities().workspace
        if workspace is not None and workspace.configuration:
            self._context.spawn(self._configure())

    def watched_files_changed(self, params: types.DidChangeWatchedFilesParams) -> None:
        paths = {uri_path(change.uri) for change in params.changes}
        for listener in self._context.file_listeners:
            listener(paths)

    def files_changed(self, _paths: set[str]) -> None:
        self._judge_soon()

    def refresh(self) -> None:
        self._judge_soon()

    def touched(self, document: OpenDocument) -> None:
        """A document was opened, changed or closed."""
        path = document.source.path
        if document.on_disk() and kind_of(path):
            self._hand_over([os.path.dirname(path)])
            self._judge_soon()

    def _hand_over(self, folders: list[str]) -> None:
        """Tell of each project once; a client may forbid it."""
        if self._context.options.get("register") is False:
            return
        for folder in folders:
            if folder in self._known:
                continue
            self._known.add(folder)
            workspace = plans.workspace_of(os.path.join(folder, "x"))
            if workspace is not None and workspace not in self._known | {folder}:
                self._known.add(workspace)
            if workspace is not None:
                self._context.surroundings.opened(workspace)

    def _judge_soon(self) -> None:
        """Not at each key: nobody looks at these files."""
        if self._soon is None:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(_PAUSE_SECONDS, self._judge_now)

    def _judge_now(self) -> None:
        self._soon = None
        self._context.spawn(self._judge_unopened())

    async def _judge_unopened(self) -> None:
        """Publish what is found in the unopened devcontainer.json files beside what is open."""
        opened = self._context.judgements.open_paths()
        wanted: set[str] = set()
        folders: set[str] = set()
        for path in opened:
            if not path.startswith("/"):
                continue
            root = _root(path)
            folders |= {os.path.dirname(path), root, os.path.join(root, ".devcontainer")}
            wanted.update(config_files(root))
        wanted = {p for p in wanted if p not in opened and os.path.basename(p) != config.FILE_NAME}
        for uri in opened.values():
            known = self._context.judgements.known(uri)
            folders |= {os.path.dirname(p) for p in (known.depends if known is not None else ())}
        for path in sorted(wanted)[:_MOST_FILES]:
            await self._publish_unopened(path, folders)
        for path in self._published - wanted:
            if path not in opened:
                self._send(path, [])
        self._published &= wanted
        if not self._client_watches:
            self._context.surroundings.watch(frozenset(folders))

    async def _publish_unopened(self, path: str, folders: set[str]) -> None:
        uri = convert.file_uri(path)
        try:
            document = OpenDocument(uri, 0, read_source(path), kind_of(path))
            judged = await asyncio.to_thread(self._context.judgements.judge, document)
        except UnreadableError:
            return
        except Exception:
            log.exception("checking `%s` failed", path)
            return
        if path in self._context.judgements.open_paths():
            return
        folders |= {os.path.dirname(p) for p in judged.depends}
        who = self._context.judgements.client()
        found = [
            convert.diagnostic(f, uri, document.source, judged.report, who)
            for f in judged.findings()
        ]
        if found or path in self._published:
            self._published.add(path)
            self._send(path, found)

    def _send(self, path: str, found: list[types.Diagnostic]) -> None:
        self._context.server.protocol.publish(convert.file_uri(path), found)

    async def _configure(self) -> None:
        """Ask the client for its settings."""
        params = types.ConfigurationParams([types.ConfigurationItem(section="sandboxd")])
        try:
            async with asyncio.timeout(10):
                answer = await self._context.server.workspace_configuration_async(params)
        except Exception as error:
            log.info("the client gives no settings: %s", error)
            return
        if answer and isinstance(answer[0], dict):
            self._set_options(answer[0])

    def _set_options(self, options: dict[str, Any]) -> None:
        if options != self._context.options:
            self._context.options = {**self._context.options, **options}
            self._hand_over(self._context.roots())


def _root(path: str) -> str:
    """The project that a config belongs to: the one with a sandboxd.toml, else the folder around."""
    workspace = plans.workspace_of(path)
    if workspace is not None:
        return workspace
    folder = os.path.dirname(path)
    head, _, name = folder.rpartition("/")
    if name == ".devcontainer":
        return head or "/"
    return head.rpartition("/")[0] if head.endswith("/.devcontainer") else folder
