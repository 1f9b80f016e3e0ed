"""What the service says of itself, as JSON on stderr, for those who gather lines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from functools import cache


class ServiceLines(logging.Formatter):
    """Each record as one JSON object: when, how bad, what; with what else it tells, and the trace of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "told", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


@cache
def stream() -> logging.Handler:
    """What writes such lines on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(ServiceLines())
    return handler


def speak_json() -> None:
    """Nothing; all that Clout's own loggers say in this process from now on is such a line, and is said once."""
    log = logging.getLogger("clout")
    log.addHandler(stream())
    log.propagate = False
