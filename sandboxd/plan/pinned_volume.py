"""Folders of the host that are read-only inside, by the form of mount that holds under the runtime."""

from __future__ import annotations

import hashlib

from sandboxd.model.container import Mount


def read_only_folder(source: str, target: str, plain_pins_hold: bool) -> Mount:
    """A read-only mount of the folder `source`.

    :param plain_pins_hold: whether nothing inside can write through a plain read-only mount
    """
    if plain_pins_hold:
        return Mount("bind", source, target, read_only=True)
    return pinned_volume(source, target)


def pinned_volume(source: str, target: str) -> Mount:
    """A volume that pins a directory: the engine itself binds it read-only.

    The name carries the path: a volume name that is in use silently keeps its old device.
    """
    digest = hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    options = (
        "volume-nocopy",
        "volume-driver=local",
        "volume-opt=type=none",
        "volume-opt=o=bind,ro",
        f"volume-opt=device={source}",
        "volume-label=dev.sandboxd.pin=true",
    )
    return Mount("volume", f"sandboxd-pin-{digest}", target, read_only=True, options=options)
