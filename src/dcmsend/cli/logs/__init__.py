"""Logs that are set up from a file, and events as JSON lines. Nothing here is loaded unless an option asks for it."""
