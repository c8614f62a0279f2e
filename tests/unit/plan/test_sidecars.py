"""What a service of Compose beside the workspace has of the host by the way that it is built."""

from __future__ import annotations

import pytest

from sandboxd.formats import compose
from sandboxd.formats.resolved.container import containers
from sandboxd.formats.resolved.variables import Variables
from sandboxd.model.files import Files
from sandboxd.plan import sidecars
from sandboxd.text import SourceText
from tests.unit.plan.examples import WORKSPACE, workspace


def weakness(build: str) -> str:
    text = f"services:\n  db:\n    build:\n      context: .\n      {build}\n"
    document = compose.parse(SourceText(f"{WORKSPACE}/compose.yml", text))
    (service,) = containers(document, Variables(files=Files()))
    return sidecars.weakness(service, workspace())


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ("network: host", "is built with `network=host`"),
        ("ssh: [default]", "is built with `ssh="),
        ("entitlements: [network.host]", "is built with `allow="),
        ("additional_contexts: {a: /etc}", "is built with `build-context="),
    ],
)
def test_a_build_that_has_something_of_the_host(build: str, words: str) -> None:
    assert words in weakness(build)


@pytest.mark.parametrize("build", ["network: none", "target: x", "args: {ssh: x}"])
def test_a_build_that_has_nothing_of_it(build: str) -> None:
    assert weakness(build) == ""
