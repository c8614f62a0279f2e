"""The causes that are known: one file each, with a function `find` that gives its answers about a failure."""
