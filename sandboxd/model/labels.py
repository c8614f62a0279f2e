"""The labels that sandboxd puts on containers, and when they can be believed.

An image can bring any label: a label alone never makes a container ours (see `life.find`)."""

from __future__ import annotations

MADE_BY = "dev.sandboxd.made-by"
"""The maker of a container, `UP` or `EDITOR`: no other's is replaced."""

UP = "up"
"""Made by `sandboxd up`, which may replace it."""

EXPORT = "export"
"""Made from objects for Kubernetes; there a label holds no path, so the sandbox's name stands for its identity."""

EDITOR = "editor"
"""Made from a generated file, by an editor or by hand.

The generated file sets it, since an image could bring the label with the value ``up``.
"""

PROJECT = "dev.sandboxd.project"
"""The identity of the sandbox (`model.sandbox_id`): the workspace on the host, absolute, and its name behind it
where several work on one workspace."""

PROFILE = "dev.sandboxd.profile"
"""The name of the hardening profile."""

PLAN = "dev.sandboxd.plan"
"""The hash of the create request: another plan has another one."""

IMAGE = "dev.sandboxd.image"
"""The image's id: a name can come to mean another image."""

STUBS = "dev.sandboxd.stubs"
"""Folders and files that were made for this container or one before it, separated by colons."""

START = "dev.sandboxd.start"
"""A random number for each start, so that an interrupted one finds what it made."""

PROGRAM = "dev.sandboxd.program"
"""On a volume with the program of an agent: the agent's name, and the packages that are in it."""

SOURCES = "dev.sandboxd.sources"
"""Mounts from the host by path and inode, as JSON: another file at the path has lost its mount."""

EGRESS = "dev.sandboxd.egress"
"""On a sandbox whose network is names through a gateway: the name of its inner network. No rule is in it."""

RESOLV_CONF = "/etc/resolv.conf"
"""The path of our file in a sandbox with that label, which names its gateway as the only name server."""

ASK_PROGRAM = "/usr/local/bin/sandboxd-ask"
"""The path of the program that asks the person outside to let a name through."""

SETTINGS_FOLDER = "/etc/sandboxd/"
"""The folder of our files that point tools at its gateway, where it has them."""

DECOY_FILE = "/run/secrets/backup_repository"
"""The path of the decoy, which only somebody who searches for secrets reads: in Docker's folder for them, which is
there whatever home the image's user has."""

GATEWAY = "dev.sandboxd.gateway"
"""On a gateway: the identity of the sandbox that it serves. It is no `PROJECT`: nothing of the project runs in it."""

SERVICE = "dev.sandboxd.service"
"""On another service of a Compose project, beside a gateway: the identity of the sandbox that it belongs to."""

NAMED = "dev.sandboxd.named"
"""On a sandbox to which a name of its Compose project leads: that of its own service, or of one that has its
network, too."""

NETWORK = "dev.sandboxd.network"
"""On a network of ours: the identity of the sandbox whose inner one it is, '' for the gateways' way out."""

VOLUME = "dev.sandboxd.volume"
"""On a volume of ours: the identity of the sandbox that it belongs to."""

VOLUME_TIME = "dev.sandboxd.volume-time"
"""The time at which it was made, in nanoseconds since 1970; the engine's own time of it is another in older versions."""

NETWORK_HINT = "dev.sandboxd.if-the-network-is-not-found"
"""On a container of a generated file: the command that makes its network. It does nothing."""

GATEWAY_IMAGE = "dev.sandboxd.gateway-image"
"""On the image of gateways."""

TRIAL = "network-trial"
"""The name of the container of ours that tries a Pod's network before its other containers start."""
