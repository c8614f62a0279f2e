"""The background process that keeps generated files up to date and answers `status`.

An editor and the commands that leave a sandbox running (`up`, `exec`, `shell`, `restart`, `agent`) start it, one for
each user. It stays while a sandbox runs, and ends when nobody needs it. `--no-daemon` on these commands, the variable
`SANDBOXD_NO_DAEMON` or `daemon = false` in a policy keep them from it.
`start` also makes it keep the project in the current folder (or in PATH), `forget` ends that; the project's
files stay as they are.
"""

from __future__ import annotations

import argparse
import os
import sys

from sandboxd import terminal
from sandboxd.errors import EXIT_OK, DaemonError, SandboxdError

HELP = "start, stop or look at the background process"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    start = actions.add_parser("start", help="start it, and keep a project generated")
    start.add_argument("path", nargs="?", metavar="PATH", help="project folder (default: here)")
    forget = actions.add_parser("forget", help="no longer keep a project generated")
    forget.add_argument("path", nargs="?", metavar="PATH", help="project folder (default: here)")
    actions.add_parser("status", help="whether it runs, and which projects it knows")
    actions.add_parser("stop", help="end it")
    run = actions.add_parser("run", help="be the daemon, in the foreground")
    run.add_argument("--background", action="store_true", help="log to the file only")
    run.add_argument("--idle-exit", type=float, metavar="SECONDS", help="end when idle for so long")
    install = actions.add_parser("install", help="have the system start it (systemd, launchd)")
    install.add_argument("--undo", action="store_true", help="take that back")
    install.add_argument("--show", action="store_true", help="only show what would be done")
    logs = actions.add_parser("logs", help="print its log")
    logs.add_argument("-n", "--lines", type=int, default=50, metavar="N", help="last N lines")


def run(args: argparse.Namespace) -> int:
    actions = {
        "start": _start,
        "forget": _forget,
        "status": _status,
        "stop": _stop,
        "run": _run,
        "logs": _logs,
        "install": _install,
    }
    return actions[args.action](args)


def _start(args: argparse.Namespace) -> int:
    from sandboxd.config.reading import nearest
    from sandboxd.ipc import client, messages

    where = os.path.realpath(args.path or os.getcwd())
    if not os.path.isdir(where):
        raise DaemonError(f"`{args.path}` is not a folder", "name the folder of a project")
    config = nearest(where)
    connection = client.connect(os.environ, where, start=True, patience=client.PATIENT_SECONDS)
    assert connection is not None
    with connection:
        terminal.status(f"the daemon runs (pid {connection.daemon_pid})")
        if config is None:
            terminal.status("no `sandboxd.toml` here or above, so no project was added")
            return EXIT_OK
        workspace = os.path.dirname(config)
        answer = connection.request(messages.PROJECT_REGISTER, {"path": workspace})
        terminal.status(f"`{workspace}` is kept generated from its `sandboxd.toml`")
    if isinstance(answer, dict) and answer.get("problem"):
        terminal.status(f"nothing can be generated yet: {answer['problem']}")
        if answer.get("hint"):
            terminal.status(f"hint: {answer['hint']}")
    return EXIT_OK


def _forget(args: argparse.Namespace) -> int:
    from sandboxd.config.reading import nearest
    from sandboxd.ipc import client, messages

    where = os.path.realpath(args.path or os.getcwd())
    # A folder that no longer exists has no config to find: the path itself is the project.
    config = nearest(where) if os.path.isdir(where) else None
    workspace = os.path.dirname(config) if config is not None else where
    connection = client.connect(os.environ, where, start=True, patience=client.PATIENT_SECONDS)
    assert connection is not None
    with connection:
        answer = connection.request(messages.PROJECT_FORGET, {"path": workspace})
    is_known = isinstance(answer, dict) and answer.get("known") is True
    terminal.status(
        f"`{workspace}` is no longer kept; its files stay as they are"
        if is_known
        else f"`{workspace}` was not kept; `sandboxd status --json` names those that are"
    )
    return EXIT_OK


def _status(_args: argparse.Namespace) -> int:
    """:raises DaemonError: none runs, or it does not answer"""
    from sandboxd.ipc import client, messages

    connection = client.connect(os.environ, start=False)
    if connection is None:
        raise DaemonError(
            "no daemon runs", "`sandboxd daemon start` starts it; so do `up`, `exec` and `agent`"
        )
    with connection:
        answer: messages.Listed = connection.request(messages.PROJECT_LIST, {}, timeout=5.0)
    print(f"the daemon runs (pid {connection.daemon_pid})")
    for project in answer["projects"]:
        does = "keeps generated" if project["keeps"] else "attends to"
        gone = "" if project["exists"] else ", whose folder is missing"
        print(terminal.one_line(f"{does:<15}  {project['path']}{gone}"))
    return EXIT_OK


def _stop(_args: argparse.Namespace) -> int:
    from sandboxd.ipc import client

    pid = client.end(os.environ)
    terminal.status(f"the daemon ended (pid {pid})" if pid else "no daemon is running")
    return EXIT_OK


def _run(args: argparse.Namespace) -> int:
    import logging

    from sandboxd.daemon import logfile

    logfile.open_log(os.environ, to_stderr=not args.background)
    try:
        from sandboxd.daemon import service

        service.run(os.environ, args.idle_exit)
    except SandboxdError as error:
        logging.error("%s", error.message)
        raise
    except Exception:
        # In the background nobody sees stderr.
        logging.exception("the daemon ends because of a bug")
        raise
    return EXIT_OK


def _install(args: argparse.Namespace) -> int:
    from sandboxd.cli.daemon_install import install

    return install(args.undo, args.show)


def _logs(args: argparse.Namespace) -> int:
    from collections import deque

    from sandboxd.daemon.logfile import log_path

    path = log_path(os.environ)
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as file:
            lines = deque(file, maxlen=max(args.lines, 0))
    except FileNotFoundError:
        terminal.status(f"there is no log yet: `{path}`")
        return EXIT_OK
    sys.stdout.write(terminal.printable("".join(lines)))
    return EXIT_OK
