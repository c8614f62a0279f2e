"""The sandboxes that are compared, each with a plan for its own copy of the project."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import NamedTuple

from sandboxd.bench import copies
from sandboxd.bench.changes import Change
from sandboxd.bench.measure import Candidate
from sandboxd.bench.results import Variant
from sandboxd.config.model import Setting
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.plan import profiles
from sandboxd.plan.grants import Grants
from sandboxd.plan.profiles import Profile
from sandboxd.plan.runtime import decide
from sandboxd.project import Project
from sandboxd.project.rights import rights_of_plan

PLAIN = "docker"
_LEAST_CONTROLS = "trusted"


class Chosen(NamedTuple):
    """The sandboxes to measure."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[str, ...]
    """A sentence on each other sandbox that cannot be measured here, with the reason."""
    own: str = ""
    """The name of the candidate that `up` would start; '' if it is not among them."""


def choose(
    project: Project,
    host: HostFacts,
    grants: Grants,
    scratch: str,
    most_bytes: int,
    plain: bool,
    progress: Callable[[str], None],
) -> Chosen:
    """The sandboxes of `project` on this host, each with a copy of the project below `scratch`.

    :param scratch: an empty folder
    :param most_bytes: the size in bytes of the largest workspace that is copied
    :param plain: include plain Docker, without the profile's controls. Even an idle shell is then a program of an
        image that the repository chose, so the user has to ask for it
    :raises UsageError: the profile does not allow runc, and nothing is left to compare with
    :raises EnvironmentFailure: nothing can be started here
    """
    own = "gvisor" if project.plan(host, grants).gvisor else "runc"
    profile = project.profile.name
    _needs_runc(project.profile, host, grants)
    variants = [
        (Variant("runc", f"runc, profile {profile}", profile), "runc"),
        (Variant("gvisor", f"gVisor, profile {profile}", profile), "gvisor"),
    ]
    if profile == _LEAST_CONTROLS:
        variants[0] = (variants[0][0]._replace(title="runc"), "runc")
    elif plain:
        variants.insert(0, (Variant(PLAIN, "plain docker run", _LEAST_CONTROLS), "runc"))
    candidates, left_out = [], []
    for variant, runtime in variants:
        controls = project.profile if variant.profile == profile else profiles.load(variant.profile)
        decision = decide(controls, runtime, host, grants.allow_runc)
        if decision.choice is None:
            left_out.append(f"{variant.title}: {decision.why}")
            continue
        progress(f"copying the workspace for {variant.title}")
        candidates.append(candidate(project, host, variant, runtime, grants, scratch, most_bytes))
    if not candidates:
        raise EnvironmentFailure(f"nothing can be measured: {left_out[0]}", "`sandboxd doctor`")
    return Chosen(tuple(candidates), tuple(left_out), own)


def _needs_runc(profile: Profile, host: HostFacts, grants: Grants) -> None:
    refused = decide(profile, "runc", host, grants.allow_runc)
    if refused.choice is None and refused.refused == "config":
        raise UsageError(
            f"the comparison starts the image under runc, which profile `{profile.name}` does not allow",
            "`sandboxd bench --allow-runc`, if you may share the host's kernel with this image",
        )


def candidate(
    project: Project,
    host: HostFacts,
    variant: Variant,
    runtime: str,
    grants: Grants,
    scratch: str,
    most_bytes: int,
    change: Change | None = None,
) -> Candidate:
    """One sandbox of `project`, with a copy of the project below `scratch`.

    :param runtime: the name of the engine's runtime
    :param most_bytes: the size in bytes of the largest workspace that is copied
    :param change: a change of its config to be tried; None for none
    :raises UsageError: the workspace is too large, or the change cannot be made
    """
    folder = os.path.join(scratch, variant.name, os.path.basename(project.workspace) or "root")
    os.mkdir(os.path.dirname(folder), 0o755)
    copies.copy(project.workspace, folder, most_bytes)
    config = project.config._replace(
        workspace=folder, profile=Setting(variant.profile), runtime=Setting(runtime)
    )
    if change is not None:
        config = change.applied_to(config)
    # The grant for the real project was checked above, so the copy needs none of its own.
    plan = Project(folder, config, project.environ).plan(host, grants._replace(trusted=True))
    # Nothing of a measurement is left, and none begins with what another one left. A private copy is where
    # `up` has it: it is thrown away at the end. One that is kept the same would need a session: the folder is measured.
    copy = tuple(place for place in plan.lasting if place.kind == "copy")
    rights = rights_of_plan(plan, project.environ, time.time())
    return Candidate(variant, plan._replace(lasting=copy, synced=None), rights)
