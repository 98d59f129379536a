"""Answer Step Functions' API."""
