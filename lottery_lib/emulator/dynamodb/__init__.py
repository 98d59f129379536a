"""Answer DynamoDB's API."""

__all__: list[str] = []
