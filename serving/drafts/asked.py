"""What requests about drafts may say: many posts at once, or one and changes to try on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from clout.data.tables import LONGEST_TEXT
from clout.serving.problems import of_validation
from clout.serving.schemas import MOMENT, Few, PostRequest, Soon, Strict

MOST_POSTS, MOST_CHANGES = 100, 20
EXAMPLE = {"account": "twitter/137407124", "text": "What did you read this week?"}
Body = TypeVar("Body", bound=BaseModel)
# What is no post gets a problem of its own in the answer, so anything may stand here.
APost = Annotated[Any, WithJsonSchema({"anyOf": [{"$ref": f"#/components/schemas/{PostRequest.__name__}"}, {}]})]


class PostsRequest(Strict):
    """Posts or drafts to judge at once, each by itself."""

    posts: list[APost] = Field(
        min_length=1,
        max_length=MOST_POSTS,
        description="Each as POST /v1/posts:score takes it; one that is wrong does not harm the others.",
        examples=[[EXAMPLE]],
    )

    def bodies(self) -> list[str]:
        """Each post as JSON again."""
        return [json.dumps(post) for post in self.posts]


class DraftChange(Strict):
    """Fields of the draft that are to be another; those left out stay as they are."""

    text: str | None = Field(None, max_length=LONGEST_TEXT, description="What it says.", examples=["What now?"])
    lang: str | None = Field(None, max_length=35, description="Language of the text (BCP 47).", examples=["en"])
    happened_at: Soon | None = Field(
        None, description="When it is published, with its offset from UTC; null is now.", examples=[MOMENT]
    )
    kind: Literal["original", "reply", "quote"] = Field(
        "original", description="original, reply or quote.", examples=["original"]
    )
    n_media: Few | None = Field(None, description="Pictures and videos in it.", examples=[1])
    n_urls: Few | None = Field(None, description="Links; null counts them in the text.", examples=[0])
    n_hashtags: Few | None = Field(None, description="Hashtags; null counts them in the text.", examples=[0])
    n_mentions: Few | None = Field(None, description="Mentions; null counts them in the text.", examples=[0])

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("no_change", "Expected one field of the draft or more")
        return self


class WhatIfRequest(Strict):
    """A draft, changes to try on it, and whether to look for others."""

    post: PostRequest = Field(description="The draft as it is.", examples=[EXAMPLE])
    changes: list[DraftChange] = Field(
        default=[], max_length=MOST_CHANGES, description="Changes to try, each by itself.", examples=[[{"n_media": 1}]]
    )
    suggest: bool = Field(default=False, description="Whether to look for single changes that help.", examples=[True])

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.changes and not self.suggest:
            raise PydanticCustomError("nothing_asked", "Expected one change or more, or suggest: true")
        return self

    def fields(self) -> list[dict[str, Any]]:
        """The fields that each change sets."""
        return [change.model_dump(exclude_unset=True) for change in self.changes]


def read(model: type[Body], body: bytes, now: datetime) -> Body:
    """The request that a JSON text holds, asked `now`."""
    try:
        return model.model_validate_json(body, context={"now": now})
    except ValidationError as error:
        raise of_validation(error) from error


def changed(
    post: PostRequest, fields: Mapping[str, Any], now: datetime, place: tuple[str | int, ...] = ()
) -> PostRequest:
    """The draft with other fields, which stood at `place` of the request; raises where that is no post any more."""
    said = post.model_dump(exclude_unset=True) | dict(fields)
    try:
        return PostRequest.model_validate(said, context={"now": now})
    except ValidationError as error:
        raise of_validation(error, place) from error
