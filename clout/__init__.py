"""Clout: an open influence score that is learned, calibrated and explained."""
