"""Reads the contexts of the user's kubeconfig files: where a cluster is, and as whom the user signs in.

Not read by `lightkube`, which supports neither several files in KUBECONFIG, nor a cluster's proxy, nor the version of
credential plugins that clouds use.
Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.model.sandbox_id import option_of_cluster
from sandboxd.policy.clusters import address

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST = 4 << 20
_PATHS_OF_CLUSTER = ("certificate-authority",)
_PATHS_OF_USER = ("client-certificate", "client-key", "tokenFile")
_OF_ANOTHER = ("as", "as-uid", "as-groups", "as-user-extra")
"""Fields of a user by which kubectl acts with another's rights."""
FILE = "\0file"
"""The key under which an entry of a cluster or user has the path of its file. No kubeconfig can contain this key."""
_SECTIONS = {"clusters": "cluster", "contexts": "context", "users": "user"}


class Context(NamedTuple):
    """A context of a kubeconfig; `cluster` and `user` are the entries that it names, with paths made absolute."""

    name: str
    namespace: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    folder: str
    """The folder of the file with the user's entry: the path of a credential plugin is relative to it."""

    @property
    def option(self) -> str:
        """The option that selects this cluster in a `sandboxd` command: ` --on NAME`, with the blank."""
        return option_of_cluster(self.name)

    @property
    def place(self) -> dict[str, str]:
        """The cluster and the namespace, as fields of an entry in the audit record."""
        return {"cluster": self.name, "namespace": self.namespace}

    @property
    def kubectl(self) -> str:
        """The beginning of a kubectl command for the same cluster and namespace."""
        return f"kubectl --context {shlex.quote(self.name)} -n {shlex.quote(self.namespace)}"

    @property
    def server(self) -> str:
        """The URL of the API server, normalised, as records and policies store it."""
        return address(str(self.cluster["server"]))


def load(name: str, environ: Mapping[str, str]) -> Context:
    """The context `name` of the files in KUBECONFIG, or if it is unset of `~/.kube/config`.

    :raises EnvironmentFailure: a file is missing, or no kubeconfig
    :raises UsageError: there is no such context, or it is incomplete
    """
    paths = _paths(environ)
    entries = _merged(paths)
    contexts = entries["contexts"]
    if name not in contexts:
        names = ", ".join(f"`{each}`" for each in sorted(contexts)[:8]) or "none"
        raise UsageError(
            f"there is no context `{name}` in {_files(paths)}", f"name one that is there: {names}"
        )
    context = contexts[name]
    cluster = entries["clusters"].get(str(context.get("cluster", "")))
    if cluster is None or not cluster.get("server"):
        raise UsageError(
            f"the context `{name}` names the cluster `{context.get('cluster', '')}`, which has no server",
            f"`kubectl config view --minify --context {shlex.quote(name)}` shows what it has",
        )
    _require_reachable(name, cluster)
    user = _user(name, context, entries["users"])
    folder = os.path.dirname(str(user.get(FILE, "")))
    return Context(name, str(context.get("namespace") or "default"), cluster, user, folder)


def _require_reachable(name: str, cluster: Mapping[str, Any]) -> None:
    """:raises UsageError: the cluster's entry says where it is in a way that cannot be used"""
    server = str(cluster["server"])
    if "@" in re.split("[/?#]", server.partition("://")[2] or server)[0]:
        # Without its value, which may hold a password; records and messages name the server.
        raise UsageError(
            f"the cluster of `{name}` has a user or a password in its `server`, which sandboxd cannot use",
            "write them as `username` and `password` of the user in your kubeconfig",
        )
    if not server.startswith(("https://", "http://")):
        raise UsageError(
            f"the cluster of `{name}` has the server `{server}`, which does not begin with `https://`",
            "write its whole URL in your kubeconfig",
        )
    if cluster.get("tls-server-name"):
        raise UsageError(
            f"the cluster of `{name}` has a `tls-server-name`, which sandboxd cannot use",
            "give its `server` the name that is in its certificate",
        )


def _user(
    name: str, context: Mapping[str, Any], users: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """The entry of the user of the context `name`; {} where it names none.

    :raises UsageError: there is no such entry, or it is one that cannot be used
    """
    who = str(context.get("user", ""))
    user = users.get(who)
    if who and user is None:
        raise UsageError(
            f"the context `{name}` names the user `{who}`, who is in none of the files",
            "sign in to the cluster again: its own tool writes that entry",
        )
    user = user or {}
    if another := next((key for key in _OF_ANOTHER if user.get(key)), ""):
        # Without it work would be done with more rights than kubectl has there.
        raise UsageError(
            f"the user of `{name}` acts as another, by `{another}`, which sandboxd cannot do",
            "name a context whose user has these rights itself",
        )
    return user


def _paths(environ: Mapping[str, str]) -> list[str]:
    named = [path for path in environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    if named:
        return named
    return [os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".kube", "config")]


def _files(paths: list[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths)


def _merged(paths: list[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """The entries of all files by section and name; of two with one name the first counts."""
    present = [path for path in paths if os.path.exists(path)]
    if not present:
        raise EnvironmentFailure(
            f"there is no kubeconfig at {_files(paths)}",
            "sign in to the cluster with its own tool, or name the file: `KUBECONFIG=FILE`",
        )
    result: dict[str, dict[str, dict[str, Any]]] = {section: {} for section in _SECTIONS}
    for path in present:
        document = _read(path)
        for section, key in _SECTIONS.items():
            items = document.get(section)
            for item in items if isinstance(items, list) else ():
                if isinstance(item, dict) and isinstance(item.get(key), dict):
                    entry = _absolute(item[key], os.path.abspath(path))
                    result[section].setdefault(str(item.get("name", "")), entry)
    return result


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST >> 20} MiB")
        document = yaml.load(data, yaml.CSafeLoader)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise EnvironmentFailure(f"`{path}` cannot be read: {reason}", "check its mode") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise EnvironmentFailure(
            f"`{path}` is no kubeconfig: {reason}", "`kubectl config view` has to read it"
        ) from None
    if not isinstance(document, dict):
        raise EnvironmentFailure(
            f"`{path}` is no kubeconfig", "`kubectl config view` has to read it"
        )
    return document


def _absolute(entry: Mapping[str, Any], file: str) -> dict[str, Any]:
    """`entry` of `file`, whose paths are relative to the folder of that, with absolute ones."""
    folder, result = os.path.dirname(file), dict(entry)
    for key in (*_PATHS_OF_CLUSTER, *_PATHS_OF_USER):
        if isinstance(result.get(key), str) and result[key]:
            result[key] = os.path.join(folder, result[key])
    result[FILE] = file
    return result
