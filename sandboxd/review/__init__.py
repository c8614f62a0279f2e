"""The changes of a private copy: collected, judged, shown, and written to the host's workspace."""
