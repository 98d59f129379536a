"""Answer Lambda's API, and run functions in worker processes."""
