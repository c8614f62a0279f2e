"""The lifecycle hooks of a sandbox that was just started: which are due, in which order, and what is recorded.

Hooks of a container's creation run once for each container, `postStartCommand` once for each start, and
`postAttachCommand` at each `up`. One that failed or was interrupted is due again, with all behind it. Where a
stop discards what hooks wrote (gVisor's root file system, a private copy), a start counts as a creation."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine import timeline
from sandboxd.life import exec_settings, hook_record, hook_run, user_environment
from sandboxd.life.hook_record import Record, Stage
from sandboxd.life.hook_run import Surroundings
from sandboxd.life.hooks_in_container import ask_in
from sandboxd.life.lock import project_lock
from sandboxd.model.container import Pair
from sandboxd.model.remote import AT_ATTACH, DOTFILES, IN_ORDER, NO_REMOTE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.life.hook_place import Place
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.model.remote import Hook, Remote
    from sandboxd.plan.plan import Plan

METADATA = "devcontainer.metadata"
"""The image label that holds further devcontainer.json properties, among them those of its Features."""


class Failure(NamedTuple):
    """The hook that failed, so that no later one ran; `source` says where it is defined, `code` is its exit code."""

    stage: str
    source: str
    code: int
    left: tuple[str, ...]
    """The stages that did not run because of the failure."""
    refused: tuple[str, ...] = ()
    """Host names that the gateway refused since the first hook began, each as an argument of `sandboxd egress allow`.
    """


def settle(
    inspected: Inspected, plan: Plan, environ: Mapping[str, str], secrets: Mapping[str, str]
) -> Remote:
    """Determine the environment, folder and hooks that config and image ask for in a running container.

    Environment and folder are saved for later commands in it.

    :param secrets: values that the user gives to hooks and commands, by variable name
    """
    config = inspected["Config"]
    label = (config.get("Labels") or {}).get(METADATA, "")
    remote = completed(plan, label)
    remote = remote._replace(secrets=tuple(Pair(*each) for each in sorted(secrets.items())))
    env = user_environment.remote_env(remote, config.get("Env") or [])
    variables = tuple(f"{name}={value}" for name, value in env.items())
    container = str(inspected["Id"])
    before = exec_settings.recall(environ, plan.sandbox, container)
    settings = before._replace(env=variables, folder=remote.folder)
    exec_settings.keep(environ, plan.sandbox, container, settings)
    return remote


def completed(plan: Plan, label: str) -> Remote:
    """The environment, folder and hooks that the config and the image ask for in a container.

    :param label: the image's label `METADATA`; '' where it has none
    """
    if not label and plan.remote == NO_REMOTE:
        return plan.remote
    from sandboxd.plan.remote import complete

    return complete(plan, label)


def said_of_secrets(remote: Remote) -> tuple[str, ...]:
    """Lines for the user: which secrets are given inside, and which the config asks for and nobody gives; () for
    neither.
    """
    given = [pair.name for pair in remote.secrets]
    lines = []
    if given:
        lines.append(f"given to hooks and commands inside: {_quoted(given)}")
    if lacking := lacking_secrets(remote):
        lines.append(f"devcontainer.json asks for {lacking}, which nobody gives")
        lines.append(
            "  hint: `sandboxd up --env-file FILE` gives values inside; `sandboxd credentials add` has "
            "tools work with a secret that stays outside"
        )
    return tuple(lines)


def lacking_secrets(remote: Remote) -> str:
    """The names of the secrets that the config asks for and nobody gives, in backticks and separated by commas; '' for
    none.
    """
    present = {pair.name for pair in (*remote.secrets, *remote.env)}
    return _quoted([name for name in remote.asks_for if name not in present])


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def keep_environment(
    engine: Engine,
    inspected: Inspected,
    plan: Plan,
    remote: Remote,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
    is_final: bool,
) -> None:
    """Save the environment of the user's shell in a container, as `userEnvProbe` asks, for later commands there.

    The shell is asked after the hooks, which may change its environment. If a final answer for this start of the
    container is saved already, it is kept.

    :param tell: called with the reason if the environment cannot be determined
    :param is_final: whether no later `up` can change it, because no hook is still to run
    """
    container, started = str(inspected["Id"]), inspected["State"].get("StartedAt", "")
    settings = exec_settings.recall(environ, plan.sandbox, container)
    if settings.probed_at == started and started:
        return
    config = inspected["Config"]
    own = config.get("Env") or []
    with timeline.span("hooks", "environment of the shell"):
        shell = user_environment.of_shell(
            ask_in(engine, container),
            config.get("User") or "",
            own,
            remote.env_probe,
            tell,
        )
    lines = tuple(f"{name}={value}" for name, value in shell.items())
    settings = settings._replace(shell=lines, probed_at=started if is_final else "")
    exec_settings.keep(environ, plan.sandbox, container, settings)


def run(
    place: Place,
    plan: Plan,
    remote: Remote,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
    check: Callable[[], None],
    *,
    until_ready: bool = False,
    tell_again: Callable[[str], None] | None = None,
) -> Failure | None:
    """Run the hooks of `remote` that are due in a running sandbox; returns the one that failed, or None.

    :param tell: called with a line for each hook, and with each line of its output
    :param check: called repeatedly; ends the run by raising
    :param until_ready: leave the stages after `waitFor` to the next `up`
    :param tell_again: called instead of `tell` for hooks that failed at their last run in this container; None: `tell`
        is
    :raises EnvironmentFailure: the sandbox ended meanwhile
    """
    if not remote.hooks:
        return None
    run = _Run(place, plan, environ, remote, tell, tell_again or tell, check)
    # Not the lock of `up`: hooks take minutes, and `down` must be able to end them.
    with (
        timeline.span("hooks", "lifecycle hooks"),
        project_lock(f"{place.key}///hooks", tell, check),
    ):
        return run.run(until_ready)


class _Run:
    """One run of the hooks of one sandbox."""

    def __init__(
        self,
        place: Place,
        plan: Plan,
        environ: Mapping[str, str],
        remote: Remote,
        tell: Callable[[str], None],
        tell_again: Callable[[str], None],
        check: Callable[[], None],
    ) -> None:
        self._place = place
        self._plan = plan
        self._environ = environ
        self._remote = remote
        self._tell = tell
        self._tell_again = tell_again
        self._check = check
        self._record = Record(place.id, "")

    def run(self, until_ready: bool) -> Failure | None:
        """Run what is due."""
        place, started = self._place, self._place.started
        record = hook_record.recall(self._environ, place.key, place.id)
        lasts = not (self._plan.gvisor or self._plan.prepare)
        self._record = (record or self._record).since(started, lasts=lasts)
        self._record = self._record._replace(started=started, left=())
        due = [stage for stage in IN_ORDER if self._is_due(stage)]
        for line in self._left_alone(due):
            self._tell(line)
        if not due:
            return None
        self._end_leftovers()
        env = user_environment.remote_environment(
            place.ask, place.user, place.own_environment(), self._remote, self._tell
        )
        inside = Surroundings(env, self._remote.folder)
        network = place.network_now()
        ready = self._remote.waits_for()
        for stage in due:
            behind = tuple(other for other in due if IN_ORDER.index(other) >= IN_ORDER.index(stage))
            if IN_ORDER.index(stage) >= ready and until_ready:
                self._keep(self._record._replace(left=behind))
                names = (f"{n} (by `--dotfiles` again)" if n == DOTFILES else n for n in behind)
                self._tell(
                    f"ready; left to the next `sandboxd up{place.option}`: {', '.join(names)}"
                )
                return None
            failure = self._run_stage(stage, inside, behind[1:])
            if failure is not None:
                return failure._replace(refused=place.refused_since(network))
        return None

    def _is_due(self, name: str) -> bool:
        if not self._remote.of(name):
            return False
        stage = self._record.stages.get(name)
        return name == AT_ATTACH or stage is None or stage.state != "done"

    def _left_alone(self, due: Collection[str]) -> Iterator[str]:
        """A sentence for each hook that is asked for and does not run, although it differs from what ran before."""
        for name in IN_ORDER:
            stage = self._record.stages.get(name)
            if name in due or stage is None or not self._remote.of(name):
                continue
            if name == DOTFILES and stage.commands == self._commands(name):
                yield "not run: the installation of your dotfiles: they are there"
            elif stage.commands and stage.commands != self._commands(name):
                yield f"not run: `{name}` was changed, and ran in this container before"
                yield f"  hint: `sandboxd up{self._place.option} --recreate` makes it anew"

    def _commands(self, name: str) -> str:
        words = [command.words for hook in self._remote.of(name) for command in hook.commands]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]

    def _end_leftovers(self) -> None:
        """End what an earlier run left, which would interfere with this one.

        Its sandboxd process was killed, or could not reach the sandbox when it was to end the hook's processes.
        """
        for stage in self._record.stages.values():
            if stage.state in ("running", "interrupted") and stage.mark:
                hook_run.end_marked(self._place, stage.mark)

    def _run_stage(
        self, stage: str, inside: Surroundings, behind: tuple[str, ...]
    ) -> Failure | None:
        before = self._record.stages.get(stage)
        tell = self._tell if before is None or before.state != "failed" else self._tell_again
        for hook in self._remote.of(stage):
            mark = hook_run.new_mark()
            self._keep(self._record.with_stage(stage, Stage("running", hook.source, 0, mark)))
            tell(f"{stage} of {hook.source}: {_written(hook)}")
            try:
                with timeline.span("hooks", stage):
                    ended = hook_run.run(self._place, inside, hook, mark, tell, self._check)
            except BaseException:
                # With the mark: whether its processes ended is not known where the sandbox could not be reached.
                record = self._record.with_stage(stage, Stage("interrupted", hook.source, 0, mark))
                self._keep(record._replace(left=behind))
                raise
            if ended is not None:
                source = f"{hook.source} (`{ended.name}`)" if ended.name else hook.source
                record = self._record.with_stage(stage, Stage("failed", source, ended.code))
                self._keep(record._replace(left=behind))
                return Failure(stage, source, ended.code, behind)
        self._keep(self._record.with_stage(stage, Stage("done", commands=self._commands(stage))))
        return None

    def _keep(self, record: Record) -> None:
        self._record = record
        hook_record.keep(self._environ, self._place.key, record)


def _written(hook: Hook) -> str:
    """The commands of a hook as the config has them, on one line."""
    return ", ".join(
        f"{command.name} `{command.written}`" if command.name else f"`{command.written}`"
        for command in hook.commands
    )
