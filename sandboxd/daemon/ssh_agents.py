"""Serves an SSH agent to a running sandbox."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandboxd.daemon.ssh_agent_server import Server
from sandboxd.folders import cache_folder
from sandboxd.operations import recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.credentials.ssh_agent.choice import Choice
    from sandboxd.credentials.ssh_agent.verdict import Verdict
    from sandboxd.engine.client import Engine
    from sandboxd.policy.rights import KeyRights

_MOST_KINDS = 50
"""Kinds of logins that are recorded of one run: a program inside can think of any number of hosts."""

log = logging.getLogger(__name__)


class SshAgent:
    """The SSH agent of one sandbox, in a thread.

    The audit record gets each kind of login once, and their counts at the end.
    """

    def __init__(
        self,
        sandbox: str,
        engine: Engine,
        environ: Mapping[str, str],
        choice: Choice,
        rights: KeyRights,
        say: Callable[[str], None],
    ) -> None:
        """:param choice: the keys and hosts that the start of the sandbox chose
        :param rights: the part of them that the sandbox may use
        :param say: called in any thread with a sentence for a person about each kind of login that is refused
        """
        self.choice, self.rights = choice, rights
        self._sandbox, self._environ, self._say = sandbox, environ, say
        self._counts: Counter[Verdict] = Counter()
        self._lock = threading.Lock()
        self._server = Server(engine, choice, rights, self._report, cache_folder(environ))
        threading.Thread(target=self._run, name="ssh-agents", daemon=True).start()

    def stop(self) -> None:
        """Have the thread end soon; connections of clients are closed."""
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
            self._say(f"a login by SSH was refused: {verdict.why}")

    def _record(self, verdict: Verdict, count: int) -> None:
        if problem := recording.signed(self._environ, self._sandbox, verdict, count):
            log.warning("`%s`: %s", self._sandbox, problem)
