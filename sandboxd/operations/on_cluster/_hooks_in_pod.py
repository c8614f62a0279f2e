"""Lifecycle hooks in a Pod, run through the API server's `exec`."""

from __future__ import annotations

import contextlib
import shlex
import signal
import threading
from typing import TYPE_CHECKING, cast

from sandboxd.backends.kubernetes import running
from sandboxd.backends.kubernetes.attended import signal_marked
from sandboxd.backends.kubernetes.channels import Channels
from sandboxd.backends.kubernetes.hooks import key_of
from sandboxd.backends.kubernetes.target import running_pod
from sandboxd.egress import words as egress_words
from sandboxd.egress.names import normal
from sandboxd.engine.execute import MOST_BYTES, TooMuch
from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.operations.on_cluster._gateway import PodGateway
from sandboxd.plan import cluster as plan_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.plan.plan import Plan

_GIVEN = (
    "sh", "-c", 'set -- "$(head -c "$1")"; eval "${1:?the command did not arrive}"', "sh",
)  # fmt: skip
"""A command whose words and variables are its input: the request, which an audit log may have, says none of them.

Nothing that arrived is a failure: an image may have no `head`, and nothing evaluated would be a success.
"""
_KILLED = 128 + signal.SIGKILL
_STDOUT = 1
_OWN_SECONDS = 30.0


class InPod:
    """A running Pod, as the `life.hook_place.Place` in which hooks are run."""

    def __init__(self, target: Target, uid: str, plan: Plan) -> None:
        self._target = target
        self._gateway = PodGateway(target) if plan.egress is not None else None
        number, _ = plan_cluster.user(plan)
        self.key, self.option = key_of(target.cluster.context, target.pod), target.option
        # A Pod is not started again: its restartPolicy is `Never`.
        self.id = self.started = uid
        self.user = str(number)

    def own_environment(self) -> Sequence[str]:
        text = self.ask(["cat", "/proc/self/environ"], _OWN_SECONDS).decode("utf-8", "replace")
        return [variable for variable in text.split("\0") if variable]

    def ask(self, words: Sequence[str], seconds: float, /) -> bytes:
        output = bytearray()

        def keep(stream: int, piece: bytes) -> None:
            if stream == _STDOUT:
                output.extend(piece)
            if len(output) > MOST_BYTES:
                raise TooMuch(f"`{words[0]}` wrote more than {MOST_BYTES >> 20} MiB")

        try:
            running.run(self._target.cluster, self._target.pod, words, b"", seconds, keep)
        except TimeoutError:
            raise EnvironmentFailure(
                f"the sandbox does not answer: `{words[0]}` ran longer than {seconds:g} s",
                f"`sandboxd status{self._target.option}` shows its state",
            ) from None
        return bytes(output)

    def begin(
        self, words: Sequence[str], env: Mapping[str, str], folder: str, mark: str
    ) -> _Command:
        return _Command(self._target, script(words, env, folder or self._target.folder, mark))

    def signal(self, mark: str, number: int, seconds: float) -> None:
        with contextlib.suppress(SandboxdError):
            signal_marked(self._target.cluster, self._target.pod, mark, number, seconds)

    def network_now(self) -> object:
        return self._denied()

    def refused_since(self, state: object) -> tuple[str, ...]:
        before = cast("dict[tuple[str, int], int] | None", state)
        now = self._denied()
        if before is None or now is None:
            return ()
        more = (key for key, times in now.items() if times > before.get(key, 0))
        return tuple(egress_words.target(normal(name), port) for name, port in more)

    def _denied(self) -> dict[tuple[str, int], int] | None:
        """The number of refusals of each name that an approval would have let through; None where it is not known."""
        if self._gateway is None:
            return None
        denied: dict[tuple[str, int], int] = {}
        try:
            lines = self._gateway.ledger().lines()
        except SandboxdError:
            return None
        for line in lines:
            if line.outcome == "denied" and egress_words.approvable(line.name, line.reason):
                key = line.name, line.port
                denied[key] = denied.get(key, 0) + line.times
        return denied


def script(words: Sequence[str], env: Mapping[str, str], folder: str, mark: str) -> bytes:
    """A shell text that, when evaluated by `sh`, replaces the shell by the command, with an empty stdin.

    `env` sets the variables, since shells cannot export some names, and some shells refuse `UID`. The text is in
    braces, so that a truncated one does nothing: `rm -r a/b`, cut off, could be `rm -r a`.

    :param mark: a further variable, ``NAME=value``
    :raises UsageError: a shell would drop a byte of it (NUL), which would change the command
    """
    variables = [f"{name}={value}" for name, value in env.items()]
    # `env` would take a first word with `=` for another variable.
    own = ["sh", "-c", 'exec "$@"', "sh"] if "=" in words[0] else []
    command = shlex.join(["env", "--", *variables, *own, *words])
    if "\0" in command:
        raise UsageError(
            "a hook's command, or a variable of `remoteEnv`, holds a NUL byte, which no program can be given",
            "take `\\u0000` out of devcontainer.json",
        )
    text = f"{{ cd {shlex.quote(folder)} || exit 126; export {mark}; exec {command} </dev/null\n}}"
    return text.encode("utf-8", "replace")


class _Command:
    """A command in a Pod, as `life.hook_place.Begun`."""

    def __init__(self, target: Target, script: bytes) -> None:
        self._target = target
        self._ended = threading.Event()
        self._failure: SandboxdError | None = None
        words = [*_GIVEN, str(len(script))]
        self._channels = Channels(target.cluster, target.pod, words, stdin=True)
        try:
            self._channels.send(script)
        except BaseException:
            self._channels.close()
            raise

    def hear(self, write: Callable[[int, bytes], None]) -> None:
        try:
            for stream, piece in self._channels.pieces():
                write(stream, piece)
        except SandboxdError as error:
            self._failure = error
        finally:
            self._ended.set()

    def code(self) -> int:
        self._ended.wait()
        if self._failure is not None:
            raise self._failure
        if self._channels.code == _KILLED:
            # Where the Pod was deleted, that is what killed it.
            running_pod(self._target)
        return self._channels.code

    def is_over(self) -> bool:
        return self._ended.is_set()

    def close(self) -> None:
        self._channels.close()
