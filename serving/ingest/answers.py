"""What is asked and answered when rows come in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

MOST_ROWS = 1_000
# What is no row is rejected by itself, so anything may stand here.
ARow = Annotated[Any, WithJsonSchema({"anyOf": [{"type": "object"}, {}]})]


class RowsRequest(BaseModel):
    """Rows of one table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: list[ARow] = Field(
        min_length=1,
        max_length=MOST_ROWS,
        description="The rows, objects with the columns of the table; one that is wrong does not harm the others.",
        examples=[
            [
                {
                    "post": "forum/10",
                    "kind": "like",
                    "count": 3,
                    "happened_at": "2026-03-02T14:30:00Z",
                    "known_at": "2026-03-02T14:30:00Z",
                    "retrospective": False,
                }
            ]
        ],
    )


class RowResult(BaseModel):
    """What became of one row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal["accepted", "duplicate", "rejected"] = Field(
        description="accepted: kept for good. duplicate: it came in before. rejected: not kept, see code.",
        examples=["rejected"],
    )
    pointer: str = Field(
        description="Which row, and which column of it if one is to blame.", examples=["/rows/0/count"]
    )
    code: str | None = Field(description="Why it was rejected, for programs.", examples=["negative_number"])
    detail: str | None = Field(
        description="Why it was rejected, for people.", examples=["a number of things is below zero"]
    )


class Ingested(BaseModel):
    """What became of rows that were sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accepted: int = Field(description="How many are new and kept.", examples=[0])
    duplicate: int = Field(description="How many came in before.", examples=[0])
    rejected: int = Field(description="How many are not kept.", examples=[1])
    results: list[RowResult] = Field(
        description="What became of each row, in order.",
        examples=[[{"status": "accepted", "pointer": "/rows/0", "code": None, "detail": None}]],
    )
