"""Read-only mounts of host folders, in the form that is safe under the chosen runtime."""

from __future__ import annotations

from sandboxd.model.container import Mount
from sandboxd.model.subpath_volumes import key_of, volume_name


def read_only_folder(source: str, target: str, plain_pins_hold: bool) -> Mount:
    """A read-only mount of the folder `source`.

    :param plain_pins_hold: whether files below a plain read-only mount are safe under the chosen runtime
    """
    if plain_pins_hold:
        return Mount("bind", source, target, read_only=True)
    return pinned_volume(source, target)


def pinned_volume(source: str, target: str) -> Mount:
    """A volume that stands for the folder `source`, which the engine itself binds read-only.

    Its name is derived from the path, since an engine silently keeps the old folder of a volume name that exists.
    """
    options = (
        "volume-nocopy",
        "volume-driver=local",
        "volume-opt=type=none",
        "volume-opt=o=bind,ro",
        f"volume-opt=device={source}",
        "volume-label=dev.sandboxd.pin=true",
    )
    return Mount(
        "volume",
        volume_name(key_of(source), writable=False),
        target,
        read_only=True,
        options=options,
    )
