"""The codes of all checks; a code stays with its check for good."""

from __future__ import annotations

OF_TRAINING = tuple(f"CLOUT{number:03}" for number in range(1, 15))
OF_PROMOTION = tuple(f"CLOUT{number}" for number in range(101, 106))
CODES = (*OF_TRAINING, *OF_PROMOTION)
