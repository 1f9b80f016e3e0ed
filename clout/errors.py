"""The errors Clout raises on purpose, and what their words leave out."""

from __future__ import annotations

import re

_BEFORE_HOST = re.compile(r"(://[^/@:\s]*):[^@\s]*@")
_IN_QUERY = re.compile(r"([?&;]\w*(?:password|passwd|pwd|secret|token)\w*=)[^&;\s\"']*", re.IGNORECASE)


class CloutError(ValueError):
    """A problem a user can act on: what was got, what was expected, what to do next.

    `code` is a stable snake_case word for programs.
    """

    code = "clout_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


def without_passwords(words: str) -> str:
    """The same with three stars for each password in a URL, before its host or in its query.

    >>> without_passwords("no answer from postgresql://amy:s3cret@host/name?sslpassword=s3cret&connect_timeout=2")
    'no answer from postgresql://amy:***@host/name?sslpassword=***&connect_timeout=2'
    """
    return _IN_QUERY.sub(r"\1***", _BEFORE_HOST.sub(r"\1:***@", words))
