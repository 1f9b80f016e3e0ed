"""What people touch: the service, its schemas and its errors."""
