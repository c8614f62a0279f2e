"""Puts the certificates of a company's network into the stages of a Dockerfile. Pure."""

from __future__ import annotations

from sandboxd.plan import network_ca
from sandboxd.syntax import dockerfile

FOLDER = ".sandboxd-network-ca"
"""The folder in the context of the build that has the files."""


def with_certificates(text: str) -> str:
    """The Dockerfile `text` whose stages have the certificates, and variables that name them.

    What a stage sets itself comes later, and counts.
    """
    root = dockerfile.parse(text).root
    assert isinstance(root, dockerfile.DockerfileNode)
    variables = [f'ENV {name}="{value}"' for name, value in network_ca.VARIABLES.items()]
    added = "".join(f"\n{line}" for line in (f"COPY {FOLDER}/ {network_ca.FOLDER}/", *variables))
    for each in reversed(root.instructions):
        # Nothing runs in an empty image, and one that only gets files is to have no others.
        if each.keyword == "FROM" and [word.value for word in each.words()[:1]] != ["scratch"]:
            text = text[: each.span.end] + added + text[each.span.end :]
    return text
