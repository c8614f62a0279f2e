"""The volumes of a Pod as folders of the node, and the files that a runtime puts beside them."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from tests.e2e.docker_cluster.container import NotMade
from tests.e2e.docker_cluster.store import Object, Store

_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"


class Volumes:
    """Those of one Pod, below a folder of its own."""

    def __init__(self, folder: Path, pod: Object, store: Store) -> None:
        self._folder, self._pod, self._store = folder, pod, store
        self._context = pod["spec"]["securityContext"]
        folder.mkdir(parents=True)

    def message(self, container: Object) -> Path:
        """The file for the last words of a container."""
        return self._folder / f"message-{container['name']}"

    def mounts(self, container: Object, resolv_conf: str, address: str) -> list[dict[str, Any]]:
        """The engine's words for all that a container has.

        :raises NotMade: a ConfigMap is not there
        """
        volumes = {each["name"]: each for each in self._pod["spec"].get("volumes", ())}
        result = []
        for mount in container.get("volumeMounts", ()):
            volume = volumes[mount["name"]]
            if volume.get("emptyDir", {}).get("medium") == "Memory":
                result.append({"Type": "tmpfs", "Target": mount["mountPath"], "TmpfsOptions": {"Mode": 0o1777}})  # fmt: skip
                continue
            source = self._source(volume)
            result.append(_bind(source, mount["mountPath"], mount.get("readOnly", False)))
        name = self._pod["metadata"]["name"]
        hosts = f"127.0.0.1\tlocalhost\n::1\tlocalhost\n{address}\t{name}\n"
        for path, text in (("/etc/resolv.conf", resolv_conf), ("/etc/hosts", hosts)):
            file = self._folder / path.replace("/", "_")
            file.write_text(text)
            result.append(_bind(file, path, True))
        self.message(container).touch()
        self.message(container).chmod(0o666)
        result.append(_bind(self.message(container), container["terminationMessagePath"], False))
        if self._pod["spec"].get("automountServiceAccountToken", True):
            result.append(_bind(self._token(), _TOKEN, True))
        return result

    def _source(self, volume: Object) -> Path:
        folder: Path = self._folder / volume["name"]
        if "configMap" in volume:
            folder.mkdir(exist_ok=True)
            self._write(folder, self._config_map(volume["configMap"]["name"]))
        elif "emptyDir" in volume:
            folder.mkdir(exist_ok=True)
            group = self._context.get("fsGroup")
            if group is not None:
                os.chown(folder, 0, group)
            folder.chmod(0o777 if group is None else 0o2777)
        else:
            raise NotMade("CreateContainerConfigError", f"this cluster has no volume {volume}")
        return folder

    def _config_map(self, name: str) -> dict[str, bytes]:
        value = self._store.get("ConfigMap", self._pod["metadata"]["namespace"], name)
        if value is None:
            raise NotMade("ContainerCreating", f'configmap "{name}" not found')
        files = {key: text.encode() for key, text in value.get("data", {}).items()}
        return files | {k: base64.b64decode(v) for k, v in value.get("binaryData", {}).items()}

    def refresh(self) -> None:
        """Let the files of ConfigMaps be what the objects say now."""
        for volume in self._pod["spec"].get("volumes", ()):
            name = volume.get("configMap", {}).get("name", "")
            if name and self._store.get("ConfigMap", self._pod["metadata"]["namespace"], name):
                self._write(self._folder / volume["name"], self._config_map(name))

    def _write(self, folder: Path, files: dict[str, bytes]) -> None:
        """As a kubelet does: all files change at once, by one link."""
        data = folder / "..data"
        if data.exists() and {f.name: f.read_bytes() for f in data.iterdir()} == files:
            return
        before = data.resolve()
        fresh = folder / f"..{secrets.token_hex(4)}"
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_bytes(content)
            if not (folder / name).is_symlink():
                (folder / name).symlink_to(f"..data/{name}")
        (folder / "..data_tmp").symlink_to(fresh.name)
        os.replace(folder / "..data_tmp", data)
        if before != data:
            shutil.rmtree(before, ignore_errors=True)

    def _token(self) -> Path:
        folder = self._folder / "token"
        folder.mkdir(exist_ok=True)
        (folder / "token").write_text("a service account's token")
        (folder / "namespace").write_text(self._pod["metadata"]["namespace"])
        return folder

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _bind(source: Path, target: str, read_only: bool) -> dict[str, Any]:
    return {"Type": "bind", "Source": str(source), "Target": target, "ReadOnly": read_only}
