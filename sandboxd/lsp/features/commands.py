"""Commands: generate, up, verify, explain and trust, from a code lens or a key.

Anybody who can talk to the editor can send one, so what starts a container or grants something
asks the user first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from sandboxd import rules
from sandboxd.engine.interruption import Cancel, Cancelled
from sandboxd.errors import SandboxdError, UsageError
from sandboxd.lsp import plans
from sandboxd.lsp.context import Context
from sandboxd.lsp.documents import uri_path
from sandboxd.lsp.progress import Progress
from sandboxd.markup import in_markdown
from sandboxd.plan.granting import Wanted, wanted
from sandboxd.policy import floor, trust
from sandboxd.project import Project
from sandboxd.syntax.node import readable

T = TypeVar("T")

_START, _TRUST, _CANCEL = "Start it", "Trust it", "Cancel"

_MOST_LINES = 40

_CLEAN_UP_SECONDS = 30.0


def register(context: Context) -> None:
    commands = Commands(context)
    context.server.protocol.commands.update(
        {
            "sandboxd.generate": commands.generate,
            "sandboxd.up": commands.up,
            "sandboxd.verify": commands.verify,
            "sandboxd.explain": commands.explain,
            "sandboxd.trust": commands.trust,
        }
    )


class Commands:
    """Commands by name: each takes the params of `workspace/executeCommand`; its first argument is a URI or a path."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def generate(self, params: types.ExecuteCommandParams) -> list[str]:
        """Generate the files of the project; return the paths that changed."""
        from sandboxd.host.probe import probe

        workspace = self._workspace(params)
        async with Progress(self._context, "sandboxd: generate", params.work_done_token):

            def write(cancel: Cancel) -> list[str]:
                # Plans depend on runtimes that were tried, and the host may have changed since.
                facts = probe(self._context.environ, trial=True)
                cancel.check()
                project = Project.open(workspace, self._context.environ)
                return [w.path for w in project.generate(facts) if w.changed]

            changed = await self._operate(write)
        self._say(f"wrote {', '.join(changed)}" if changed else "everything is up to date")
        return changed

    async def up(self, params: types.ExecuteCommandParams) -> str | None:
        """Start the sandbox if the user confirms; return its name, or None.

        If a grant is missing, the error names the command that gives it, as an editor gives none.
        """
        from sandboxd.engine.client import connect_from
        from sandboxd.operations.start import start
        from sandboxd.operations.started import Started

        workspace, environ = self._workspace(params), self._context.environ
        if not await self._confirm(f"Start the sandbox of `{workspace}`?", _START):
            return None
        async with Progress(self._context, "sandboxd: up", params.work_done_token) as progress:

            def job(cancel: Cancel) -> Started:
                engine = connect_from(environ)
                return start(engine, workspace, environ, progress=progress.step, cancel=cancel)

            started = await self._operate(job)
        self._say(f"`{started.name}`: {started.how}")
        if started.downgrades:
            controls = [f"{d.control}: {d.why}" for d in started.downgrades]
            self._say(f"not in force here: {'; '.join(controls)}", types.MessageType.Warning)
        return started.name

    async def verify(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Run the escape attempts on the running sandbox and save the verdict; return how many attempts held."""
        from sandboxd.engine.client import connect_from
        from sandboxd.operations.options import VerifyOptions
        from sandboxd.operations.request import Request
        from sandboxd.operations.verify import Verified, serve

        workspace, environ = self._workspace(params), self._context.environ
        async with Progress(self._context, "sandboxd: verify", params.work_done_token) as progress:

            def job(cancel: Cancel) -> Verified:
                return serve(
                    Request(
                        workspace,
                        environ,
                        dict(VerifyOptions()),
                        lambda: connect_from(environ),
                        progress=progress.step,
                        cancel=cancel,
                    )
                )

            verdict = (await self._operate(job)).verdict
        self._context.refresh()
        escaped = [result.id for result in verdict.of("escaped")]
        unclear = len(verdict.of("inconclusive"))
        if escaped:
            self._say(f"the sandbox did not hold: {', '.join(escaped)}", types.MessageType.Error)
        elif unclear:
            self._say(
                f"not shown: {unclear} of {len(verdict.results)} attempts",
                types.MessageType.Warning,
            )
        else:
            self._say("the sandbox held against every attempt that applies")
        return {
            "held": verdict.held,
            "escaped": escaped,
            "inconclusive": unclear,
            "attempts": len(verdict.results),
        }

    async def explain(self, params: types.ExecuteCommandParams) -> str:
        """The page of a rule, or the plan of a file's project, as Markdown."""
        subject = _first(params.arguments)
        if subject in rules.ids():
            return rules.page(subject)
        plan = await plans.plan_of(self._context, uri_path(subject))
        if plan is None:
            raise JsonRpcInvalidParams(f"`{subject}` is no rule, and no file of a project")
        lines = [f"- `{r.field}`: `{r.item}`, by {r.decided_by}: {r.why}" for r in plan.reasons]
        lines += [f"- not in force: {d.control}: {d.why}" for d in plan.downgrades]
        return "\n".join([f"# Profile `{plan.profile}`", "", *map(in_markdown, lines)])

    async def trust(self, params: types.ExecuteCommandParams) -> list[str]:
        """Grant what the project asks for, once the user has seen and confirmed it; return what was granted.

        There is no other way to grant anything in an editor: neither a file of the repository nor a code lens can do so
        without this question.
        """
        workspace = self._workspace(params)
        request = await self._in_thread(lambda: self._request(workspace))
        if not request.grants:
            self._say("this project needs no grant")
            return []
        lines = [readable(line, 300) for line in request.lines]
        if len(lines) > _MOST_LINES:
            more = f"... and {len(lines) - _MOST_LINES} more: `sandboxd trust add` shows them all"
            lines = [*lines[:_MOST_LINES], more]
        question = "\n".join([f"Trust `{readable(workspace, 300)}` with this?", *lines])
        if not await self._confirm(question, _TRUST, types.MessageType.Warning):
            return []
        names = await self._in_thread(lambda: self._grant(workspace, request))
        self._say("trusted until it changes; `sandboxd trust revoke` takes it back")
        return names

    def _request(self, workspace: str) -> Wanted:
        environ = self._context.environ
        project = Project.open(workspace, environ)
        recipe, policy = project.recipe(), floor.load(environ)
        config, hosts = project.config, project.hosts()
        return wanted(project.workspace, config, project.profile, recipe, policy, hosts)

    def _grant(self, workspace: str, request: Wanted) -> list[str]:
        """Grant `request`, which the user confirmed, unless the project asks for something else now."""
        if self._request(workspace) != request:
            raise UsageError(
                f"`{workspace}` changed while you were asked", "look at it again, then trust it"
            )
        for grant in request.grants:
            trust.add(self._context.environ, grant)
        return [grant.profile for grant in request.grants]

    def _workspace(self, params: types.ExecuteCommandParams) -> str:
        path = uri_path(_first(params.arguments))
        workspace = plans.workspace_of(path + "/x") or plans.workspace_of(path)
        if workspace is None:
            raise JsonRpcInvalidParams("there is no sandboxd.toml: `sandboxd init` makes one")
        return workspace

    async def _confirm(
        self, question: str, yes: str, kind: types.MessageType = types.MessageType.Info
    ) -> bool:
        actions = [types.MessageActionItem(yes), types.MessageActionItem(_CANCEL)]
        params = types.ShowMessageRequestParams(kind, question, actions)
        answer = await self._context.server.window_show_message_request_async(params)
        return answer is not None and answer.title == yes

    async def _in_thread(self, job: Callable[[], T]) -> T:
        """The result of `job`; an error that it raises is shown to the user."""
        try:
            return await asyncio.to_thread(job)
        except SandboxdError as error:
            raise self._show_error(error) from None

    def _show_error(self, error: SandboxdError) -> JsonRpcInvalidParams:
        self._say(f"{error.message}; hint: {error.hint}", types.MessageType.Error)
        return JsonRpcInvalidParams(error.message)

    async def _operate(self, job: Callable[[Cancel], T]) -> T:
        """Run an operation in a thread; if the user cancels, wait until it has cleaned up."""
        cancel = Cancel()

        def run() -> T | None:
            try:
                return job(cancel)
            except Cancelled:
                return None

        work = asyncio.create_task(self._in_thread(run))
        try:
            result = await asyncio.shield(work)
        except asyncio.CancelledError:
            # In a thread: to cancel closes a connection, which may block.
            await asyncio.to_thread(cancel.cancel)
            await asyncio.wait({work}, timeout=_CLEAN_UP_SECONDS)
            raise
        assert result is not None, "nobody else cancels it"
        return result

    def _say(self, text: str, kind: types.MessageType = types.MessageType.Info) -> None:
        self._context.server.window_show_message(types.ShowMessageParams(kind, f"sandboxd: {text}"))


def _first(arguments: Sequence[Any] | None) -> str:
    first = arguments[0] if arguments else None
    if not isinstance(first, str) or not first:
        raise JsonRpcInvalidParams("the first argument is a file, a folder or a rule")
    return first
