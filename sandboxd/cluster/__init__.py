"""Kubernetes clusters through their API server: the only package that imports `lightkube`.

All requests are made with the rights of the user's kubeconfig, and of no other account.
"""
