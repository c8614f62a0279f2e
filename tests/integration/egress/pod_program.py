"""The gateway's program as a Pod has it: one archive, the Python of an image, a policy by a file, no rights."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from sandboxd.egress.layout import POD_FLAGS
from sandboxd.egress.policy import Policy
from sandboxd.egress.wire import policy_to_json
from sandboxd.engine.payload import gateway_zip
from tests.integration.egress.namespaces import INTERNET, PLACE, Namespaces
from tests.integration.egress.program import Event, Program

CLIENTS = "demo-clients"
DOMAIN = "team.svc.cluster.local"
PROGRAM, POLICY = "/opt/sandboxd/gateway.zip", "/etc/sandboxd/policy/policy.json"
COMMAND = ("python3", *POD_FLAGS, PROGRAM, "$(POD_IP)", POLICY, CLIENTS)


class PodProgram(Program):
    """One running gateway of a Pod."""

    rights = "--reuid 65532 --regid 65532 --clear-groups --bounding-set -all"
    # What would lead a Python astray that listened to it.
    variables: ClassVar[dict[str, str]] = {
        "PYTHONPATH": "/nonexistent",
        "PYTHONHOME": "/nonexistent",
    }
    resolv_lines = f"search {DOMAIN} svc.cluster.local cluster.local\noptions ndots:5\n"

    def __init__(
        self, namespaces: Namespaces, folder: Path, started_by: Sequence[str] = COMMAND
    ) -> None:
        """:param started_by: the words of the container, with the places of its mounts"""
        # The user of a Pod reads nothing below pytest's own folder.
        self.mounted = Path(tempfile.mkdtemp(prefix="sandboxd-pod-"))
        self.mounted.chmod(0o755)
        self.file = self.mounted / "policy.json"
        archive = self.mounted / "gateway.zip"
        archive.write_bytes(gateway_zip.archive())
        archive.chmod(0o644)
        places = {
            "python3": os.path.realpath(sys.executable),
            PROGRAM: str(archive),
            POLICY: str(self.file),
            "$(POD_IP)": PLACE.gateway,
        }
        self.command = tuple(places.get(word, word) for word in started_by)
        super().__init__(namespaces, folder, server=INTERNET)

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.mounted)

    def write(self, text: str) -> None:
        """Put another file in the place of the policy, as the kubelet does."""
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o644)
        new.replace(self.file)

    def set(self, policy: Policy, cut: bool = True) -> Event:
        self.version += 1
        version, after = self.version, self.last
        fields = policy_to_json(policy._replace(version=version))
        self.write(json.dumps({"op": "policy", "policy": fields, "cut": cut}, indent=2))
        return self.wait(lambda event: event.get("version") == version, after)
