"""The plan of the project on which an operation works."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.host.facts import HostFacts
    from sandboxd.plan.grants import Grants
    from sandboxd.plan.plan import Plan
    from sandboxd.project import Project

    Facts = Callable[[], HostFacts] | None
    """Waits for the host's facts; None: the operation looks for itself, and tries the runtimes."""


def for_start(
    directory: str, environ: Mapping[str, str], grants: Grants, facts: Facts, name: str = ""
) -> tuple[Plan, HostFacts, Project]:
    """The plan of a sandbox to be started, the facts about the host that it is for, and its project.

    :param name: the sandbox's name; '' for the unnamed one
    :raises UsageError: the config is not valid, asks for more than is granted, or names an image that cannot be built
    """
    project, plan, host = _plan(directory, environ, grants, facts, name)
    if plan.recipe is None:
        # Raises where there is one that cannot be built.
        project.recipe()
    return plan, host, project


def for_comparison(
    directory: str, environ: Mapping[str, str], facts: Facts, name: str = ""
) -> Plan:
    """The plan to compare a running sandbox with; grants that its start needed count as given.

    :param name: the sandbox's name; '' for the unnamed one
    :raises UsageError: the config is not valid
    """
    from sandboxd.plan.grants import Grants

    return _plan(directory, environ, Grants(allow_runc=True, trusted=True), facts, name)[1]


def as_started(
    directory: str, environ: Mapping[str, str], container: str, facts: Facts, name: str = ""
) -> Plan:
    """The plan of a container, with exactly the grants that the user gave for its start.

    Answers about host names that the user gave since are not included: see `project.rights`.

    :param container: its id
    :param name: the sandbox's name; '' for the unnamed one
    :raises UsageError: the config is not valid, or asks for more than is granted
    """
    from sandboxd.life import granted
    from sandboxd.plan.grants import Grants

    wait = facts or _probing(environ)
    from sandboxd.project import Project

    project = Project.open(directory, environ, name)
    record = granted.recall(environ, project.sandbox)
    allow_runc = record is not None and record.container == container
    return project.plan(wait(), Grants(allow_runc=allow_runc))


def _plan(
    directory: str, environ: Mapping[str, str], grants: Grants, facts: Facts, name: str
) -> tuple[Project, Plan, HostFacts]:
    wait = facts or _probing(environ)
    from sandboxd.project import Project

    project = Project.open(directory, environ, name)
    host = wait()
    try:
        return project, project.plan(host, grants), host
    except EnvironmentFailure:
        engine = host.engine
        if engine is None or not any(runtime.usable is False for runtime in engine.runtimes):
            raise
    # What failed in an earlier trial may have been mended since.
    from sandboxd.host.probe import probe

    host = probe(environ, trial=True, premises="all")
    return project, project.plan(host, grants), host


def _probing(environ: Mapping[str, str]) -> Callable[[], HostFacts]:
    """Begin to probe the machine in the background; returns a function that waits for the facts.

    The engine takes as long for it as we take to load what makes plans.
    """
    answers: list[HostFacts | BaseException] = []

    def look() -> None:
        from sandboxd.host.probe import probe

        try:
            answers.append(probe(environ, trial=True))
        except BaseException as error:
            answers.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()

    def facts() -> HostFacts:
        thread.join()
        if isinstance(answers[0], BaseException):
            raise answers[0]
        return answers[0]

    return facts
