"""The policy of a gateway in a Pod, which is an object of the cluster that others read."""

from __future__ import annotations

from sandboxd.egress.policy import Policy
from sandboxd.egress.wire import version


def for_pod(policy: Policy, *, keeps_secrets: bool = False) -> Policy:
    """The part of `policy` that a gateway in a Pod can enforce, with a version; no login at a proxy is in it.

    :param keeps_secrets: whether the gateway gets the secrets of the policy's credentials
    """
    policy = policy._replace(
        canaries=(),
        decoys=(),
        services=(),
        credentials=policy.credentials if keeps_secrets else (),
        addresses=(),
        upstream=policy.upstream and policy.upstream._replace(credentials=""),
    )
    return policy._replace(version=version(policy))
