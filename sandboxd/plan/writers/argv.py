"""Writes a plan as a `docker run` command line that a user can paste."""

from __future__ import annotations

from sandboxd.errors import UsageError
from sandboxd.model.labels import EDITOR, MADE_BY
from sandboxd.plan import inner_network, subpath_mounts
from sandboxd.plan.plan import Plan
from sandboxd.plan.writers._flags import flags, mount_flag


def render(plan: Plan) -> list[str]:
    """The words of the command line.

    :raises UsageError: the project names no image
    """
    container = plan.container
    if plan.inner is not None:
        container = inner_network.join(container, plan.inner, plan.workspace)
    image = plan.image()
    if not image:
        raise UsageError(
            "no image is named, and nothing to build one from",
            'name one in sandboxd.toml: `image = "..."`',
        )
    words = ["docker", "run", "--detach", f"--name={container.name}"]
    words += [flag.text for flag in flags(container)]
    words += inner_network.flags(plan.inner) if plan.inner is not None else ()
    words += [f"--security-opt={v.value.name}={v.value.value}" for v in container.security_opt]
    mounts = (subpath_mounts.of_other_tools(v.value, plan) for v in container.mounts)
    words += [mount_flag(mount) for mount in mounts]
    words += [f"--env={v.value.name}={v.value.value}" for v in container.env]
    words += [f"--label={v.value.name}={v.value.value}" for v in container.labels]
    words.append(f"--label={MADE_BY}={EDITOR}")
    if container.init is not None:
        words.append("--init")
    if container.user is not None:
        words.append(f"--user={container.user.value}")
    if container.working_dir is not None:
        words.append(f"--workdir={container.working_dir.value}")
    return [*words, "--entrypoint=", image, *container.command]


def prepare(plan: Plan) -> list[str]:
    """The words of a second command line, to run after the first and before the sandbox is ready; [] for none."""
    return ["docker", "exec", plan.container.name, *plan.prepare] if plan.prepare else []
