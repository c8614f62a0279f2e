"""The content of `sandboxd status`: collected once, shown as text or as JSON, by the daemon or without."""
