"""Programs of ours that run in a sandbox. Each is sent as text, and uses the standard library and its neighbours alone."""
