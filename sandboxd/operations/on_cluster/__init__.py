"""The workspace at work on a cluster: one file for each thing that can be done with a sandbox there.

Each acts by the user's kubeconfig, in this process: no daemon takes part.
"""
