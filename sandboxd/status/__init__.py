"""The content of `sandboxd status`: collected once and shown as text or as JSON, by the daemon or without it."""
