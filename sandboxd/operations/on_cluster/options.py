"""The user's options for a start on a cluster, beside those of any start. Imports nothing slow."""

from __future__ import annotations

from sandboxd.operations.option import option
from sandboxd.operations.start_options import StartOptions


class ClusterOptions(StartOptions):
    """The user's options for a start on a cluster; each `option` is one of `sandboxd up --on`.

    Those of a start on this machine that have no meaning there keep their defaults.
    """

    image: str = option(
        "--image",
        "an image that the cluster can pull, in the place of the project's",
        default="",
        metavar="IMAGE",
    )
    runtime_class: str = option(
        "--runtime-class",
        "a RuntimeClass of the cluster that runs gVisor",
        default="",
        metavar="NAME",
    )
    """'' for the first of the cluster that runs gVisor."""
    gateway_image: str = option(
        "--gateway-image",
        "an image with Python 3.11 or later, for the gateway",
        default="python:3-slim",
        metavar="IMAGE",
    )
    seccomp_profile: str = option(
        "--seccomp-profile",
        "a filter that each node has below its kubelet's folder, in the place of its own",
        default="",
        metavar="FILE",
    )
    sandbox: bool = option(
        "--sandbox", "make a Sandbox of agent-sandbox in the place of a Pod", default=False
    )
    refresh: bool = option(
        "--refresh",
        "send what is newer here and the sandbox did not change itself",
        default=False,
    )
    keeps_secrets: bool = False
    """Send the gateway the secrets that the plan names."""
