"""Output formats of `verify` and `bench`: one file for each. `sandboxd.render` has those of `check`."""
