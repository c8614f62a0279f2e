"""`sandboxd setup`: from arguments to steps, and what the user sees of them."""

from __future__ import annotations

import argparse
import difflib
import fcntl
import os
import shlex
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli.setup_where import require_system_engine
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK, EnvironmentFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.setup.gvisor import Options
    from sandboxd.setup.journal import Journal
    from sandboxd.setup.step import Step

_APPARMOR_STATE = "/var/lib/sandboxd/setup/apparmor"


def run(args: argparse.Namespace) -> int:
    from sandboxd.setup.journal import Journal

    if args.what == "apparmor":
        return _apparmor(args)
    requested = _options(args)
    # Who names a file has said which engine reads it.
    if not (args.daemon_json or args.verify or args.rollback):
        require_system_engine(requested.host, os.environ)
    if args.update:
        return _update(requested, args.image)
    if args.verify:
        from sandboxd.cli.setup_verify import verify

        return verify(requested.place, args.image)
    journal = Journal(requested.state)
    if args.rollback:
        return _roll_back(journal, requested)
    options = _resume(journal, requested)
    if args.nvproxy:
        _refuse_without_driver()
    if not args.apply:
        _print_plan(options, journal)
        return EXIT_OK
    printed = _printed_plan(options)
    if printed is not None:
        print("\n".join(printed))
        raise EnvironmentFailure(
            "this distribution has no package that sandboxd could install",
            "run the steps above, or name a file: `--binary FILE --sha512 FILE`",
        )
    return _apply(journal, options)


def _refuse_without_driver() -> None:
    from sandboxd.host.facts.raw_answers import from_raw
    from sandboxd.host.probe import machine_raw
    from sandboxd.setup import graphics

    graphics.refuse(from_raw(machine_raw(os.environ)).nvidia)


def _apply(journal: Journal, options: Options) -> int:
    from sandboxd.setup import gvisor, runner
    from sandboxd.setup.journal import Journal

    if not _is_root():
        _print_plan(options, journal)
        return _needs_root("--apply")
    is_said = options.source or options.binary or options.nvproxy
    name = "" if journal.exists or is_said else _good_enough(options)
    if name:
        terminal.status(f"nothing to do: `{name}` holds everything that plans rely on")
        return EXIT_OK
    with _Lock(options.state):
        if journal.undoing:
            terminal.status("a rollback was interrupted: finishing it first")
            runner.roll_back(_steps(journal, options), journal, terminal.status)
            journal = Journal(options.state)
        if journal.interrupted:
            terminal.status("a setup was interrupted: finishing it")
        options = gvisor.choose_source(options)
        steps = gvisor.steps(options)
        if not journal.exists and all(step.is_done() for step in steps):
            terminal.status("nothing to do: our runtimes are registered and start containers")
            return EXIT_OK
        journal.start(options.as_json())
        changed = runner.apply(steps, journal, terminal.status)
    if not changed:
        terminal.status("nothing to do: our runtimes are registered and start containers")
        return EXIT_OK
    terminal.status("done: `sandboxd setup gvisor --verify` attacks it, `--rollback` puts it back")
    _say_old_build(options)
    return EXIT_OK


def _good_enough(options: Options) -> str:
    """The name of a registered gVisor runtime that needs no arguments of ours; '' where there is none."""
    from sandboxd.host.facts.builds import shortfall
    from sandboxd.host.probe import probe

    best = probe({**os.environ, "DOCKER_HOST": options.host}, trial=True).usable_gvisor()
    if best is None or not best.premises or not best.pins_hold() or best.directfs_off():
        return ""
    return "" if shortfall(best) else best.name


def _say_old_build(options: Options) -> None:
    """Say what the build lacks that was registered, and the command that brings the current one."""
    from sandboxd.host.facts.builds import UPDATE, shortfall
    from sandboxd.host.probe import probe

    facts = probe({**os.environ, "DOCKER_HOST": options.host}, trial=True)
    best = facts.usable_gvisor()
    if best is not None and shortfall(best):
        terminal.status(f"{shortfall(best)}; `{UPDATE}`")


def _update(options: Options, image: str | None) -> int:
    from sandboxd.cli import setup_update

    if not _is_root():
        for step in setup_update.steps(options):
            print(step.title)
            print("\n".join(f"    {line}" for line in step.shows()))
        return _needs_root("--update")
    with _Lock(options.state):
        return setup_update.update(options, image)


def _roll_back(journal: Journal, options: Options) -> int:
    from sandboxd.cli import setup_update
    from sandboxd.setup import runner

    if _is_root() and setup_update.journal_of(options).exists:
        with _Lock(options.state):
            setup_update.roll_back(options)
        return EXIT_OK
    if not journal.exists:
        terminal.status("nothing to put back: no setup was made here")
        return EXIT_OK
    if not _is_root():
        for step in reversed(_steps(journal, options)):
            if step.id in journal.begun:
                print(f"undo: {step.title}")
        return _needs_root("--rollback")
    with _Lock(options.state):
        runner.roll_back(_steps(journal, options), journal, terminal.status)
    terminal.status("put back: files, packages and the engine are as they were")
    return EXIT_OK


def _steps(journal: Journal, options: Options) -> list[Step]:
    """The steps that the journal is about."""
    from sandboxd.setup import gvisor

    if journal.options is None:
        return gvisor.steps(gvisor.choose_source(options))
    return gvisor.steps(gvisor.Options.from_json(journal.options))


def _resume(journal: Journal, requested: Options) -> Options:
    """The options of an earlier run, with the restart options of this one.

    :raises UsageError: another source is asked for than the one that was used
    """
    from sandboxd.setup.gvisor import Options

    if journal.options is None:
        return requested
    before = Options.from_json(journal.options)
    source = requested.source or ("binary" if requested.binary else "")
    if source and (source, requested.binary) != (before.source, before.binary):
        raise UsageError(
            f"runsc was set up here from `{before.source}`, and `{source}` is asked for",
            "put the first back: `sudo sandboxd setup gvisor --rollback`",
        )
    return before._replace(
        may_restart=requested.may_restart or before.may_restart,
        wait_seconds=requested.wait_seconds,
        nvproxy=requested.nvproxy or before.nvproxy,
    )


def _options(args: argparse.Namespace) -> Options:
    from sandboxd.engine.contexts import resolve
    from sandboxd.setup.gvisor import Options

    host = f"unix://{os.path.abspath(args.socket)}" if args.socket else resolve(os.environ).host
    if not host.startswith("unix://"):
        raise UsageError(
            f"the engine at `{host}` is on another machine", "run this command on that machine"
        )
    values = {
        "source": args.source,
        # It may be a link: the file that it leads to is changed, and restored.
        "daemon_json": os.path.realpath(args.daemon_json or Options().daemon_json),
        "host": host,
        "reload_command": tuple(shlex.split(args.reload_command or "")),
        "restart_command": tuple(shlex.split(args.restart_command or "")),
        "may_restart": args.restart,
        "wait_seconds": args.wait,
        "binary": _absolute(args.binary or args.from_file),
        "checksum_file": _absolute(args.sha512 or (args.from_file and f"{args.from_file}.sha512")),
        "repository": args.repository,
        "folder": _absolute(args.folder),
        "key_fingerprint": args.key_fingerprint,
        "key_url": args.key_url,
        "state": _absolute(args.state),
        "nvproxy": args.nvproxy,
    }
    return Options()._replace(**{name: value for name, value in values.items() if value})


def _absolute(path: str | None) -> str | None:
    return os.path.realpath(path) if path else None


def _print_plan(options: Options, journal: Journal) -> None:
    from sandboxd.setup import gvisor

    printed = _printed_plan(options)
    if printed is not None:
        print("\n".join(printed))
        return
    options = gvisor.choose_source(options)
    steps = gvisor.steps(options)
    if journal.interrupted:
        print("an earlier setup was interrupted: --apply finishes it, --rollback puts it back\n")
    for number, step in enumerate(steps, 1):
        mark = "done  " if step.id != "trial" and step.is_done() else "      "
        print(f"{number}. {mark}{step.title}")
        for line in step.shows():
            print(f"           {line}")
    _print_arguments(options)
    _print_restart(options)
    print("\nneeds root: steps that write or install. The way back: --rollback")


def _print_arguments(options: Options) -> None:
    """Print the arguments of runsc and why they are needed, by a trial where one is possible."""
    from sandboxd.host.facts.builds import UPDATE
    from sandboxd.setup import daemon_json, files, packages, register, trial

    runsc = packages.find_runsc()
    if options.source == "repository":
        print(f"\nfallback: {packages.FALLBACK}")
    if options.source != "present" or runsc is None or not _is_root():
        print("\narguments: found by a trial when runsc is there (needs root)")
        return
    needs = trial.find(runsc)
    if needs.error:
        print(f"\n{runsc} starts no container here: {needs.error}")
        return
    print("\narguments, as tried on this machine:")
    for need in (*needs.starts, *needs.holds):
        print(f"  {need.argument}  # {need.reason}")
    if needs.starts:
        print(f"  # a newer runsc may need none of the first: `{UPDATE}`")
    before = (files.read(options.daemon_json) or b"").decode("utf-8", "replace")
    after = daemon_json.merge(
        before, register.definitions(runsc, needs, options.nvproxy), options.daemon_json
    )
    diff = difflib.unified_diff(
        before.splitlines(), after.splitlines(), options.daemon_json, "after", lineterm="", n=2
    )
    print("\n" + "\n".join(terminal.printable(line) for line in diff))


def _print_restart(options: Options) -> None:
    control = options.place.control
    info = control.info()
    if info is None:
        print("\nthe engine is not running: it reads its config when it starts")
        return
    running = control.running()
    print("\nrestart: none, a reload is enough; if this engine does not take it,")
    if info.get("LiveRestoreEnabled") or not running:
        print("         a restart stops no container (live-restore, or none is running)")
    else:
        print(f"         a restart would stop: {', '.join(sorted(running))} (only with --restart)")


def _printed_plan(options: Options) -> tuple[str, ...] | None:
    """The plan that the user has to follow, None where we do it ourselves."""
    from sandboxd.host.facts.raw_answers import from_raw
    from sandboxd.host.probe import machine_raw
    from sandboxd.setup import gvisor, packages

    if options.source in ("present", "binary") or options.binary or packages.find_runsc():
        return None
    return gvisor.printed_plan(from_raw(machine_raw(os.environ)))


def _apparmor(args: argparse.Namespace) -> int:
    from sandboxd.setup import apparmor, runner
    from sandboxd.setup.journal import Journal

    steps: Sequence[Step] = apparmor.steps()
    journal = Journal(_absolute(args.state) or _APPARMOR_STATE)
    if args.rollback:
        if journal.exists and not _is_root():
            return _needs_root("--rollback")
        if journal.exists:
            runner.roll_back(steps, journal, terminal.status)
        return EXIT_OK
    why = apparmor.why_not()
    if why:
        raise EnvironmentFailure(why, "`sandboxd doctor` shows which controls this host has")
    if not steps:
        raise EnvironmentFailure("no AppArmor profile ships with this version", "")
    if not args.apply or not _is_root():
        for step in steps:
            print(step.title)
            print("\n".join(f"    {line}" for line in step.shows()))
        return _needs_root("--apply") if args.apply else EXIT_OK
    journal.start({})
    changed = runner.apply(steps, journal, terminal.status)
    terminal.status("done" if changed else "nothing to do: the profiles are loaded")
    return EXIT_OK


def _is_root() -> bool:
    return os.geteuid() == 0


def _needs_root(action: str) -> int:
    terminal.error(
        EnvironmentFailure(f"`{action}` needs root", f"`sudo sandboxd setup ... {action}`")
    )
    return EXIT_ENVIRONMENT


class _Lock:
    """A lock that lets one setup run at a time."""

    def __init__(self, state: str) -> None:
        self._path = state.rstrip("/") + ".lock"

    def __enter__(self) -> None:
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        self._file = open(self._path, "w", encoding="ascii")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentFailure(
                "another `setup` is running", "wait for it, then run this again"
            ) from None

    def __exit__(self, *_: object) -> None:
        os.unlink(self._path)
        self._file.close()
        folder = os.path.dirname(self._path)
        for _level in range(4):
            try:
                os.rmdir(folder)
            except OSError:
                return
            folder = os.path.dirname(folder)
