"""SSH agents for running sandboxes whose last start chose keys."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandboxd.host.folders import cache_folder
from sandboxd.ipc import messages
from sandboxd.life.find import locate
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.operations import recording
from sandboxd.ssh_agent.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.engine.client import Engine
    from sandboxd.ssh_agent.choice import Choice
    from sandboxd.ssh_agent.verdict import Verdict

_MOST_KINDS = 50
"""Kinds of logins that are recorded of one run: a program inside can think of any number of hosts."""

log = logging.getLogger(__name__)


class SshAgents:
    """One agent for each such sandbox. To be used on the event loop; `keep` also from any thread."""

    def __init__(self, hosts: Hosts, emit: Callable[[messages.Event], None]) -> None:
        self._hosts, self._emit = hosts, emit
        self._loop = asyncio.get_running_loop()
        self._choices: dict[str, Choice] = {}
        self._running: dict[str, EngineKey] = {}
        self._agents: dict[str, _Agent] = {}

    def keep(self, sandbox: str, choice: Choice | None) -> bool:
        """Serve the keys that a start chose, instead of those of an earlier one; None for none.

        Always True: a daemon serves them. Without a daemon the same callback answers False.
        """
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
            self._loop.call_soon_threadsafe(self._take, sandbox, choice)
        return True

    def update(self, sandbox: str, key: EngineKey, is_running: bool) -> None:
        """Begin or end serving a sandbox, as `is_running` says."""
        if is_running:
            self._running[sandbox] = key
        else:
            self._running.pop(sandbox, None)
        self._follow(sandbox)

    def forget(self, workspace: str) -> None:
        """Stop serving the sandboxes of a project that is no longer known."""
        for sandbox in {*self._running, *self._choices}:
            if workspace_of(sandbox) == workspace:
                self._running.pop(sandbox, None)
                self._take(sandbox, None)

    def close(self) -> None:
        """Stop serving all."""
        for agent in self._agents.values():
            agent.stop()
        self._agents.clear()

    def _take(self, sandbox: str, choice: Choice | None) -> None:
        if self._choices.get(sandbox) == choice:
            return
        if choice is None:
            del self._choices[sandbox]
        else:
            self._choices[sandbox] = choice
        if (agent := self._agents.pop(sandbox, None)) is not None:
            agent.stop()
        self._follow(sandbox)

    def _follow(self, sandbox: str) -> None:
        key, choice = self._running.get(sandbox), self._choices.get(sandbox)
        present = self._agents.get(sandbox)
        if key is None or choice is None:
            if present is not None:
                del self._agents[sandbox]
                present.stop()
        elif present is None:
            engine, environ = self._hosts.engine(key), self._hosts.environ(key)
            self._agents[sandbox] = _Agent(sandbox, engine, environ, choice, self._say)

    def _say(self, sandbox: str, text: str) -> None:
        event: messages.Event = {"kind": "network", "path": workspace_of(sandbox), "message": text}
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
            self._loop.call_soon_threadsafe(self._emit, event)


class _Agent:
    """The agent of one sandbox, in a thread. Each kind of login is recorded once, and their counts at the end."""

    def __init__(
        self,
        sandbox: str,
        engine: Engine,
        environ: Mapping[str, str],
        choice: Choice,
        say: Callable[[str, str], None],
    ) -> None:
        self._sandbox, self._environ, self._say = sandbox, environ, say
        self._counts: Counter[Verdict] = Counter()
        self._lock = threading.Lock()
        self._server = Server(
            engine,
            lambda: locate(engine, workspace_of(sandbox), name_of(sandbox)).id,
            choice,
            self._report,
            cache_folder(environ),
        )
        threading.Thread(target=self._run, name="ssh-agents", daemon=True).start()

    def stop(self) -> None:
        """End soon."""
        self._server.stop()

    def _run(self) -> None:
        try:
            self._server.run()
        except Exception:
            log.exception("the agent of `%s` failed", self._sandbox)
        finally:
            self._server.close()
        with self._lock:
            for verdict, count in self._counts.items():
                if count > 1:
                    self._record(verdict, count)

    def _report(self, verdict: Verdict) -> None:
        with self._lock:
            is_new = verdict not in self._counts
            if is_new and len(self._counts) >= _MOST_KINDS:
                return
            self._counts[verdict] += 1
            if not is_new:
                return
            self._record(verdict, 1)
        if verdict.why:
            self._say(self._sandbox, f"a login by SSH was refused: {verdict.why}")

    def _record(self, verdict: Verdict, count: int) -> None:
        if problem := recording.signed(self._environ, self._sandbox, verdict, count):
            log.warning("`%s`: %s", self._sandbox, problem)
