"""The names of the labels that sandboxd puts on containers, and when they can be trusted.

An image can have any label, so a label alone never proves that a container is ours (see `life.find`).
"""

from __future__ import annotations

MADE_BY = "dev.sandboxd.made-by"
"""Who created a container: `UP` or `EDITOR`. Containers of others are never replaced."""

UP = "up"
"""`sandboxd up` created it, and may replace it."""

EXPORT = "export"
"""Created from exported Kubernetes objects. As a label there cannot hold a path, the object's name is used as the
identity.
"""

EDITOR = "editor"
"""Created from a generated file, by an editor or by hand. The file sets this value, since an image could have the label
with the value ``up``.
"""

PROJECT = "dev.sandboxd.project"
"""The sandbox's identity (`model.sandbox_id`): the workspace's absolute path on the host, followed by the sandbox's
name if it has one.
"""

PROFILE = "dev.sandboxd.profile"
"""The name of the hardening profile."""

PLAN = "dev.sandboxd.plan"
"""A digest of the create request, by which a changed plan is noticed."""

IMAGE = "dev.sandboxd.image"
"""The image's id, since an image's name can come to mean another image."""

STUBS = "dev.sandboxd.stubs"
"""Placeholder files and folders made in the workspace for this container or an earlier one, separated by colons."""

OWNER = "dev.sandboxd.owner"
"""On each object on a cluster: a random number of the user and machine that made it."""

START = "dev.sandboxd.start"
"""A random number for each start, by which an interrupted start finds what it created."""

PROGRAM = "dev.sandboxd.program"
"""On a volume with an agent's program: the agent's name, and the packages that are installed in it."""

SOURCES = "dev.sandboxd.sources"
"""Mounts from the host, by path and inode, as JSON: if the path has another inode now, the mount is lost."""

EGRESS = "dev.sandboxd.egress"
"""On a sandbox with a gateway: the name of its inner network. It has no rules."""

RESOLV_CONF = "/etc/resolv.conf"
"""The path inside of our resolv.conf, which names the gateway as the only name server."""

ASK_PROGRAM = "/usr/local/bin/sandboxd-ask"
"""The path inside of the program with which a program asks the user to allow a host name."""

SETTINGS_FOLDER = "/etc/sandboxd/"
"""The folder inside for our files that make tools use the gateway."""

DECOY_FILE = "/run/secrets/backup_repository"
"""The path inside of the honeytoken's file: in Docker's folder for secrets, where only a program that searches for
secrets reads.
"""

GATEWAY = "dev.sandboxd.gateway"
"""On a gateway: the identity of its sandbox. It has no label `PROJECT`, as nothing of the project runs in it."""

SERVICE = "dev.sandboxd.service"
"""On another service of a Compose project: the identity of the sandbox that it belongs to."""

NAMED = "dev.sandboxd.named"
"""On a sandbox to which a DNS name of its Compose project resolves: that of its own service, or of one that shares its
network.
"""

NETWORK = "dev.sandboxd.network"
"""On a network of ours: the identity of the sandbox whose inner network it is; '' for the gateways' outer network."""

VOLUME = "dev.sandboxd.volume"
"""On a volume of ours: the identity of the sandbox that it belongs to."""

VOLUME_TIME = "dev.sandboxd.volume-time"
"""When it was created, in nanoseconds since 1970; older engines report another time."""

NETWORK_HINT = "dev.sandboxd.if-the-network-is-not-found"
"""On a container from a generated file: the command that creates its network. It has no effect; users see it in the
file.
"""

GATEWAY_IMAGE = "dev.sandboxd.gateway-image"
"""On the image of gateways."""

TRIAL = "network-trial"
"""The name of our init container that checks a Pod's network before the other containers start."""
