"""A plan for Kubernetes: assumed facts about a cluster, the user's statements about it, and the plan's downgrades
there.

No cluster is contacted. What its nodes enforce is not known, so every control that depends on it is a downgrade, and so
is everything that a Pod cannot express.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sandboxd.errors import UsageError
from sandboxd.host.facts import Engine, HostFacts, Runtime
from sandboxd.model.container import Mount
from sandboxd.model.control_name import ControlName
from sandboxd.model.labels import PROGRAM, RESOLV_CONF, TRIAL
from sandboxd.plan import profiles
from sandboxd.plan.container_name import container_name
from sandboxd.plan.git_settings import SAFE
from sandboxd.plan.layout import HOME, MARK_FOLDER, REPOSITORY, SOURCE
from sandboxd.plan.linked_worktree import linked_worktree
from sandboxd.plan.mounts import target_folder
from sandboxd.plan.plan import Plan
from sandboxd.plan.reasons import Downgrade
from sandboxd.plan.volumes import project_digest

PLACES = (HOME, "/tmp")  # noqa: S108 - paths inside
"""Writable folders besides the workspace."""

USER = "1000:1000"
"""The user (uid:gid) if the plan has none by number: what distributions give to the first person."""

_LONGEST_NAME = 44
"""Characters of a sandbox's object name: a Service's name has 63 at most, and a suffix for the kind is added."""


class Cluster(NamedTuple):
    """The user's statements about the cluster and about what is to run there; '' for one that was not made."""

    image: str = ""
    """An image that the cluster can pull, in place of the plan's."""
    namespace: str = ""
    runtime_class: str = ""
    handler: str = ""
    """The handler of `runtime_class`, as the API server names it; '' if it was not asked."""
    seccomp_profile: str = ""
    """The path of a profile below the seccomp folder of each node's kubelet."""
    gateway_image: str = ""
    """An image with Python 3.11 or later."""
    gateway_address: str = ""
    """A free IP address in the cluster's range for Services."""
    cpus: str = "2"
    user: str = ""
    """The login name of the user, which is part of the objects' names."""
    keeps_secrets: bool = False
    """Whether the gateway gets the user's secrets, in its memory."""
    for_controller: bool = False
    """Whether to write a Sandbox of agent-sandbox instead of a Pod."""
    runs_hooks: bool = False
    """Whether the lifecycle hooks of devcontainer.json run after the workspace was copied."""
    repository: str = ""
    """The folder of the repository of a linked work tree, outside of the workspace; '' if it is none."""
    trial: str = ""
    """The source text of the network check, run by the Python of `gateway_image`; '' for no check."""


def repository_elsewhere(workspace: str) -> str:
    """The repository's folder if `workspace` is a linked work tree; '' if it is none."""
    linked = linked_worktree(workspace)
    return linked.common if linked is not None else ""


def facts(cluster: Cluster) -> HostFacts:
    """The facts that a plan for this cluster may rely on: gVisor if the user names a class for it, nothing of this
    machine.
    """
    runtimes = (Runtime(cluster.runtime_class, "", usable=True, gvisor=True),)
    engine = Engine(
        "kubernetes",
        kind="kubernetes",
        security_options=("name=seccomp",),
        runtimes=runtimes if cluster.runtime_class else (),
    )
    return HostFacts("Linux", engine=engine)


def is_tried(cluster: Cluster) -> bool:
    """Whether the Pod checks its network before it starts."""
    return bool(cluster.gateway_image and cluster.trial)


_HANDLERS = ("runsc", "gvisor")
"""Prefixes of the handlers with which RuntimeClasses run gVisor: the name of its program, and the name on Google's
clusters.
"""


def gvisor_class(classes: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The first RuntimeClass whose handler's name is gVisor's, and the handler; ('', '') if there is none.

    :param classes: name and handler of each RuntimeClass
    """
    for name, handler in sorted(classes):
        if handler.startswith(_HANDLERS):
            return name, handler
    return "", ""


def without_class(profile: str) -> UsageError:
    """The error for a `profile` that needs gVisor when no RuntimeClass was named."""
    return UsageError(
        f"the plan by profile `{profile}` needs gVisor, and no RuntimeClass is named",
        "name one that runs gVisor, `--runtime-class gvisor` (`kubectl get runtimeclass` lists them), or "
        "accept that the node's kernel is shared, with `--allow-runc`",
    )


def name_of(plan: Plan, cluster: Cluster) -> str:
    """The name of the sandbox's objects."""
    return object_name(plan.sandbox, cluster.user)


def object_name(sandbox: str, user: str) -> str:
    """The name of a sandbox's objects: a DNS label that leaves room for a suffix.

    :param sandbox: the sandbox's identity
    :param user: the user's login name: two users of a namespace may have workspaces at the same path
    """
    words = re.sub(r"[^a-z0-9]+", "-", container_name(sandbox).lower()).strip("-")
    head, digest = words.rpartition("-")[0], project_digest(f"{user}\0{sandbox}")
    if len(head) + 1 + len(digest) <= _LONGEST_NAME:
        return f"{head}-{digest}"
    return f"{head[: _LONGEST_NAME - len(digest) - 1].rstrip('-')}-{digest}"


def image(plan: Plan, cluster: Cluster) -> str:
    """The image of the workspace's container.

    :raises UsageError: it would have to be built, which a cluster does not do
    """
    if cluster.image:
        return cluster.image
    if plan.recipe is None and plan.container.image is not None:
        return plan.container.image.value
    raise UsageError(
        "the project's image is built, and a cluster only pulls one",
        "build it, push it where the cluster finds it, and name it: `--image NAME`",
    )


def user(plan: Plan) -> tuple[int, int]:
    """The uid and gid inside, neither of them 0."""
    written = plan.container.user.value if plan.container.user is not None else ""
    number, _, group = written.partition(":")
    numbers = [part for part in (number, group or number) if part.isascii() and part.isdigit()]
    if len(numbers) < 2 or "0" in {part.lstrip("0") or "0" for part in numbers}:
        number, _, group = USER.partition(":")
        numbers = [number, group]
    return int(numbers[0]), int(numbers[1])


def programs(plan: Plan) -> list[Mount]:
    """The mounts of the plan that are volumes with programs of agents."""
    mounts = (value.value for value in plan.container.mounts)
    label = f"volume-label={PROGRAM}="
    return [m for m in mounts if m.type == "volume" and any(o.startswith(label) for o in m.options)]


def lost_mounts(plan: Plan) -> list[Mount]:
    """The mounts of the plan that a Pod cannot have."""
    target = target_folder(plan.workspace)
    own = (each.target for each in programs(plan))
    ours = (target, SOURCE, REPOSITORY, MARK_FOLDER, RESOLV_CONF, *PLACES, *own)
    mounts = [value.value for value in plan.container.mounts if value.value.type != "tmpfs"]
    # The copy of the workspace in a Pod has its `.git` with it.
    return [
        m
        for m in mounts
        if m.target not in ours
        and not m.target.startswith((f"{target}/", f"{REPOSITORY}/"))
        and not (plan.own_git is not None and m.source == plan.own_git.inside)
    ]


def downgrades(plan: Plan, cluster: Cluster) -> tuple[Downgrade, ...]:
    """The controls of the plan that the cluster's objects do not enforce, or that were not checked."""
    others = (d for d in plan.downgrades if not d.control.is_of_machine)
    return (
        *_of_node(plan, cluster),
        *_of_network(plan, cluster),
        *_of_work(plan, cluster),
        *others,
    )


def _of_node(plan: Plan, cluster: Cluster) -> Iterator[Downgrade]:
    """Downgrades of the kernel, privileges and limits."""
    if cluster.runtime_class:
        name = cluster.runtime_class
        why = f"that the class `{name}` runs it is what you say; no node was asked"
        if cluster.handler:
            why = f"the class `{name}` runs `{cluster.handler}`, by the word of the API server; no node was looked at"
        yield Downgrade(
            ControlName.GVISOR, why, f"kubectl get runtimeclass {name} -o jsonpath='{{.handler}}'"
        )
    else:
        why = "no RuntimeClass is named: the sandbox shares the node's kernel"
        yield Downgrade(
            ControlName.GVISOR, why, "name one that runs gVisor: `--runtime-class gvisor`"
        )
    added = [value.value for value in plan.container.cap_add]
    if added:
        why = f"Pod Security `restricted` forbids {', '.join(added)}: nobody inside becomes root"
        yield Downgrade(ControlName.CAPABILITIES, why, "install in the image what the work needs")
    if cluster.seccomp_profile:
        why = f"whether each node has `{cluster.seccomp_profile}` is not known; without it no Pod starts"
        yield Downgrade(ControlName.SECCOMP, why)
        if cluster.runtime_class:
            why = "gVisor passes over a filter unless its nodes run it with `--oci-seccomp`"
            yield Downgrade(ControlName.SECCOMP_IN_GVISOR, why)
    elif plan.seccomp_path:
        why = "the filter is the node's own (RuntimeDefault), and not that of the profile"
        yield Downgrade(
            ControlName.SECCOMP,
            why,
            "write it by `--seccomp-files FOLDER`, and name it once each node has it: `--seccomp-profile FILE`",
        )
    if plan.container.pids_limit is not None or plan.container.ulimits:
        why = "a Pod has no word for one: the `podPidsLimit` of each node's kubelet is what holds"
        yield Downgrade(ControlName.PROCESS_LIMIT, why)
    written = plan.container.user.value if plan.container.user is not None else ""
    number, group = user(plan)
    if written not in (str(number), f"{number}:{group}"):
        instead = f"`{written}`" if written else "the image's own"
        why = (
            f"`{number}:{group}` in the place of {instead}: only a number is taken, and not root's"
        )
        yield Downgrade(
            ControlName.USER, why, f'say which it is in sandboxd.toml: `user = "{number}:{group}"`'
        )


def _of_network(plan: Plan, cluster: Cluster) -> Iterator[Downgrade]:
    why = "a NetworkPolicy holds only where the cluster's network enforces it"
    if not is_tried(cluster):
        hint = "docs/kubernetes.md has two commands that try it; with `--gateway-image IMAGE` the Pod does"
        yield Downgrade(ControlName.NETWORK, f"{why}; nobody has tried", hint)
    elif profiles.load(plan.profile).gvisor != "required":
        hint = f"`kubectl logs NAME -c {TRIAL}` says what was seen"
        yield Downgrade(
            ControlName.NETWORK, f"{why}; the Pod tries it, and starts all the same", hint
        )
    if plan.egress is not None:
        yield Downgrade(
            ControlName.PROGRAMS_WITHOUT_A_PROXY,
            "they reach nothing, allowed names included: no range of addresses leads to the gateway here",
        )
        if plan.egress.canaries:
            yield Downgrade(ControlName.TRIPWIRE, "no decoy is put inside")


def _of_work(plan: Plan, cluster: Cluster) -> Iterator[Downgrade]:
    """Downgrades of files, and of what works inside."""
    target, name = shlex.quote(target_folder(plan.workspace)), name_of(plan, cluster)
    where = f"-n {cluster.namespace} " if cluster.namespace else ""
    yield Downgrade(
        ControlName.WORKSPACE,
        "an empty volume of the Pod, which goes with it: your folder is not there, and no file in it is "
        "read-only",
        # Not `.` itself: the folder of a volume is root's, and tar would fail where it sets its time and mode.
        "find . -mindepth 1 -maxdepth 1 -print0 | tar -cf - --null -T - | "
        f"kubectl exec -i {where}{name} -- tar -xf - -C {target}",
    )
    places = ", ".join(f"`{place}`" for place in PLACES)
    yield Downgrade(
        ControlName.WRITABLE_ROOT_FILE_SYSTEM,
        f"only the workspace, {places} can be written, and `/tmp` has no sticky bit",
    )
    if cluster.repository:
        why = f"this is a linked work tree, whose repository `{cluster.repository}` stays behind: git inside finds none"
        yield Downgrade(
            ControlName.GIT_INSIDE, why, "work in a clone, which has its own: `git clone . FOLDER`"
        )
    for mount in programs(plan):
        why = f"`{mount.target}` is a volume of the Pod: what runs inside can change the program there"
        yield Downgrade(ControlName.AGENTS_PROGRAM, why)
    for mount in lost_mounts(plan):
        yield Downgrade(ControlName.MOUNTS, f"nothing is at `{mount.target}`")
    if plan.credentials and cluster.keeps_secrets:
        names = ", ".join(f"`{use.name}`" for use in plan.credentials)
        yield Downgrade(
            ControlName.CREDENTIALS,
            f"{names}: the gateway's Pod has the secret, in memory: whoever may run commands in Pods of the "
            "namespace, or is root on its node, can read it; requests come to it in plain text",
            "use a key with a limit of cost, and revoke it afterwards",
        )
    elif plan.credentials:
        names = ", ".join(f"`{use.name}`" for use in plan.credentials)
        yield Downgrade(
            ControlName.CREDENTIALS, f"{names}: this gateway adds none, and none is in the objects"
        )
    if any(key != SAFE for key, _ in plan.git):
        yield Downgrade(ControlName.GIT_IDENTITY, "your name and e-mail stay on this machine")
    if plan.compose is not None:
        yield Downgrade(
            ControlName.SERVICES, "the other services of the Compose project are not in the objects"
        )
    if not cluster.runs_hooks and plan.remote.hooks:
        yield Downgrade(ControlName.LIFECYCLE_HOOKS, "none of them runs")
    elif cluster.runs_hooks and plan.runs_hooks:
        yield Downgrade(
            ControlName.LIFECYCLE_HOOKS,
            "those of the image's label, as its Features have them, do not run: a cluster does not tell the label",
        )
