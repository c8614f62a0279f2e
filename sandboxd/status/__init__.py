"""The content of `sandboxd status`: gathered once, shown as text or as JSON, by the daemon or without."""
