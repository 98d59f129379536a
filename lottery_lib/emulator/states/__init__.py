"""Answer Step Functions' API."""

__all__: list[str] = []
