"""Where outcomes follow standing outside the network, a model finds it; where they do not, nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from clout.data.history import load
from clout.data.tables import SCHEMAS
from clout.features.catalogue import CONTRACT
from clout.features.compute import compute, prepare
from clout.features.contract import Contract
from clout.features.standing import FEATURES
from clout.training.config import Fit, Params
from clout.training.fit import fit

Floats = npt.NDArray[np.float64]
BEGINNING, DAY = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1)
ACCOUNTS, DAYS, LEARNT = 40, 48, 36
PARAMS = Params(fit=Fit(trees=60, threads=1))
OTHERS = CONTRACT.without([feature.name for feature in FEATURES])


@dataclass(frozen=True)
class World:
    """Accounts whose pages gain and lose links every few days; a post a day draws what its account's links say."""

    links: Floats

    @classmethod
    def drawn(cls) -> World:
        """The same world each time."""
        rng = np.random.default_rng(4)
        return cls(np.repeat(np.round(np.exp(rng.uniform(0, 7, (ACCOUNTS, DAYS // 3)))), 3, axis=1))

    def tables(self, late: timedelta = timedelta(0)) -> dict[str, pl.DataFrame]:
        """What is known of it; of links only so `late` after they were there."""
        rng = np.random.default_rng(5)
        places = [(number, day) for number in range(ACCOUNTS) for day in range(DAYS)]
        drew = rng.poisson(2 * np.sqrt(self.links))
        rows = {
            "posts": [_post(number, day) for number, day in places],
            "counts": [_count(number, day, int(drew[number, day])) for number, day in places],
            "standings": [_standing(number, day, int(self.links[number, day]), late) for number, day in places],
        }
        return {name: pl.DataFrame(rows.get(name, []), schema=schema) for name, schema in SCHEMAS.items()}


def _post(number: int, day: int) -> dict[str, object]:
    at = BEGINNING + day * DAY + timedelta(hours=12, minutes=number)
    ids = {"post": f"x/{number}-{day}", "account": f"x/{number}", "network": "x"}
    return {**ids, "kind": "original", "happened_at": at, "known_at": at}


def _count(number: int, day: int, count: int) -> dict[str, object]:
    at = BEGINNING + (day + 8) * DAY
    return {"post": f"x/{number}-{day}", "kind": "like", "count": count, "happened_at": at, "known_at": at} | {
        "retrospective": False
    }


def _standing(number: int, day: int, count: int, late: timedelta) -> dict[str, object]:
    at = BEGINNING + day * DAY
    page = {"account": f"x/{number}", "page": f"en.wikipedia.org/wiki/{number}"}
    return {**page, "kind": "link", "count": count, "happened_at": at, "known_at": at + late}


def explained(tables: dict[str, pl.DataFrame], contract: Contract) -> float:
    """The share of the variance of log(1 + outcome) that a model of earlier posts explains in later ones."""
    history = load(tables, timedelta(days=7), {"like": 1.0})
    frame = compute(history.posts.sort("post"), prepare(history)).join(
        history.outcomes.select("post", "outcome"), on="post", maintain_order="left"
    )
    early = (frame["happened_at"] < BEGINNING + LEARNT * DAY).to_numpy()
    matrix, target = contract.matrix(frame), frame["outcome"].log1p().to_numpy()
    model = fit(matrix[early], target[early], PARAMS, contract.names, contract.directions)
    left = target[~early] - np.asarray(model.predict(matrix[~early]))
    return float(1 - left.var() / target[~early].var())


@pytest.fixture(scope="module")
def world() -> World:
    return World.drawn()


def test_outcomes_that_follow_links_are_found(world: World) -> None:
    assert explained(world.tables(), CONTRACT) > 0.7
    assert explained(world.tables(), OTHERS) < 0.2, "nothing else tells"


def test_links_that_were_known_only_later_tell_nothing(world: World) -> None:
    assert explained(world.tables(late=20 * DAY), CONTRACT) < 0.2


def test_without_a_page_a_model_is_the_same_to_the_last_bit(world: World) -> None:
    tables = {**world.tables(), "standings": SCHEMAS["standings"].to_frame()}
    assert explained(tables, CONTRACT) == explained(tables, OTHERS)
