"""The container engine: its address, its HTTP API, its failures in words, and commands in containers."""
