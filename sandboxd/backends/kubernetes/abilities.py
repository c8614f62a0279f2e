"""The abilities that a cluster lacks. Imports nothing slow: options are refused before a cluster is connected to."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from sandboxd.backends.backend import Ability, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

CANNOT: Mapping[Ability, Refusal] = MappingProxyType(
    {
        Ability.REACH_SERVICES: Refusal(
            "forward ports of the sandbox itself", "is not on the cluster"
        ),
        Ability.SHOW_SERVICES: Refusal("the services of a Compose project are not there"),
        Ability.CHOOSE_USER: Refusal("a Pod has the one user of its plan"),
        Ability.BE_ROOT: Refusal("Pod Security `restricted` has no root"),
        Ability.HIDE_VARIABLES: Refusal(
            "a variable of `-e` is in the request, which the cluster may log: a secret goes in by `sandboxd cp FILE :`"
        ),
        Ability.END_ALL: Refusal(
            "name each by its project's folder; `sandboxd list` with the same `--on` shows them"
        ),
        Ability.WATCH: Refusal("it asks the cluster once"),
        Ability.SHOW_ALL: Refusal("`sandboxd list` with the same `--on` shows the sandboxes there"),
        Ability.ANSWER_AT_ONCE: Refusal("a prompt is not to wait for a cluster"),
        Ability.REMEMBER_PROJECTS: Refusal("the daemon of this machine remembers those here"),
        Ability.ALLOW_ONCE: Refusal(
            "a gateway that its cluster starts again would let one more connection through; give it a time: `--for 10m`"
        ),
        Ability.VERIFY_AT_START: Refusal(
            "`sandboxd verify` with the same `--on` attacks it once it runs"
        ),
        Ability.TIME_STARTS: Refusal("it times this machine's engine"),
        Ability.DESCRIBE_AT_LENGTH: Refusal("without it all that is known of a cluster is shown"),
        Ability.PRINT_RAW_FACTS: Refusal("`--json` prints the facts of the cluster"),
        Ability.BUILD_IMAGES: Refusal(
            "a cluster only pulls images: build it, push it, and name it by `--image`"
        ),
        Ability.PULL_IMAGES: Refusal("a cluster gets images by itself"),
        Ability.KEEP_COPIES: Refusal(
            "`--recreate` begins with a new copy there, too, and keeps the changes of the old one"
        ),
        Ability.KEEP_THE_SAME: Refusal(
            "a copy there is brought by `--apply`, and nothing here is removed or overwritten by itself"
        ),
        Ability.CLONE_DOTFILES: Refusal(
            "bring what you need in the image, or by `sandboxd cp FILE :`"
        ),
        Ability.TAKE_VARIABLES: Refusal(
            "a Pod's variables can be read by all who may read the Pod"
        ),
        Ability.ATTACK_ANY: Refusal(
            "a Pod is found by its project: go to the project's folder, or name it by `--project`"
        ),
        Ability.ATTACK_A_NEW_ONE: Refusal(
            "the Pod itself is attacked: `sandboxd up` with the same `--on` starts one"
        ),
        Ability.SHOW_CONTROLS: Refusal("its kernel and its mounts are the node's"),
        Ability.PROBE_ANEW: Refusal("the cluster is asked anew each time"),
        Ability.JUDGE_A_REPORT: Refusal("a report of `--raw` is about a machine"),
    }
)
"""The abilities that no cluster has, each with the refusal for whoever asks for it."""
