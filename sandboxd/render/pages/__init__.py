"""Pages of `verify` and `bench`: one file for each form. `sandboxd.render` has those of `check`."""
