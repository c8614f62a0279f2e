"""What commands do with `--on CONTEXT`."""
