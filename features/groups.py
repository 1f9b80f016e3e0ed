"""The groups that features belong to, the sides the groups are of, and why some cannot be changed directly."""

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
FIXED: dict[Group, str] = {
    "wording": "You cannot change this directly: it comes from all your posts together.",
    "format": "You cannot change this directly: it comes from all your posts together.",
    "timing": "You cannot change this directly: it comes from all your posts together.",
    "track_record": "You cannot change what your past posts drew, but each new post adds to it.",
    "audience": "You cannot change this directly: it is up to the people who follow you and react.",
    "network": "You cannot change this: it is what everybody on the network does.",
}
