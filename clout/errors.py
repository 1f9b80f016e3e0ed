"""The errors Clout raises on purpose."""


class CloutError(ValueError):
    """A problem a user can act on: what was got, what was expected, what to do next.

    `code` is a stable snake_case word for programs.
    """

    code = "clout_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
