"""The groups that features belong to, and the sides the groups are of."""

from __future__ import annotations

from typing import Literal

Group = Literal["wording", "format", "timing", "track_record", "audience", "network"]
Side = Literal["message", "messenger", "timing", "network"]
GROUPS: tuple[Group, ...] = ("wording", "format", "timing", "track_record", "audience", "network")
SIDE_OF: dict[Group, Side] = {
    "wording": "message",
    "format": "message",
    "timing": "timing",
    "track_record": "messenger",
    "audience": "messenger",
    "network": "network",
}
