"""Numbered checks: what must hold before a challenger may become champion."""
