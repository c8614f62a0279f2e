"""A cluster for tests: an API server of Kubernetes over TLS whose Pods are containers of a private engine.

    with docker_cluster.running(engine, busybox_image, tmp_path / "cluster") as cluster:
        cluster.runtime_class("gvisor", "runsc")
        environ = {"KUBECONFIG": str(cluster.kubeconfig())}    # its context is `test`

It knows Namespace, Node, Pod (one container), Service, ConfigMap, Secret, ServiceAccount, Event, Deployment (one
Pod), NetworkPolicy (`matchLabels` alone), RuntimeClass, SelfSubjectAccessReview, SelfSubjectRulesReview and, with
`agent_sandbox=True`, Sandbox. Clients get, list, watch, create, update, patch, apply (server-side, with
conflicts of managers) and delete; they read logs and run commands over WebSocket (v4 and v5). Objects are
held against the strict schemas of 1.32, Pods against the Pod Security of their namespace.

A Pod is a container with its own wire: Services have addresses, `kube-dns` answers, policies hold. It has
`/etc/hosts`, volumes, its token, readiness probes and a status as a kubelet writes it. Images are those of the
engine; one that is not there is an `ImagePullBackOff`. `nodeName` is `node-1`; filters of `Localhost` are files
in `cluster.node.seccomp`.

What a test can order:

- `enforce(False)`: NetworkPolicies hold nothing; `enforce(True, drops=False)`: with an answer.
- `fault(429, "create", "pods", headers={"Retry-After": "1"}, times=2)`, `fault(0)` cuts, `fault(-1)` hangs; `heal()`.
- `webhook("Pod", f)`: `f` changes the object, or returns why it is refused.
- `admission.quota["team"] = 1`: Pods of a namespace. `namespace("team", pod_security="restricted")`.
- `api.refused_rights.add(("create", "pods/exec"))`: RBAC, as SelfSubjectAccessReview answers too.
- `server.tokens.clear()`: each token has expired. `store.forget_history()`: watches hear 410.
- `old_server()`: `exec` without v5. `evict(namespace, name)`, `drain()`.
- `store.seconds_ahead = 36000`: the cluster's clock.
- `names["files.example"] = address`: what `kube-dns` says of a name outside; `tests/e2e/outside.py` serves one.
- `api.requests`: verb and resource of each request. `pod(...)`, `await_pod(...)`, `store`: what is there.
"""

from tests.e2e.docker_cluster.api import Fault
from tests.e2e.docker_cluster.cluster import DockerCluster, running

__all__ = ["DockerCluster", "Fault", "running"]
