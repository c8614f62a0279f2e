"""The test suite as one command: what it needs of a machine, and how it is run."""
