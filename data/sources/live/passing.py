"""The error that says: try again."""

from __future__ import annotations

from clout.errors import CloutError


class PassingError(CloutError):
    """Trouble of a source that may be over soon, so that another try is worth it; other `CloutError`s are not tried again."""

    code = "source_passing"
