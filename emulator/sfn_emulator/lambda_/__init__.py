"""Answer Lambda's API and run functions."""
