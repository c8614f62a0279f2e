"""sandboxd: know what a dev container config gives away, and run it in a sandbox that holds."""

__version__ = "0.1.0"
