"""What stands between whoever asks and the routes: keys, limits, headers and logs."""
