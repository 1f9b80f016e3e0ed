"""What a request may say. `PostRequest.model_validate_json(body, context={"now": now})` reads one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from clout.data.tables import EARLIEST, KINDS, LONGEST_TEXT, POST_KINDS
from clout.features.request import AccountFacts, Draft, RecentPost

MOST_RECENT_POSTS = 400
FURTHEST_AHEAD = timedelta(days=30)
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
MOMENT = "2026-03-02T14:30:00Z"


def _written_out(value: Any) -> Any:  # noqa: ANN401 (anything JSON holds)
    """`value` if it is None, a datetime or a written-out time: a number would be read as an epoch of unknown unit."""
    if value is None or isinstance(value, datetime) or (isinstance(value, str) and ISO_TIME.match(value)):
        return value
    raise PydanticCustomError("time_format", f"Expected a time like {MOMENT}")


def _no_later_than(value: datetime, limit: datetime, words: str) -> datetime:
    """`value` in UTC."""
    if value > limit:
        raise PydanticCustomError("future", f"Expected a time {words}")
    if value < EARLIEST:
        raise PydanticCustomError("too_early", "Expected a time after 1990: is the year right?")
    return value.astimezone(UTC)


def _network_and_id(value: str) -> str:
    network, slash, rest = value.partition("/")
    if not (network and slash and rest):
        raise PydanticCustomError("account_format", "Expected network/id, like twitter/137407124")
    return value


def _now(info: ValidationInfo) -> datetime:
    return cast("dict[str, datetime]", info.context)["now"]


def _past(value: datetime, info: ValidationInfo) -> datetime:
    return _no_later_than(value, _now(info), "that is not after now")


def _soon(value: datetime, info: ValidationInfo) -> datetime:
    return _no_later_than(value, _now(info) + FURTHEST_AHEAD, f"at most {FURTHEST_AHEAD.days} days from now")


def _known(names: tuple[str, ...]) -> AfterValidator:
    """Refuses a text that is none of `names`."""

    def check(value: str) -> str:
        if value not in names:
            raise PydanticCustomError("unknown_kind", f"Expected one of {', '.join(names)}")
        return value

    return AfterValidator(check)


Count = Annotated[int, Field(ge=0, le=10**12)]
Few = Annotated[int, Field(ge=0, le=1000)]
Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_out)]
Past = Annotated[Time, AfterValidator(_past)]
Soon = Annotated[Time, AfterValidator(_soon)]
AccountId = Annotated[str, Field(max_length=500), AfterValidator(_network_and_id)]
ActionKind = Annotated[str, _known(KINDS)]
RecentKind = Annotated[str, _known(POST_KINDS)]


class Strict(BaseModel):
    """What holds of every part of a request: nothing else may be in it, and nothing is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class RecentPostBody(Strict):
    """One of the account's recent posts as it stands now."""

    happened_at: Past = Field(description="When it was published.", examples=[MOMENT])
    counts: dict[ActionKind, Count] = Field(
        default={},
        description="Actions it has drawn by now, by kind. A kind that is left out is not known, which is not zero.",
        examples=[{"like": 12, "reshare": 3}],
    )
    kind: RecentKind = Field("original", description=f"One of {', '.join(POST_KINDS)}.", examples=["original"])
    n_media: Few | None = Field(None, description="Pictures and videos in it.", examples=[1])
    n_urls: Few | None = Field(None, description="Links in it.", examples=[0])


class AccountFactsBody(Strict):
    """What is to be known of the account, in place of what the lake knows; leave out what is not known."""

    created_at: Past | None = Field(None, description="When the account was opened.", examples=["2019-05-01T00:00:00Z"])
    followers: Count | None = Field(None, description="Followers now.", examples=[1250])
    following: Count | None = Field(None, description="Accounts it follows now.", examples=[310])
    listed: Count | None = Field(None, description="Lists that name it.", examples=[14])
    posts: Count | None = Field(None, description="Posts it has published in all.", examples=[4200])
    verified: bool | None = Field(None, description="Whether its network has verified it.", examples=[False])
    recent: list[RecentPostBody] = Field(
        default=[],
        max_length=MOST_RECENT_POSTS,
        description="Its recent posts; only those older than the horizon tell what its posts draw.",
        examples=[[{"happened_at": MOMENT, "counts": {"like": 12, "reshare": 3}}]],
    )

    def facts(self, now: datetime) -> AccountFacts:
        """The facts, seen now."""
        recent = tuple(RecentPost(**post.__dict__) for post in self.recent)
        return AccountFacts(**{**self.__dict__, "recent": recent}, seen_at=now)


class PostRequest(Strict):
    """A post or a draft to judge, by an account the lake knows or one whose facts come with it."""

    account: AccountId | None = Field(
        None, description="Its account as network/id; or give network and handle.", examples=["twitter/137407124"]
    )
    network: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        pattern="^[^/]+$",
        description="Its network, where account is not given.",
        examples=["twitter"],
    )
    handle: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The account's handle on that network, with or without @.",
        examples=["@klout"],
    )
    text: str | None = Field(
        None,
        max_length=LONGEST_TEXT,
        description="What it says; left out where it is not known.",
        examples=["What did you read this week?"],
    )
    lang: str | None = Field(None, max_length=35, description="Language of the text (BCP 47).", examples=["en"])
    happened_at: Soon | None = Field(
        None, description="When it is published, with its offset from UTC; now when left out.", examples=[MOMENT]
    )
    kind: Literal["original", "reply", "quote"] = Field(
        "original", description="original, reply or quote.", examples=["original"]
    )
    n_media: Few | None = Field(0, description="Pictures and videos in it; null where not known.", examples=[1])
    n_urls: Few | None = Field(None, description="Links in it; counted in the text when left out.", examples=[0])
    n_hashtags: Few | None = Field(None, description="Hashtags; counted in the text when left out.", examples=[0])
    n_mentions: Few | None = Field(None, description="Mentions; counted in the text when left out.", examples=[0])
    account_facts: AccountFactsBody | None = Field(
        None,
        description="Facts of the account. They replace what the lake knows of it; {} says that nothing is known.",
        examples=[{"followers": 1250, "recent": [{"happened_at": MOMENT, "counts": {"like": 12}}]}],
    )

    @model_validator(mode="after")
    def _names_one_account(self) -> Self:
        if self.account is None and self.network is None:
            raise PydanticCustomError("no_account", "Expected account (network/id), or network and handle")
        if self.account is None and self.handle is None and self.account_facts is None:
            raise PydanticCustomError("no_account", "Expected handle or account_facts beside network")
        if self.account and self.network and not self.account.startswith(f"{self.network}/"):
            raise PydanticCustomError("other_network", "Expected account to begin with network, or no network")
        if self.account is not None and self.handle is not None:
            raise PydanticCustomError("two_names", "Expected account or handle, not both")
        return self

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if self.text is not None and not self.text.strip() and not self.n_media:
            raise PydanticCustomError("empty_post", "Expected a text, or n_media of 1 or more: the post is empty")
        return self

    @property
    def network_name(self) -> str:
        """The network of the post."""
        return self.network or (self.account or "").split("/", 1)[0]

    def draft(self, account: str | None, now: datetime) -> Draft:
        """The post as it is judged, by the account it was found to be of."""
        form = {name: getattr(self, name) for name in ("text", "lang", "kind")}
        numbers = {name: getattr(self, name) for name in ("n_media", "n_urls", "n_hashtags", "n_mentions")}
        return Draft(self.network_name, account, self.happened_at or now, **form, **numbers)
