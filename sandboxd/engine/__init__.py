"""The container engine: its address, its HTTP interface, its failures in words, commands in containers."""
