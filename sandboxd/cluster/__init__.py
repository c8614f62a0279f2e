"""A Kubernetes cluster through its API server: the only room that imports `lightkube`.

What is asked of a cluster is asked with the rights of the user's kubeconfig, and of no other account.
"""
