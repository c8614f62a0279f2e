"""The projects of an editor: registered with the daemon, watched, and checked where no editor shows them.

A change of a Compose file or a Dockerfile may weaken a devcontainer.json that nobody has open; that is reported, too.
Folders are watched by the client if it can, otherwise by the daemon. The client's settings are read here, too.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

from lsprotocol import types

from sandboxd import formats
from sandboxd.errors import UnreadableError
from sandboxd.files import CONFIG_NAME, read_source
from sandboxd.lint.usual_places import config_files
from sandboxd.lsp import convert, plans
from sandboxd.lsp.context import Context
from sandboxd.lsp.diagnostics import bug, diagnostics_of
from sandboxd.lsp.documents import OpenDocument, kind_of, uri_path

_PAUSE_SECONDS = 0.2
_MOST_FILES = 50

log = logging.getLogger(__name__)


def register(context: Context) -> None:
    projects = Projects(context)
    context.file_listeners.append(projects.files_changed)
    context.open_listeners.append(projects.touched)
    context.refreshers.append(projects.refresh)
    context.refresh_unopened = projects.refresh
    context.feature(types.INITIALIZED, projects.initialized)
    context.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, projects.watched_files_changed)
    context.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, projects.folders_changed)
    context.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION, projects.configuration_changed)


class Projects:
    """Checks and watches the files near the open documents."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: set[str] = set()
        self._pushed: set[str] = set()
        self._client_watches = False
        self._watched: frozenset[str] = frozenset()
        self._soon: asyncio.TimerHandle | None = None

    def initialized(self, _params: types.InitializedParams) -> None:
        self._hand_over(self._context.roots())
        workspace = self._context.capabilities().workspace
        files = workspace.did_change_watched_files if workspace is not None else None
        if files is not None and files.dynamic_registration:
            self._client_watches = True
            watchers = [types.FileSystemWatcher(pattern) for pattern in formats.WATCHED]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            item = types.Registration(
                "sandboxd-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options
            )
            self._context.server.client_register_capability(types.RegistrationParams([item]))
        if workspace is not None and workspace.configuration:
            self._context.spawn(self._configure())

    def folders_changed(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        self._hand_over([uri_path(folder.uri) for folder in params.event.added])
        self._judge_soon()

    def configuration_changed(self, params: types.DidChangeConfigurationParams) -> None:
        settings = params.settings
        if isinstance(settings, dict) and isinstance(settings.get("sandboxd"), dict):
            self._set_options(settings["sandboxd"])
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
        """Handle that a document was opened, changed or closed."""
        path = document.source.path
        if document.on_disk() and kind_of(path):
            self._hand_over([os.path.dirname(path)])
            self._judge_soon()

    def _hand_over(self, folders: list[str]) -> None:
        """Report each project to the daemon once, unless the client forbids it."""
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
        """Check unopened files after a delay: nobody waits for them."""
        if self._soon is None:
            self._soon = self._context.later(_PAUSE_SECONDS, self._judge_now)

    def _judge_now(self) -> None:
        self._soon = None
        self._context.spawn(self._judge_unopened())

    async def _judge_unopened(self) -> None:
        """Judge the unopened devcontainer.json files beside what is open, and of the roots."""
        opened = self._context.judgements.open_paths()
        projects = {_root(path) for path in opened if path.startswith("/")}
        folders = {os.path.dirname(path) for path in opened if path.startswith("/")}
        for root in projects:
            folders |= {root, os.path.join(root, ".devcontainer")}
        if self._context.pulls_workspace:
            projects.update(self._context.roots())
        configs = {path for root in projects for path in config_files(root)}
        configs = {p for p in configs if p not in opened and os.path.basename(p) != CONFIG_NAME}
        for uri in opened.values():
            judged = self._context.judgements.last(uri)
            folders |= {os.path.dirname(p) for p in (judged.depends if judged is not None else ())}
        diagnostics: dict[str, list[types.Diagnostic]] = {}
        for path in sorted(configs)[:_MOST_FILES]:
            if (items := await self._diagnostics_of(path, folders)) is not None:
                diagnostics[path] = items
        # Files may have been opened meanwhile.
        opened = self._context.judgements.open_paths()
        self._context.unopened = {p: items for p, items in diagnostics.items() if p not in opened}
        self._push()
        for listener in self._context.unopened_listeners:
            listener()
        if not self._client_watches:
            self._watch(frozenset(folders | {os.path.dirname(path) for path in configs}))

    def _watch(self, folders: frozenset[str]) -> None:
        self._context.surroundings.watch(folders)
        grew = not folders <= self._watched
        self._watched = folders
        if grew:
            # Changes between reading a file and watching its folder are not reported: look once more.
            self._context.later(_PAUSE_SECONDS, self._look_again)

    def _look_again(self) -> None:
        judgements = self._context.judgements
        latest = [judgements.last(uri) for uri in judgements.open_paths().values()]
        beside = {path for judged in latest if judged is not None for path in judged.depends}
        for listener in self._context.file_listeners:
            listener(beside)

    async def _diagnostics_of(self, path: str, folders: set[str]) -> list[types.Diagnostic] | None:
        """The diagnostics of a file on disk; None if it cannot be read."""
        judgements = self._context.judgements
        try:
            source = read_source(path)
        except UnreadableError:
            return None
        parsed_texts = self._context.judgements.parsed_texts
        document = OpenDocument(convert.file_uri(path), 0, source, kind_of(path), parsed_texts)
        try:
            judged = await asyncio.to_thread(judgements.judge, document)
            folders |= {os.path.dirname(p) for p in judged.depends}
            return diagnostics_of(judged, judgements.client())
        except Exception as error:
            return [bug(document, error)]

    def _push(self) -> None:
        """Publish the diagnostics of unopened files, and empty lists for files that have none any more."""
        if self._context.pulls_workspace:
            self._pushed.clear()
            return
        opened = self._context.judgements.open_paths()
        diagnostics = {p: items for p, items in self._context.unopened.items() if items}
        for path in sorted(diagnostics.keys() | self._pushed):
            # Open files are published by `diagnostics` or pulled by the client, so not here.
            if path not in opened or self._context.pulls:
                uri = convert.file_uri(path)
                self._context.server.protocol.publish(uri, diagnostics.get(path, []))
        self._pushed = set(diagnostics)

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
    """The project folder of a config: the one with a sandboxd.toml, else the config's own folder."""
    workspace = plans.workspace_of(path)
    if workspace is not None:
        return workspace
    folder = os.path.dirname(path)
    head, _, name = folder.rpartition("/")
    if name == ".devcontainer":
        return head or "/"
    return head.rpartition("/")[0] if head.endswith("/.devcontainer") else folder
