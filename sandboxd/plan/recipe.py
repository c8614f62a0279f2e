"""The recipe of a project's image: its options, and every byte of the project that the build reads.

A build runs code of a Dockerfile and of Features outside of every sandbox. So its files are read once, and the digest
that the user trusts is of exactly the bytes that are built.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.config.values import takes_from_host
from sandboxd.errors import UsageError
from sandboxd.model.container import Build, Container
from sandboxd.plan import recipe_files
from sandboxd.plan.compose import build_arguments
from sandboxd.plan.network_ca import NetworkCa
from sandboxd.plan.recipe_files import Part, Reader
from sandboxd.plan.refused_features import NONE_SKIPPED, Skipped, refused
from sandboxd.syntax.node import plain

if TYPE_CHECKING:
    from sandboxd.model.document import Document

LOCKS = ("devcontainer-lock.json", ".devcontainer-lock.json")
"""The names of the file that pins the versions of Features."""


class Recipe(NamedTuple):
    """How a project's image is built.

    `tag` is the image's name, derived from the content; `digest` is what the user's grant is for. Either `dockerfile`
    and `context` (paths within the workspace) or `base`, an image, is set; the others are ''. `features` are installed
    on top, each with its options as in devcontainer.json. `parts` are the files that are read, local Features among
    them, by their path below `folder`, the devcontainer.json's folder.
    """

    tag: str
    digest: str
    base: str
    dockerfile: str
    context: str
    target: str
    args: tuple[tuple[str, str], ...]
    features: tuple[tuple[str, Any], ...]
    folder: str
    parts: tuple[Part, ...]
    network_ca: NetworkCa | None = None
    """Certificates that are put into the image, for the steps of its build; None for none."""

    def in_network(self, files: NetworkCa | None) -> Recipe:
        """The recipe of an image with the certificates `files`, None for none; what the user trusts is the same."""
        if files is None:
            return self
        return self._replace(tag=f"{self.tag}-{files.digest()}", network_ca=files)

    def sources(self) -> str:
        """A phrase for the user: the Dockerfile and the Features."""
        parts = [f"`{self.dockerfile}`"] if self.dockerfile else []
        return ", ".join([*parts, *(f"the Feature `{name}`" for name, _ in self.features)])

    def way_around(self) -> str:
        """A phrase for the user about how to avoid the build. An image in sandboxd.toml replaces only the
        Dockerfile.
        """
        ways = ["name an image in sandboxd.toml"] if self.dockerfile else []
        ways += (
            ["leave its Features out by `skip_features` in sandboxd.toml"] if self.features else []
        )
        return " and ".join(ways)


def recipe(
    document: Document,
    container: Container,
    workspace: str,
    image: str,
    skipped: Skipped = NONE_SKIPPED,
) -> Recipe | None:
    """Read the recipe of the image of `container`; None if an image is only named.

    :param image: the image that sandboxd.toml names instead of a build; '' for none
    :param skipped: the Features that sandboxd.toml leaves out
    :raises UsageError: a file of the build does not exist, is too large, or lies outside of the workspace
    """
    build = container.build.value if container.build is not None and not image else None
    features = _features(document, skipped)
    base = image or (container.image.value if container.image is not None else "")
    if build is None and not (features and base):
        return None
    folder = posixpath.relpath(posixpath.dirname(document.source.path), workspace)
    reader = Reader(workspace)
    dockerfile = context = target = ""
    args: tuple[tuple[str, str], ...] = ()
    if build is not None:
        dockerfile, context = _places(build, workspace)
        target = build.target.value if build.target is not None else ""
        args = tuple(build_arguments(build).items())
        base = ""
    for name in (base, dockerfile, context, target):
        if "${" in name:
            raise UsageError(
                f"`{name}` in the build has a variable, which the tool that builds may fill in with "
                "another folder, or with a secret",
                'write what it stands for, or name an image: `image = "..."` in sandboxd.toml',
            )
    if build is not None:
        recipe_files.read_context(reader, dockerfile, context)
    for name, _ in features:
        if name.startswith(("./", "../")):
            reader.read(posixpath.normpath(posixpath.join(folder, name)), links=False)
    for lock in LOCKS if features else ():
        reader.read(posixpath.normpath(posixpath.join(folder, lock)), links=False, optional=True)
    parts = reader.parts()
    settings = [base, dockerfile, context, target, args, features, folder]
    digest = _digest(settings, parts)
    return Recipe(
        _tag(workspace, digest),
        digest,
        base,
        dockerfile,
        context,
        target,
        args,
        features,
        folder,
        parts,
    )


def _features(document: Document, skipped: Skipped) -> tuple[tuple[str, Any], ...]:
    root = document.tree.root
    node = root.get("features") if root is not None and root.kind == "object" else None
    if node is None or node.kind != "object":
        return ()
    features = tuple((str(member.key.value), plain(member.value)) for member in node.members)
    features = tuple(
        (name, options) for name, options in features if refused(name, skipped) is None
    )
    for name, options in features:
        if takes_from_host(f"{name} {options}"):
            raise UsageError(
                f"the Feature `{name}` takes a variable of the host, maybe a secret, into the image",
                "give its value itself in devcontainer.json",
            )
    return features


def _places(build: Build, workspace: str) -> tuple[str, str]:
    """Dockerfile and context as paths within the workspace."""
    context = build.context.value if build.context is not None else workspace
    dockerfile = build.dockerfile.value if build.dockerfile is not None else "Dockerfile"
    if "://" in context or context.startswith("git@"):
        raise UsageError(
            f"the image is built from `{context}`, which nobody here can look at first",
            'build it yourself, then name it: `image = "..."` in sandboxd.toml',
        )
    if not dockerfile.startswith("/"):
        dockerfile = posixpath.join(context, dockerfile)
    return posixpath.relpath(dockerfile, workspace), posixpath.relpath(context, workspace)


def _digest(settings: list[Any], parts: tuple[Part, ...]) -> str:
    hashed = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for part in parts:
        name = os.fsencode(part.path)
        hashed.update(b"%d %o %d\0" % (len(name), part.mode, len(part.data)))
        hashed.update(name + hashlib.sha256(part.data).digest())
    return hashed.hexdigest()


def _tag(workspace: str, digest: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", posixpath.basename(workspace).lower()).strip("-")[:40]
    return f"sandboxd-built/{slug or 'workspace'}:{digest[:16]}"
