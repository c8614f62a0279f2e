"""What `sandboxd status` says: gathered once, shown as text or as JSON, by the daemon or without."""
