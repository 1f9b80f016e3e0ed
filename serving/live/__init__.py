"""The live loop: sources are read, accounts scored and the champion watched again and again, beside the service."""
