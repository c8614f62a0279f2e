"""The changes of a private copy: collected, weighed, shown, brought to the host."""
