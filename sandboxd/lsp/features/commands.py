"""Commands: generate, up, verify and explain, from a code lens or a key.

Anybody who can talk to the editor can send one, so what starts a container asks the user first.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from sandboxd import rules
from sandboxd.errors import SandboxdError
from sandboxd.host.facts import HostFacts
from sandboxd.lsp import plans
from sandboxd.lsp.context import Context
from sandboxd.lsp.documents import uri_path
from sandboxd.lsp.progress import Progress
from sandboxd.project import Project

T = TypeVar("T")

_START, _CANCEL = "Start it", "Cancel"


class Cancelled(Exception):
    """The user gave up while a thread worked."""


def register(context: Context) -> None:
    commands = Commands(context)
    context.server.protocol.commands.update(
        {
            "sandboxd.generate": commands.generate,
            "sandboxd.up": commands.up,
            "sandboxd.verify": commands.verify,
            "sandboxd.explain": commands.explain,
        }
    )


class Commands:
    """Each takes the params of `workspace/executeCommand`; its first argument is a URI or a path."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def generate(self, params: types.ExecuteCommandParams) -> list[str]:
        """Write what the project's config comes to; returns the paths that changed."""
        workspace = self._workspace(params)
        async with Progress(self._context, "sandboxd: generate", params.work_done_token):

            def write(_: threading.Event, facts: HostFacts) -> list[str]:
                project = Project.open(workspace, self._context.environ)
                return [w.path for w in project.generate(facts) if w.changed]

            changed = await self._do(write)
        self._say(f"wrote {', '.join(changed)}" if changed else "everything is up to date")
        return changed

    async def up(self, params: types.ExecuteCommandParams) -> str | None:
        """Start the sandbox, if the user says so; returns its name."""
        from sandboxd.sandbox import engine, run

        workspace = self._workspace(params)
        if not await self._agreed(f"Start the sandbox of `{workspace}`?"):
            return None
        async with Progress(self._context, "sandboxd: up", params.work_done_token) as progress:

            def start(given_up: threading.Event, facts: HostFacts) -> run.Running:
                def tell(text: str) -> None:
                    if given_up.is_set():
                        raise Cancelled
                    progress.report(text)

                plan = Project.open(workspace, self._context.environ).plan(facts)
                return run.up(engine.connect(self._context.environ), plan, tell)

            running = await self._do(start)
        self._say(f"`{running.name}`: {running.how}")
        return running.name

    async def verify(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Attack the running sandbox; returns what held and what did not."""
        from sandboxd.plan.planner import Grants
        from sandboxd.sandbox import engine, run
        from sandboxd.sandbox.verify import verify

        workspace = self._workspace(params)
        async with Progress(self._context, "sandboxd: verify", params.work_done_token) as progress:

            def attack(given_up: threading.Event, facts: HostFacts) -> Any:
                def tell(done: int, total: int) -> None:
                    if given_up.is_set():
                        raise Cancelled
                    progress.report(f"{done} of {total} attempts")

                connection = engine.connect(self._context.environ)
                project = Project.open(workspace, self._context.environ)
                plan = project.plan(facts, Grants(allow_runc=True))
                found = run.locate(connection, workspace)
                return verify(connection, found.id, plan, tell)

            verdict = await self._do(attack)
        escaped = [result.id for result in verdict.of("escaped")]
        unclear = len(verdict.of("inconclusive"))
        if escaped:
            self._say(f"the sandbox did not hold: {', '.join(escaped)}", types.MessageType.Error)
        elif unclear:
            self._say(f"not shown for {unclear} attempts", types.MessageType.Warning)
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
            return inspect.cleandoc(rules.get(subject).__doc__ or "")
        plan = await plans.plan_of(self._context, uri_path(subject))
        if plan is None:
            raise JsonRpcInvalidParams(f"`{subject}` is no rule, and no file of a project")
        lines = [f"- `{r.field}`: `{r.item}`, by {r.decided_by}: {r.why}" for r in plan.reasons]
        lines += [f"- not in force: {d.control}: {d.why}" for d in plan.downgrades]
        return "\n".join([f"# Profile `{plan.profile}`", "", *lines])

    def _workspace(self, params: types.ExecuteCommandParams) -> str:
        path = uri_path(_first(params.arguments))
        workspace = plans.workspace_of(path + "/x") or plans.workspace_of(path)
        if workspace is None:
            raise JsonRpcInvalidParams("there is no sandboxd.toml: `sandboxd init` makes one")
        return workspace

    async def _agreed(self, question: str) -> bool:
        actions = [types.MessageActionItem(_START), types.MessageActionItem(_CANCEL)]
        params = types.ShowMessageRequestParams(types.MessageType.Info, question, actions)
        answer = await self._context.server.window_show_message_request_async(params)
        return answer is not None and answer.title == _START

    async def _do(self, job: Callable[[threading.Event, HostFacts], T]) -> T:
        """Run `job` in a thread; who cancels waits until it has cleaned up."""
        given_up = threading.Event()

        def run() -> T:
            from sandboxd.host.probe import probe

            # Plans depend on runtimes that were tried, and the host may have changed since.
            return job(given_up, probe(self._context.environ, trial=True))

        work = asyncio.create_task(asyncio.to_thread(run))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            given_up.set()
            await asyncio.wait({work}, timeout=30)
            raise
        except SandboxdError as error:
            self._say(f"{error.message}; hint: {error.hint}", types.MessageType.Error)
            raise JsonRpcInvalidParams(error.message) from None

    def _say(self, text: str, kind: types.MessageType = types.MessageType.Info) -> None:
        self._context.server.window_show_message(types.ShowMessageParams(kind, f"sandboxd: {text}"))


def _first(arguments: Sequence[Any] | None) -> str:
    first = arguments[0] if arguments else None
    if not isinstance(first, str) or not first:
        raise JsonRpcInvalidParams("the first argument is a file, a folder or a rule")
    return first
