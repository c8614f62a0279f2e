"""Settings that only a Pod has: a description is read into a `model.Pod`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sandboxd.formats.kubernetes.values import items, locate, place, switch, text
from sandboxd.formats.kubernetes.volumes import host_paths
from sandboxd.model.pod import Pod, PodContainer
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandboxd.formats.kubernetes.pods import PodSpec
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

T = TypeVar("T")


def pod(spec: PodSpec, source: SourceText) -> Pod:
    containers = tuple(_container(node, spec, source) for node in spec.containers)
    name = yaml.get(spec.object, "metadata", "name") or yaml.get(spec.object, "kind")
    return Pod(
        spec.kind,
        spec.name,
        place(name or spec.object, source),
        containers,
        # What surrounds a description of another kind may say the rest.
        bool(containers) and not spec.around and all(each.is_whole for each in containers),
        for_agents=spec.for_agents,
        runtime_class=text(spec.spec, "runtimeClassName", source),
        mounts_token=switch(spec.spec, "automountServiceAccountToken", source),
        service_account=text(spec.spec, "serviceAccountName", source)
        or text(spec.spec, "serviceAccount", source),
        host_paths=tuple(host_paths(spec, source)),
        has_network_policy=spec.has_network_policy,
    )


def _container(node: Node, spec: PodSpec, source: SourceText) -> PodContainer:
    name = yaml.get(node, "name")
    own, outer = yaml.get(node, "securityContext"), yaml.get(spec.spec, "securityContext")
    # A setting of the container goes before that of its Pod.
    both = (own, outer)
    privileged = yaml.get(own, "privileged")
    return PodContainer(
        (name.text() or "") if name is not None else "",
        place(name or node, source),
        yaml.get(node, "image") is not None,
        run_as_non_root=_first(switch(context, "runAsNonRoot", source) for context in both),
        run_as_user=_first(text(context, "runAsUser", source) for context in both),
        seccomp=_first(
            text(yaml.get(context, "seccompProfile"), "type", source) for context in both
        ),
        is_privileged=privileged is not None and privileged.value is True,
        host_process=_first(
            switch(yaml.get(context, "windowsOptions"), "hostProcess", source) for context in both
        ),
        secret_env=tuple(_secret_env(node, source)),
    )


def _first(values: Iterable[Value[T] | None]) -> Value[T] | None:
    return next((value for value in values if value is not None), None)


def _secret_env(node: Node, source: SourceText) -> Iterator[Value[str]]:
    """The Secrets of `env` and of `envFrom`."""
    for key, path in (("env", ("valueFrom", "secretKeyRef")), ("envFrom", ("secretRef",))):
        for item in items(node, key):
            name = yaml.get(item, *path, "name")
            if name is not None and name.text():
                yield locate(name.text(), name, key, source, entry=item)
