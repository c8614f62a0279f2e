"""Programs of ours, and the Python for them, brought into a sandbox."""
