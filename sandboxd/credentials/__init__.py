"""Credentials that programs inside a sandbox use without having them.

A service (`services`) says which host takes the secret and how a tool inside is directed to the gateway.
The user's record (`records`) says where the secret is; it is read when a sandbox starts (`resolve`), and
only the gateway gets it.
"""
