"""Arguments that the commands share which work on a sandbox."""

from __future__ import annotations

import os

from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.backends.backend import Backend
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.engine.client import Engine


def add_project(parser: argparse.ArgumentParser) -> None:
    """The option that names the project."""
    parser.add_argument(
        "--project",
        metavar="DIR",
        default=".",
        help="the project's folder, or one below it (default: here)",
    )


def add_name(parser: argparse.ArgumentParser) -> None:
    """The options that name the project, and one of its sandboxes."""
    add_project(parser)
    parser.add_argument(
        "--name",
        metavar="NAME",
        default="",
        help="one of several sandboxes of the project, each with a private copy and this name",
    )


def add_on(parser: argparse.ArgumentParser, *, follows_file: bool = True) -> None:
    """The option that names a cluster in the place of this machine's engine; without it None, which `where` settles.

    :param follows_file: without it the project's file may name one
    """
    parser.add_argument(
        "--on",
        metavar="CONTEXT",
        default=None,
        help="on the Kubernetes cluster of this context of your kubeconfig",
    )
    if not follows_file:
        return
    parser.add_argument(
        "--here",
        action="store_true",
        help="on this machine, though sandboxd.toml names a cluster that you granted",
    )


def add_no_daemon(parser: argparse.ArgumentParser) -> None:
    """The option by which a command starts no daemon."""
    parser.add_argument(
        "--no-daemon", action="store_true", help="start no daemon; one that runs is used"
    )


def option(args: argparse.Namespace) -> str:
    """The options by which a command means the same sandbox: ` --on NAME --name NAME`; '' for none."""
    from sandboxd.model.sandbox_id import option_of, option_of_cluster

    return option_of_cluster(args.on) + option_of(args.name)


def target(args: argparse.Namespace) -> Target:
    """The sandbox that is meant, on the cluster of `--on`.

    :raises SandboxdError: there is no such context, or no such folder
    """
    from sandboxd.operations.on_cluster.target import target

    return target(args.on, folder(args), name(args), os.environ)


def name(args: argparse.Namespace) -> str:
    """The name of the sandbox that is meant; '' for the one without a name.

    :raises UsageError: it is no valid name
    """
    from sandboxd.model.sandbox_id import check_name

    return check_name(args.name) if args.name else ""


def command(args: argparse.Namespace) -> list[str]:
    """The words of the command to run inside, without the `--` before them; [] for none."""
    words: list[str] = args.command
    return words[1:] if words[:1] == ["--"] else words


def backend(args: argparse.Namespace) -> Backend:
    """The cluster of `--on`, or this machine's engine.

    :raises SandboxdError: there is no such context, or no engine
    """
    from sandboxd.backends import selection

    return selection.connect(args.on, os.environ)


def lacks(args: argparse.Namespace, need: str) -> str:
    """What to know or to do where the backend lacks an ability; '' if it has it.

    :param need: the value of the `Ability`
    """
    from sandboxd.backends import selection
    from sandboxd.backends.backend import Ability

    refusal = selection.lacks(args.on).get(Ability(need))
    return refusal.hint if refusal is not None else ""


def connect() -> Engine:
    """The engine of this user's environment."""
    from sandboxd.engine.client import connect_from

    return connect_from(os.environ)


def folder(args: argparse.Namespace) -> str:
    """The folder that names the project, absolute.

    :raises UsageError: it does not exist
    """
    path: str = os.path.abspath(args.project)
    if not os.path.isdir(path):
        raise UsageError(f"`{args.project}` is not a folder", "name the project's folder")
    return path
