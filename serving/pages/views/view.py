"""What holds of every page's view."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """All that a page shows, as plain values; the same as JSON is what the page gives to programs."""

    model_config = ConfigDict(frozen=True)
