"""What each page shows, as one model a page."""
