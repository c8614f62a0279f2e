"""What a user can do with a sandbox on a cluster: one file for each operation.

Each uses the user's kubeconfig, in this process, without a daemon.
"""
