"""Sandboxes as Pods of a Kubernetes cluster, through its API server: the only package that imports `lightkube`.

All requests are made with the rights of the user's kubeconfig, and of no other account. `backend` is what operations ask;
`target` names one sandbox there, and `api` is the client that all others use.
"""
