"""Start, find, run and end emulators."""

__all__: list[str] = []
