"""Carry HTTP: requests in, replies out, in AWS's protocols."""
