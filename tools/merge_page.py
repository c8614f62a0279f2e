"""docs/merge.md, from the projects that the dev container CLI is compared with us on.

Each is a folder `tests/projects/merge-NAME`: its README.md says what is odd about it, its made.json
what the engine made of it.
"""

from __future__ import annotations

import json
import os
import re
import textwrap

_PROJECTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests")
_NOT_KNOWN = re.compile(r"^Not known: `(\w+)`: (.*)$", re.MULTILINE)

_ASIDE = ("Not known: ", "Lost: ")

_HEAD = """# How a container's settings come together

A devcontainer.json says only a part of what a container may do. The image it names, the Features,
a Dockerfile, a Compose service and `runArgs` say more, and some of them cannot be taken back. This
is the order, from the bottom up; what comes later wins, or is added:

1. the image: the user, the variables and the folder of the Dockerfile's stage that is built, then
   `containerEnv` of Features, which is written into it;
2. the Compose service, for a project that has `dockerComposeFile`;
3. the label `devcontainer.metadata` of the image, or of the one that a Dockerfile starts `FROM`;
4. Features, in the order in which they are installed;
5. the devcontainer.json itself;
6. `runArgs`, where there is no `dockerComposeFile`;
7. once more the label, Features and the file, with `init`, `privileged`, `capAdd` and `securityOpt`.

| property | what becomes of several |
|---|---|
| `init`, `privileged` | on where anybody has it on: `false` takes nothing back |
| `capAdd` | all of them |
| `securityOpt` | of equal lines the first stays; of one kind the engine then takes the last |
| `mounts` | one for each target: the last |
| `containerEnv`, `remoteEnv` | one for each name: the last |
| `containerUser`, `remoteUser` | the last |
| `entrypoint` of Features and label | all of them, one after the other |

So put seccomp and `no-new-privileges` in `securityOpt`, never in `runArgs`, and look at what really
runs: `sandboxd status` and `sandboxd drift` ask the engine.

## Shown on a real engine

Each row is a small project. The dev container CLI {cli} made its container, and `docker inspect`
said what came of it. What sandboxd reads in the files was compared with that, setting by setting,
and its merge with the CLI's own (`read-configuration --include-merged-configuration`). Both are the
same in each row, but for what the last column names; a difference fails the tests.
"""

_TAIL = """
## What is compared

{settings}.

What is not:

- The container's own command: the CLI keeps it alive by a loop, whatever the command is, and starts
  `entrypoint` of Features and label from it. No rule looks at it.
- Labels by which the tools find their containers, host names, and what the engine alone decides
  where nobody says anything (its default network, runtime, log driver, cgroup namespace).
- What Features of a registry ask for. That of the well-known ones is in a table; others are named as
  not checked in every output.
"""

_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("The file by itself", (
        "plain", "truthy", "override-command", "ports", "port-number", "requirements",
        "update-uid", "image-user", "variables", "late-variables",
    )),
    ("An image's label", (
        "label-widens", "switched-off", "label-object", "label-comments", "label-host-variables",
        "label-mount-replaced", "label-users", "env-order",
    )),
    ("Security options, capabilities, arguments", (
        "security-opt-behind", "security-opt-shadowed", "security-opt-repeated", "capabilities",
        "drop-all", "run-args-contradict", "run-args-lose", "run-args-image", "run-args-many",
    )),
    ("Mounts", (
        "mount-forms", "mount-duplicates", "workspace-mount", "workspace-mount-empty",
    )),
    ("Dockerfiles", ("dockerfile", "dockerfile-base-label", "dockerfile-own-label")),
    ("Features", (
        "feature-asks", "feature-order", "feature-order-by-name", "feature-brings-others",
        "feature-installs-after",
        "feature-environment", "feature-mount-replaced",
    )),
    ("Compose", (
        "compose-dropped", "compose-options", "compose-mount-replaced", "compose-files",
        "compose-env-file", "compose-services", "compose-all-services", "compose-label",
        "compose-build", "compose-feature",
    )),
)  # fmt: skip


def page() -> str:
    """The order in words, then a row for each project."""
    plain = json.loads(_read("projects/merge-plain/made.json"))["settings"]
    needs = json.loads(_read("e2e/devcontainer-cli/package.json"))["dependencies"]
    settings = textwrap.fill(", ".join(f"`{name}`" for name in sorted(plain)), 100)
    parts = [_HEAD.format(cli=needs["@devcontainers/cli"])]
    for title, names in _GROUPS:
        rows = "".join(_row(name) for name in names)
        parts.append(
            f"\n### {title}\n\n| project | what comes of it | not known |\n|---|---|---|\n{rows}"
        )
    return "".join(parts) + _TAIL.format(settings=settings)


def listed() -> set[str]:
    """The projects that are on the page."""
    return {name for _, names in _GROUPS for name in names}


def _row(name: str) -> str:
    text = _read(f"projects/merge-{name}/README.md")
    unknown = "; ".join(f"`{key}`: {why}" for key, why in _NOT_KNOWN.findall(text))
    title, *sentences = [block for block in text.split("\n\n") if not block.startswith(_ASIDE)]
    link = f"[{title.removeprefix('# ').strip()}](../tests/projects/merge-{name}/)"
    return f"| {link} | {' '.join(sentences).strip()} | {unknown} |\n"


def _read(path: str) -> str:
    with open(os.path.join(_PROJECTS, path), encoding="utf-8") as file:
        return file.read()
