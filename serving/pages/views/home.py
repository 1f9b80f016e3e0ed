"""The first page, which says what a score is and finds an account; and the answer when none is found."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import islice

from pydantic import Field
from starlette.datastructures import QueryParams

from clout.models.scale import BANDS, MEAN_SCORE, P95_SCORE
from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked
from clout.serving.active_model import Loaded, plain_handle
from clout.serving.pages.views.origin import told_by_sources
from clout.serving.pages.views.view import View
from clout.serving.problems import ProblemError

HIGHEST = 100
MOST_NEAR, LOOKED_AT, LEAST_LETTERS = 6, 1_000, 2
ALIKE = 0.7
LONGEST = 200


class Band(View):
    """A stretch of the scale and the words for it."""

    low: int = Field(description="The lowest score in it.")
    high: int = Field(description="The highest.")
    words: str = Field(description="What a score in it is called.")


class Found(View):
    """An account that can be looked at."""

    account: str = Field(description="Its id, which begins with the network.")
    handle: str | None = Field(description="Its handle, where it was found by that.")


class Home(View):
    """What the first page shows."""

    networks: list[str] = Field(description="The networks that are scored.")
    example: str = Field(
        description="An account to look at: the one whose posts have drawn most, or any once that is erased."
    )
    bands: list[Band] = Field(description="The words for scores, lowest first.")
    mean: int = Field(description="The score of a mean account.")
    top: int = Field(description="The score that 5 of 100 accounts reach.")
    made_up: bool = Field(description="Whether a simulation made some of the posts.")


class NotFound(View):
    """What is told to somebody whose account was not found."""

    networks: list[str] = Field(description="The networks that are scored.")
    asked: str = Field(description="What was looked for.")
    network: str | None = Field(description="Where it was looked for; null for everywhere.")
    near: list[Found] = Field(description="Accounts that may have been meant, nearest first.")


def home(asked: Asked) -> Home:
    """What the first page shows."""
    loaded = asked.loaded
    return Home(
        networks=list(loaded.model.networks),
        example=loaded.example,
        bands=bands(),
        mean=round(MEAN_SCORE),
        top=round(P95_SCORE),
        made_up=told_by_sources(loaded.model.data.get("notes", []))[1],
    )


def bands() -> list[Band]:
    """Every band with its lowest and highest score, lowest first."""
    tops = (HIGHEST, *(floor - 1 for floor, _ in BANDS[:-1]))
    every = [Band(low=max(floor, 1), high=top, words=words) for (floor, words), top in zip(BANDS, tops, strict=True)]
    return every[::-1]


def find(asked: Asked, query: QueryParams) -> str | NotFound:
    """The account that a form asks for by handle or id; who may have been meant where there is none, or several."""
    networks = asked.loaded.model.networks
    network, text = _named(query.get("network", ""), query.get("account", "").strip()[:LONGEST], networks)
    places = (network,) if network else networks
    keys = [key for place in places if text and (key := _key(asked, place, text))]
    if len(keys) == 1:
        return keys[0]
    near = [Found(account=key, handle=None) for key in keys] or _near(asked.loaded, places, text)
    return NotFound(networks=list(networks), asked=text, network=network, near=near)


def _named(network: str, text: str, networks: Sequence[str]) -> tuple[str | None, str]:
    """The network and the name that were typed; a network before a slash counts most."""
    before, slash, after = text.partition("/")
    if slash and before in networks:
        return before, after
    return (network if network in networks else None), text


def _key(asked: Asked, network: str, text: str) -> str | None:
    try:
        return asked.key(Name(network, text, "/query/account"))
    except ProblemError:
        return None


def _near(loaded: Loaded, networks: Sequence[str], text: str) -> list[Found]:
    """Accounts whose handle begins as the text does, those most like it first."""
    sought = plain_handle(text)
    if len(sought) < LEAST_LETTERS:
        return []
    start = sought[: max(LEAST_LETTERS, len(sought) // 2)]
    begin = (known for known in loaded.handles if known[1].startswith(start) and known[0] in networks)
    rated = [(_likeness(sought, known[1]), known) for known in islice(begin, LOOKED_AT)]
    alike = sorted((-rate, known) for rate, known in rated if rate >= ALIKE)
    found = [(key, known[1]) for _, known in alike for key in loaded.handles[known]][:MOST_NEAR]
    return [Found(account=key, handle=loaded.written.get(key, plain)) for key, plain in found]


def _likeness(sought: str, handle: str) -> float:
    """How alike two handles are, up to 1; what is typed may be only the beginning."""
    return 1.0 if handle.startswith(sought) else SequenceMatcher(None, sought, handle).ratio()
