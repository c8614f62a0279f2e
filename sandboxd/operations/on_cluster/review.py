"""Collects the changes that a sandbox on a cluster made in its copy, for the same review as on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes import work
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.operations.review import Collected
from sandboxd.review import collect as streams_folder

if TYPE_CHECKING:
    from sandboxd.backends.kubernetes.target import Target


def collect(target: Target) -> Collected:
    """The changes of the running sandbox; if none runs, those saved when the last one ended.

    :raises PodGone: it does not run, and nothing was saved
    :raises SandboxdError: they cannot be read, or are not plausible
    """
    try:
        return Collected(work.collected(target, stop_others=False).path, None)
    except PodGone:
        streams = streams_folder.streams_of(target.sandbox)
        if not streams:
            raise
        return Collected(streams[0], streams_folder.age(streams[0]))
