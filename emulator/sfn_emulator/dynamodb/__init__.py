"""Answer DynamoDB's API."""
