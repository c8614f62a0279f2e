"""SSH agents for running sandboxes whose last start chose keys."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sandboxd.host.folders import cache_folder
from sandboxd.ipc import messages
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.operations import logins, recording
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
    """One agent for each such sandbox. To be used on the event loop; `keep` also from any thread.

    A sandbox has what its start chose, in the container of that start alone, and of it what is still given.
    """

    def __init__(self, hosts: Hosts, emit: Callable[[messages.Event], None]) -> None:
        self._hosts, self._emit = hosts, emit
        self._loop = asyncio.get_running_loop()
        self._choices: dict[str, tuple[str, Choice]] = {}
        """Of each sandbox the container that a start made or found, and the keys that it chose."""
        self._given: dict[str, Choice | None] = {}
        """The part of each choice that is in force; not known before the first look."""
        self._running: dict[str, tuple[EngineKey, str]] = {}
        self._agents: dict[str, _Agent] = {}
        # One for each sandbox: a look that began earlier never ends later, and none waits for another project's disk.
        self._threads: dict[str, ThreadPoolExecutor] = {}

    def keep(self, sandbox: str, container: str, choice: Choice | None) -> bool:
        """Serve the keys that a start chose for `container`, instead of those of an earlier one; None for none.

        Always True: a daemon serves them. Without a daemon the same callback answers False.
        """
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
            self._loop.call_soon_threadsafe(self._take, sandbox, container, choice)
        return True

    def update(self, sandbox: str, key: EngineKey, container: str) -> None:
        """Begin or end serving a sandbox: `container` is the id of the one that runs, '' for none."""
        before = self._running.get(sandbox)
        if container:
            self._running[sandbox] = key, container
        else:
            self._running.pop(sandbox, None)
        if self._running.get(sandbox) != before:
            # What was given to the one that ran may have been taken back since.
            self._given.pop(sandbox, None)
            self._follow(sandbox)
            self._look(sandbox)

    def refresh(self, workspace: str) -> None:
        """Take back, or give again, what config, grants, policies and records of now say of the project's sandboxes."""
        for sandbox in self._choices:
            if workspace_of(sandbox) == workspace:
                self._look(sandbox)

    def forget(self, workspace: str) -> None:
        """Stop serving the sandboxes of a project that is no longer known."""
        for sandbox in {*self._running, *self._choices}:
            if workspace_of(sandbox) == workspace:
                self._running.pop(sandbox, None)
                self._take(sandbox, "", None)
                if (thread := self._threads.pop(sandbox, None)) is not None:
                    thread.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Stop serving all."""
        for agent in self._agents.values():
            agent.stop()
        self._agents.clear()
        for thread in self._threads.values():
            thread.shutdown(wait=False, cancel_futures=True)

    def _take(self, sandbox: str, container: str, choice: Choice | None) -> None:
        new = None if choice is None else (container, choice)
        if self._choices.get(sandbox) != new:
            self._choices.pop(sandbox, None)
            self._given.pop(sandbox, None)
            if new is not None:
                self._choices[sandbox] = new
        self._follow(sandbox)
        self._look(sandbox)

    def _look(self, sandbox: str) -> None:
        """Find out, in a thread, what is still given; nothing is given before that."""
        running, chosen = self._running.get(sandbox), self._choices.get(sandbox)
        if running is None or chosen is None:
            return
        environ = self._hosts.environ(running[0])

        def look() -> None:
            try:
                given, why = logins.still_given(chosen[1], sandbox, chosen[0], environ)
            except Exception:
                log.exception("what `%s` may sign by cannot be found out", sandbox)
                given, why = None, "a bug in sandboxd: see `sandboxd daemon logs`"
            with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
                self._loop.call_soon_threadsafe(self._give, sandbox, chosen, given, why)

        if sandbox not in self._threads:
            self._threads[sandbox] = ThreadPoolExecutor(1, thread_name_prefix="ssh-keys")
        with contextlib.suppress(RuntimeError):  # the daemon ends
            self._threads[sandbox].submit(look)

    def _give(
        self, sandbox: str, chosen: tuple[str, Choice], given: Choice | None, why: str
    ) -> None:
        if self._choices.get(sandbox) != chosen:
            return
        before = self._given.get(sandbox, chosen[1])
        self._given[sandbox] = given
        if before != given and given != chosen[1]:
            part = "its SSH keys are" if given is None else "some of its SSH keys and hosts are"
            self._say(sandbox, f"{part} taken back: {why}")
        self._follow(sandbox)

    def _follow(self, sandbox: str) -> None:
        """Make what is served what is given: an agent of another container, or with other keys, ends first."""
        running, chosen = self._running.get(sandbox), self._choices.get(sandbox)
        given = self._given.get(sandbox)
        wanted = None
        if running is not None and chosen is not None and given is not None:
            wanted = (chosen[0], given) if running[1] == chosen[0] else None
        present = self._agents.get(sandbox)
        if present is not None and present.serves != wanted:
            del self._agents[sandbox]
            present.stop()
            present = None
        if wanted is not None and present is None and running is not None:
            engine, environ = self._hosts.engine(running[0]), self._hosts.environ(running[0])
            self._agents[sandbox] = _Agent(sandbox, engine, environ, wanted, self._say)

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
        serves: tuple[str, Choice],
        say: Callable[[str, str], None],
    ) -> None:
        self._sandbox, self._environ, self._say = sandbox, environ, say
        self.serves = serves
        """The id of the container, and the keys and hosts."""
        container, choice = serves
        self._counts: Counter[Verdict] = Counter()
        self._lock = threading.Lock()
        self._server = Server(
            engine,
            container,
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
