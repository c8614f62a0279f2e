"""Names that the gateway denied or that programs asked for, in an editor, with the user's answers.

Programs inside choose the names and how many there are. So each name is shown in full and only once, and only a few in
a minute; a message tells the number of the others. No answer is given without a click.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any, NamedTuple

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from sandboxd.egress import words
from sandboxd.egress.names import LONGEST_NAME
from sandboxd.errors import SandboxdError
from sandboxd.files import CONFIG_NAME
from sandboxd.lsp import plans
from sandboxd.lsp.context import Context
from sandboxd.lsp.documents import uri_path
from sandboxd.markup import in_message
from sandboxd.operations.egress.actions import act
from sandboxd.status.model import NamesStatus
from sandboxd.syntax.node import readable

FOR_AN_HOUR = "Allow for this project for 1 h"
ALWAYS = f"Always (writes {CONFIG_NAME})"
NEVER = "Never"

MOST_IN_A_MINUTE = 3
_MINUTE, _HOUR = 60.0, 3600.0
_MOST_KNOWN = 2000
_LONGEST_WHY = 200

log = logging.getLogger(__name__)


def register(context: Context) -> None:
    names = Names(context)
    context.refreshers.append(names.refresh)
    context.names_listeners.append(names.refresh)
    context.server.protocol.commands["sandboxd.names"] = names.show


class Subject(NamedTuple):
    """A name about which the user can decide; all its texts are hostile."""

    workspace: str
    name: str
    port: int
    why: str
    """Why it is shown: the reason of the denial, or the words of the program that asks for it."""

    @property
    def target(self) -> str:
        """`NAME:PORT`, as an argument on the command line."""
        return words.target(self.name.lower().removesuffix("."), self.port)


class Names:
    """Watches the status of the open projects, and asks the user about new names."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[tuple[str, str, int, str], None] = {}
        self._waiting: list[Subject] = []
        self._shown: list[float] = []
        """The times at which the last messages were shown, by the loop's clock."""
        self._asking: asyncio.Task[None] | None = None

    def refresh(self) -> None:
        """Handle that the status of some project changed."""
        for workspace in self._workspaces():
            status = self._context.surroundings.status(workspace)
            names = status.names if status is not None else None
            if names is not None and names.is_recorded:
                self._compare(workspace, names)
        if self._waiting and (self._asking is None or self._asking.done()):
            self._asking = self._context.spawn(self._ask_all())

    async def show(self, params: types.ExecuteCommandParams) -> list[str]:
        """Let the user choose among the names that were denied in a file's project, and decide; return the names."""
        arguments = params.arguments or [""]
        workspace = plans.workspace_of(uri_path(str(arguments[0])))
        if workspace is None:
            raise JsonRpcInvalidParams("there is no sandboxd.toml: `sandboxd init` makes one")
        status = self._context.surroundings.status(workspace)
        names = status.names if status is not None else None
        if names is None or not names.is_recorded:
            self._say("nothing was recorded: no sandbox with a gateway runs here")
            return []
        subjects = {_label(s): s for s in _subjects(workspace, names)}
        message = f"{names.totals.denied} denied. `sandboxd egress log` has all of them"
        chosen = await self._choose(f"sandboxd: {message}", list(subjects))
        if chosen in subjects:
            await self._ask(subjects[chosen])
        return [subject.target for subject in subjects.values()]

    def _workspaces(self) -> set[str]:
        paths = self._context.judgements.open_paths()
        folders = [plans.workspace_of(path) for path in paths]
        folders += [plans.workspace_of(os.path.join(root, "x")) for root in self._context.roots()]
        return {folder for folder in folders if folder is not None}

    def _compare(self, workspace: str, names: NamesStatus) -> None:
        is_first = not any(key[0] == workspace for key in self._known)
        # Denials from before the first look are in the log; a question waits for whoever comes.
        questions = {(question.name, question.port) for question in names.questions}
        for subject in _subjects(workspace, names):
            is_question = (subject.name, subject.port) in questions
            if self._is_new(subject, str(is_question)) and (is_question or not is_first):
                self._waiting.append(subject)
        tripwire = Subject(workspace, "", 0, "tripwire")
        if names.totals.tripwires and self._is_new(tripwire, "") and not is_first:
            self._waiting.append(tripwire)
        self._is_new(Subject(workspace, "", 0, "first"), "first")

    def _is_new(self, subject: Subject, kind: str) -> bool:
        key = (subject.workspace, subject.name, subject.port, kind)
        if key in self._known:
            return False
        if len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[key] = None
        return True

    async def _ask_all(self) -> None:
        """Show one message after the other, a few in a minute."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            now = loop.time()
            self._shown = [at for at in self._shown if now - at < _MINUTE]
            if len(self._shown) < MOST_IN_A_MINUTE:
                self._shown.append(now)
                await self._ask(self._waiting.pop(0))
                continue
            await asyncio.sleep(_MINUTE)
            self._say(f"{len(self._waiting)} more names: `sandboxd egress log` has them")
            self._waiting.clear()

    async def _ask(self, subject: Subject) -> None:
        if not subject.name:
            self._say(
                "a tripwire was used, which nothing in the sandbox of "
                f"`{readable(subject.workspace, 300)}` has a reason to do: look at what runs inside",
                types.MessageType.Warning,
            )
            return
        name = readable(_at(subject), LONGEST_NAME + 20)
        message = (
            f"The sandbox of `{readable(os.path.basename(subject.workspace), 100)}` wants to reach {name} "
            f"({readable(subject.why, _LONGEST_WHY)}). If it may, {words.CONSEQUENCE}."
        )
        answer = await self._choose(message, [FOR_AN_HOUR, ALWAYS, NEVER])
        if answer is not None:
            await self._answer(subject, answer)

    async def _answer(self, subject: Subject, answer: str) -> None:
        """Act on what the user chose, and report the result."""
        target = subject.target
        try:
            if answer == NEVER:
                await self._act(subject, "deny", text=target.partition(":")[0])
                self._say(f"{target}: denied; `sandboxd egress deny --undo` takes it back")
            elif answer == FOR_AN_HOUR:
                await self._act(subject, "allow", text=target, duration=_HOUR)
                self._say(f"{target}: allowed for 1 h")
            elif answer == ALWAYS:
                await self._act(subject, "allow", text=target)
                await self._act(subject, "promote", text=target)
                self._say(
                    f"{target}: allowed for 24 h, and written to {CONFIG_NAME}; it lasts once you trust "
                    "the file: `sandboxd trust add`"
                )
        except SandboxdError as error:
            hint = f"; hint: {error.hint}" if error.hint else ""
            self._say(f"{error.message}{hint}", types.MessageType.Error)

    async def _act(self, subject: Subject, action: str, **arguments: Any) -> None:
        if action != "promote":
            arguments["by"] = "editor"
        environ, find = self._context.environ, self._context.surroundings.gateway
        await asyncio.to_thread(act, action, subject.workspace, environ, arguments, find)

    async def _choose(self, message: str, titles: list[str]) -> str | None:
        """The user's choice; None where there was none, or the client cannot ask."""
        window = self._context.capabilities().window
        if not titles or window is None or window.show_message is None:
            self._say(f"{message} `sandboxd egress log` shows what can be done")
            return None
        actions = [types.MessageActionItem(title) for title in titles]
        params = types.ShowMessageRequestParams(
            types.MessageType.Info, in_message(message), actions
        )
        answer = await self._context.server.window_show_message_request_async(params)
        return answer.title if answer is not None and answer.title in titles else None

    def _say(self, text: str, kind: types.MessageType = types.MessageType.Info) -> None:
        message = in_message(f"sandboxd: {readable(text, 600)}")
        self._context.server.window_show_message(types.ShowMessageParams(kind, message))


def _subjects(workspace: str, names: NamesStatus) -> list[Subject]:
    """Open questions, then denied names that a person could allow; each name and port once."""
    subjects: dict[tuple[str, int], Subject] = {}
    for question in names.questions:
        key = (question.name, question.port)
        subjects[key] = Subject(workspace, *key, f'it says: "{question.why}"')
    for denied in reversed(names.denied):
        if denied.command:
            key = (denied.name, denied.port)
            subjects.setdefault(key, Subject(workspace, *key, denied.words))
    return list(subjects.values())


def _at(subject: Subject) -> str:
    return f"`{subject.name}` at port {subject.port}" if subject.port else f"`{subject.name}`"


def _label(subject: Subject) -> str:
    return readable(subject.target, LONGEST_NAME)
