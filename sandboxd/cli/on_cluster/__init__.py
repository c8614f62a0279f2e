"""The form that commands take with `--on CONTEXT`."""
