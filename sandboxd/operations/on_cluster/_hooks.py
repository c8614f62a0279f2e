"""The lifecycle hooks of a sandbox on a cluster, run by the same rules as on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.life import hooks
from sandboxd.operations import _start_words
from sandboxd.operations.on_cluster._hooks_in_pod import InPod

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.model.remote import Remote
    from sandboxd.plan.plan import Plan


def run(
    target: Target, uid: str, plan: Plan, say: Callable[[str, bool], None], *, until_ready: bool
) -> tuple[str, str]:
    """Run the hooks that are due in the Pod `uid`.

    :param say: called with each line (hostile text), and whether the next line may replace it on a terminal
    :param until_ready: leave the stages after `waitFor` to the next `up`
    :returns: a message about the hook that failed and the next step; '' each if none failed
    :raises EnvironmentFailure: the Pod ended meanwhile
    """

    def tell(text: str) -> None:
        say(text, False)

    # What hooks print stays; the steps of the start made room for each other.
    say("", True)
    # The API server does not show an image's label.
    remote = hooks.completed(plan, "")
    for line in _said_of_secrets(remote):
        tell(line)
    for refused in plan.hooks_refused:
        tell(f"not run: {refused.item}: {refused.why}")
    place = InPod(target, uid, plan)
    failed = hooks.run(
        place, plan, remote, target.environ, tell, lambda: None, until_ready=until_ready
    )
    if failed is None:
        return "", ""
    return _start_words.of_hook(failed, target.option)


def _said_of_secrets(remote: Remote) -> tuple[str, ...]:
    lacking = hooks.lacking_secrets(remote)
    if not lacking:
        return ()
    return (
        f"devcontainer.json asks for {lacking}, which nobody gives on a cluster",
        "  hint: a secret gets in as a file, `sandboxd cp FILE :` with the same `--on`, and then all inside can read it",
    )
