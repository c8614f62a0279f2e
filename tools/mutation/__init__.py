"""Changes of one point of the code, each to be noticed by a test: `python -m tools.mutation`."""
