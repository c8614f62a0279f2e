"""Runs the credential plugin of a kubeconfig: a cloud's program, which prints a token or a certificate.

The user's own file names it, and it runs as kubectl would start it.
Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.backends.kubernetes.kubeconfig import Context

_SECONDS = 60.0
_LARGEST = 1 << 20
_VERSIONS = ("v1", "v1beta1")
_GROUP = "client.authentication.k8s.io"


def user(context: Context, environ: Mapping[str, str]) -> dict[str, Any]:
    """The user's kubeconfig entry, completed by what its credential plugin printed; unchanged if it names no plugin.

    :raises EnvironmentFailure: the program is missing, fails, or prints something else
    """
    entry = {key: value for key, value in context.user.items() if not key.startswith("\0")}
    if "auth-provider" in entry:
        raise EnvironmentFailure(
            f"the context `{context.name}` signs in by `auth-provider`, which Kubernetes has given up",
            "sign in to the cluster again with the newest version of its own tool",
        )
    plugin = entry.pop("exec", None)
    if not isinstance(plugin, dict):
        if isinstance(entry.get("token"), str):
            entry["token"] = entry["token"].strip()
        return entry
    status = _ask(context, plugin, environ)
    entry.pop("token", None)
    if status.get("token"):
        entry["token"] = str(status["token"]).strip()
    for key, field in (
        ("client-certificate-data", "clientCertificateData"),
        ("client-key-data", "clientKeyData"),
    ):
        if status.get(field):
            entry[key] = base64.b64encode(str(status[field]).encode()).decode()
    return entry


def _ask(context: Context, plugin: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The `status` that the program prints."""
    version = str(plugin.get("apiVersion", ""))
    if version not in [f"{_GROUP}/{each}" for each in _VERSIONS]:
        raise EnvironmentFailure(
            f"the context `{context.name}` signs in by a program of version `{version}`, which is not known",
            "sign in to the cluster again with the newest version of its own tool",
        )
    command = str(plugin.get("command", ""))
    if "/" in command:
        command = os.path.join(context.folder, command)
    words = [command, *(str(word) for word in plugin.get("args") or ())]
    more = {str(pair["name"]): str(pair["value"]) for pair in plugin.get("env") or ()}
    variables = {**environ, **more, "KUBERNETES_EXEC_INFO": json.dumps(_question(context, plugin))}
    name = os.path.basename(command)
    try:
        done = subprocess.run(
            words,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except FileNotFoundError:
        hint = " ".join(str(plugin.get("installHint") or "").split())[:500]
        raise EnvironmentFailure(
            f"the context `{context.name}` signs in by `{name}`, which is not installed",
            hint or f"install it: `{context.kubectl} get pods` needs it, too",
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        why = (
            f"it took longer than {_SECONDS:g} s"
            if isinstance(error, subprocess.TimeoutExpired)
            else str(error)
        )
        raise _failed(context, name, why) from None
    if done.returncode:
        errors = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _failed(context, name, errors[-1][:300] if errors else f"exit code {done.returncode}")
    try:
        status = json.loads(done.stdout[:_LARGEST])["status"]
    except (ValueError, KeyError, TypeError, RecursionError):
        status = None
    has_both = (
        isinstance(status, dict)
        and status.get("clientCertificateData")
        and status.get("clientKeyData")
    )
    if not isinstance(status, dict) or not (status.get("token") or has_both):
        raise _failed(context, name, "it printed neither a token nor a certificate")
    return status


def _question(context: Context, plugin: Mapping[str, Any]) -> dict[str, Any]:
    """The description of the cluster that the program is given."""
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        # As kubectl gives it: a program may know its cluster by the kubeconfig's own spelling.
        about = {"server": context.cluster["server"]}
        if context.cluster.get("certificate-authority-data"):
            about["certificate-authority-data"] = context.cluster["certificate-authority-data"]
        spec["cluster"] = about
    return {"kind": "ExecCredential", "apiVersion": plugin["apiVersion"], "spec": spec}


def _failed(context: Context, name: str, why: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"`{name}`, which signs in to `{context.name}`, failed: {why}",
        f"sign in again with its own tool; `{context.kubectl} get pods` has to work",
    )
