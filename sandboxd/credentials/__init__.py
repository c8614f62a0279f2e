"""Credentials that tools inside a sandbox work with and never have.

A service (`services`) says which host takes the secret and how a tool inside is pointed at the gateway.
The user's record (`records`) says where the secret is; it is read when a sandbox starts (`resolve`), and
only the gateway gets it.
"""
