"""Start, find, run and end emulators."""
