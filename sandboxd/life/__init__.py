"""A sandbox from its image to its end: build, create, find, stop, remove."""
