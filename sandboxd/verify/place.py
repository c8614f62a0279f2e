"""The place on a cluster of a sandbox that was attacked, by the word of the API server."""

from __future__ import annotations

from typing import NamedTuple

NOT_KNOWN = "not known"
"""Of what the user may not ask for."""


class Place(NamedTuple):
    """'' for what is not there."""

    context: str
    server: str
    namespace: str
    pod: str
    uid: str
    node: str
    runtime_class: str
    handler: str
    """The handler of that class."""
    node_runtime: str
    """The version of the node's runtime, as `containerd://2.1.4`."""
    node_kernel: str
    interpreter: str = ""
    """The Python that made the attempts."""
