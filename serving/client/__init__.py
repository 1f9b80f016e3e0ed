"""Asking a service from Python: `Client` and `AsyncClient`."""
