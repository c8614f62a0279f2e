"""Makes the files with the certificates of `network_ca` that are mounted into sandboxes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.credentials import roots
from sandboxd.credentials.java_trust_store import trust_store
from sandboxd.errors import UsageError
from sandboxd.model.control_name import ControlName
from sandboxd.plan.network_ca import BUNDLE, JAVA, OWN, NetworkCa
from sandboxd.plan.reasons import Downgrade
from sandboxd.policy import network_ca
from sandboxd.state.inside_files import file_for_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.host.facts import HostFacts
    from sandboxd.plan.workspace import WorkspaceFacts
    from sandboxd.policy.floor import Floor


def with_files(
    facts: WorkspaceFacts, host: HostFacts, floor: Floor, environ: Mapping[str, str]
) -> tuple[WorkspaceFacts, tuple[Downgrade, ...]]:
    """`facts` with the files, made if they are missing, or what keeps a sandbox on `host` from having them.

    :param floor: a policy that names certificates
    :raises UsageError: a file that the policy names cannot be used
    :raises EnvironmentFailure: this machine's own certificates are not known, or a file cannot be written
    """
    if host.engine is not None and host.engine.is_cluster:
        why = "those of `network_ca` stay on this machine: programs in the Pod trust what its image trusts"
        return facts, (Downgrade(ControlName.CERTIFICATES, why, "have them in the image"),)
    _refuse_inside(facts.path, floor.network_ca)
    every = roots.pem(environ)
    own = "\n".join(network_ca.certificates(floor.network_ca)) + "\n"
    java = trust_store(network_ca.blocks_in(every.encode()))

    def file(target: str, data: bytes) -> str:
        return file_for_inside(environ, target.rpartition("/")[2], data, 0o644)

    files = NetworkCa(file(BUNDLE, every.encode()), file(OWN, own.encode()), file(JAVA, java))
    return facts._replace(network_ca=files), ()


def _refuse_inside(workspace: str, paths: Iterable[str]) -> None:
    """:raises UsageError: a program in the sandbox could write one of the files `paths`"""
    within = workspace.rstrip("/") + "/"
    for path in paths:
        # What a link names could be another file as well, if the link can be replaced.
        named = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if named.startswith(within) or os.path.realpath(path).startswith(within):
            raise UsageError(
                f"the certificates in `{path}` lie in the workspace, where the sandbox could write them",
                "keep them outside of it, and name that file: `network_ca` of the policy",
            )
