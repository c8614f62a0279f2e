"""Volumes of an engine, and files of a container as tar archives."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

from sandboxd.engine.connection import Connection, json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.model.engine_answers import Volume

_GONE, _IN_USE = 404, 409
# The engine adds up the files of each volume.
_SIZES_SECONDS = 120.0
_COPY_SECONDS = 120.0


class Volumes(Connection):
    """The API calls for volumes and archives. Any may raise `EngineFailure`."""

    def volume(self, name: str) -> Volume | None:
        """A volume's description, None when there is none of this name."""
        with self.asking(accepted=(_GONE,)) as session:
            return cast("Volume", json_object(session.inspect_volume(name)))
        return None

    def volumes(self, label: str) -> list[Volume]:
        """The volumes that carry `label` (``key`` or ``key=value``)."""
        with self.asking() as session:
            answer = json_object(session.volumes(filters={"label": [label]}))
            return cast("list[Volume]", answer.get("Volumes") or [])

    def volume_uses(self) -> dict[str, tuple[int | None, int | None]]:
        """Size in bytes and number of containers that use it, by the volume's name; None for what the engine does not
        know.
        """
        with self.asking(_SIZES_SECONDS) as session:
            answer = json_object(session.df())
        return {
            str(volume.get("Name")): (
                _known(volume.get("UsageData"), "Size"),
                _known(volume.get("UsageData"), "RefCount"),
            )
            for volume in answer.get("Volumes") or []
        }

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create an empty volume of the driver `local`."""
        with self.asking() as session:
            session.create_volume(name, driver="local", labels=dict(labels))

    def remove_volume(self, name: str) -> bool:
        """Remove a volume; False when a container uses it or it does not exist."""
        with self.asking(accepted=(_GONE, _IN_USE)) as session:
            session.remove_volume(name)
            return True
        return False

    def put_archive(self, container: str, folder: str, archive: bytes) -> None:
        """Unpack a tar archive into a folder of a container, which need not run."""
        with self.asking(_COPY_SECONDS) as session:
            url = session._url("/containers/{0}/archive", container)
            data = without_padding(archive)
            session._result(session._put(url, params={"path": folder}, data=data))

    def put_folder(
        self, container: str, parent: str, name: str, mode: int, owner: tuple[int, int]
    ) -> None:
        """Make the folder `name` in `parent` of a container, or set mode and owner of an existing one.

        :param owner: user id and group id
        """
        import tarfile

        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            entry.uid, entry.gid = owner
            tar.addfile(entry)
        self.put_archive(container, parent or "/", buffer.getvalue())


def without_padding(archive: bytes) -> bytes:
    """A tar archive up to its end marker.

    Podman stops reading there, and fails the request where the rest, which fills up a record, comes later ("passing bulk
    input to subprocess: broken pipe": buildah's issue 6573).
    """
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        tar.getmembers()
        return archive[: tar.offset + 2 * tarfile.BLOCKSIZE]


def _known(usage: Mapping[str, Any] | None, name: str) -> int | None:
    """A number from the engine; None for -1, which means that it does not know it."""
    number = (usage or {}).get(name)
    return number if isinstance(number, int) and number >= 0 else None
