"""Answer Lambda's API and run functions."""

__all__: list[str] = []
