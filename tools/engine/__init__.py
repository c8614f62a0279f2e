"""A private Docker engine that leaves nothing behind: for the tests, the demo and the CI."""
