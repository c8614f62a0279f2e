"""Options that say what runs on a cluster, of the commands that make objects for one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

_OPTIONS = (
    ("image", "IMAGE", "an image that the cluster can pull, in the place of the project's"),
    ("runtime-class", "NAME", "a RuntimeClass of the cluster that runs gVisor"),
    ("gateway-image", "IMAGE", "an image with Python 3.11 or later, for the gateway"),
    ("seccomp-profile", "FILE", "a filter that each node has below its kubelet's folder, in the place of its own"),
)  # fmt: skip


def configure(parser: argparse.ArgumentParser, before: str = "", gateway_image: str = "") -> None:
    """Add them.

    :param before: what their help begins with
    :param gateway_image: what is taken where none is named
    """
    for name, metavar, text in _OPTIONS:
        default = (
            f" (default: {gateway_image})" if name == "gateway-image" and gateway_image else ""
        )
        parser.add_argument(
            f"--{name}", default="", metavar=metavar, help=f"{before}{text}{default}"
        )
