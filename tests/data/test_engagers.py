"""What an action counts, by hand on small logs, and its direction on real ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from nasty_tables import history_of, known_until, nasty_tables

from clout.data.engagers import HIGHEST, acquainted, engager_sums, influence, weigh, witness
from clout.data.history import known_before
from clout.data.hourly import Hours
from clout.data.tables import SCHEMAS

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Act = tuple[str, str, timedelta]
OUTCOMES = {"account": pl.String, "at": pl.Datetime("us", "UTC"), "outcome": pl.Float64}


def log(acts: Iterable[Act], kind: str = "like") -> pl.DataFrame:
    """Actions (actor, account, after START), known as they happen."""
    rows = [
        {
            "action": f"n/{place}",
            "account": f"n/{account}",
            "actor": f"n/{actor}",
            "kind": kind,
            "happened_at": START + at,
        }
        for place, (actor, account, at) in enumerate(acts)
    ]
    frame = pl.DataFrame(rows, schema={**SCHEMAS["actions"]})
    return frame.with_columns(known_at="happened_at", at="happened_at")


def crowd(people: int = 40, accounts: int = 8, since: timedelta = timedelta(0)) -> list[Act]:
    """People who each act on several accounts, so that most engagers are known from elsewhere."""
    return [
        (f"person{person}", f"star{star}", since + star * HOUR + person * timedelta(seconds=1))
        for star in range(accounts)
        for person in range(people)
    ]


def weighed(seen: pl.DataFrame, outcomes: pl.DataFrame | None = None) -> pl.Series:
    """The weights of witnessed actions that are all there are."""
    hours = Hours.of(seen)
    known = acquainted(seen, hours, engager_sums(seen, hours))
    return weigh(seen, hours, known, None if outcomes is None else influence(seen, outcomes))


def weights(actions: pl.DataFrame, outcomes: pl.DataFrame | None = None) -> dict[str, float]:
    """Action → weight."""
    seen = witness(actions)
    return dict(zip(seen["action"], weighed(seen, outcomes), strict=True))


def last(acts: list[Act], outcomes: pl.DataFrame | None = None) -> float:
    """The weight of the action that stands last."""
    return weights(log(acts), outcomes)[f"n/{len(acts) - 1}"]


def test_a_log_begins_with_weights_of_one() -> None:
    assert weights(log([("a", "x", HOUR), ("b", "x", HOUR), ("c", "y", 2 * HOUR)])) == {"n/0": 1, "n/1": 1, "n/2": 1}


def test_who_was_never_seen_elsewhere_counts_nothing_where_others_are() -> None:
    assert last([*crowd(), ("new", "star1", DAY)]) == 0
    assert last([*crowd(), *[("new", "star1", DAY + place * HOUR) for place in range(9)]]) == 0


def test_where_most_are_strangers_being_one_means_little() -> None:
    strangers = [(f"visitor{place}", f"star{place % 3}", place * timedelta(minutes=1)) for place in range(500)]
    assert last([*strangers, ("new", "star1", DAY)]) == 1


@pytest.mark.parametrize("others", [1, 2, 3])
def test_the_more_accounts_one_acted_on_the_more_one_is_known(others: int) -> None:
    """Few is fewer than a fifth of the usual number, but less than one account is never few."""
    known = [("her", f"star{place}", DAY - HOUR) for place in range(others)]
    many = [("him", f"star{place}", DAY - HOUR) for place in range(8)]
    acts = [*crowd(), *known, *many]
    hers, his = last([*acts, ("her", "x", DAY)]), last([*acts, ("him", "x", DAY)])
    slower = (1 + 8 / 300) / (1 + others / 300)
    assert hers / his == pytest.approx(others / (others + 1) / (8 / 9) * slower, rel=1e-5)


def test_where_all_know_many_accounts_few_say_little() -> None:
    wide = crowd(people=20, accounts=60)
    known = [("her", f"star{place}", 3 * DAY - HOUR) for place in range(2)]
    many = [("him", f"star{place}", 3 * DAY - HOUR) for place in range(60)]
    acts = [*wide, *known, *many]
    hers, his = last([*acts, ("her", "x", 3 * DAY)]), last([*acts, ("him", "x", 3 * DAY)])
    assert hers / his < 0.5


def test_the_same_account_again_is_no_other() -> None:
    acts = [*crowd(), ("her", "star0", DAY), ("her", "star0", DAY + HOUR)]
    assert witness(log([*acts, ("her", "star0", 2 * DAY)]))["others"][-1] == 0
    assert witness(log([*acts, ("her", "star1", 2 * DAY)]))["others"][-1] == 1


@pytest.mark.parametrize(("gap", "others"), [(90 * DAY, 0), (90 * DAY - timedelta(microseconds=1), 1), (0 * DAY, 0)])
def test_what_was_done_ninety_days_ago_or_at_the_same_moment_is_not_known(gap: timedelta, others: int) -> None:
    assert (
        witness(log([("her", "x", timedelta(0)), ("her", "y", gap)]).sort("account"))["others"].to_list()[-1] == others
    )


@pytest.mark.parametrize(("gap", "acted"), [(30 * DAY, 0), (30 * DAY - timedelta(microseconds=1), 1)])
def test_actions_count_for_thirty_days(gap: timedelta, acted: int) -> None:
    assert witness(log([("her", "x", timedelta(0)), ("her", "y", gap)]))["acted"][-1] == acted


def test_the_more_one_acts_the_less_each_action_counts() -> None:
    """Both had acted on the same eight accounts; one of them sixty times on each."""
    calm = [("calm", f"star{place}", HOUR * place) for place in range(8)]
    busy = [("busy", f"star{place % 8}", timedelta(minutes=place)) for place in range(480)]
    acts = [*crowd(), *calm, *busy]
    assert last([*acts, ("busy", "x", DAY)]) / last([*acts, ("calm", "x", DAY)]) == pytest.approx(
        (1 + 8 / 300) / (1 + 480 / 300), rel=1e-5
    )


def test_an_engager_whose_own_posts_drive_actions_counts_more() -> None:
    ripe = [("n/person1", DAY, 50.0), ("n/person2", DAY, 1.0)]
    outcomes = pl.DataFrame([(who, START + at, drove) for who, at, drove in ripe], schema=OUTCOMES, orient="row")
    by = {person: last([*crowd(), (f"person{person}", "x", 2 * DAY)], outcomes) for person in (0, 1, 2)}
    assert by[1] > by[2] > by[0]
    x = np.log(51)
    assert by[1] / by[0] == pytest.approx(1 + x / (1 + x), rel=1e-5)
    too_early = last([*crowd(), ("person1", "x", DAY)], outcomes)
    assert too_early == pytest.approx(last([*crowd(), ("person0", "x", DAY)], outcomes))


def test_a_weight_is_at_most_three() -> None:
    busy = [
        (f"bot{bot}", f"star{place % 8}", timedelta(minutes=place + bot)) for bot in range(3) for place in range(3000)
    ]
    calm = [("calm", f"star{place}", timedelta(days=3)) for place in range(8)]
    famous = pl.DataFrame([("n/calm", START, 1e6)], schema=OUTCOMES, orient="row")
    acts = [*busy, *calm, ("calm", "x", 4 * DAY)]
    assert 2 < last(acts) < HIGHEST
    assert last(acts, famous) == HIGHEST


def test_throwaways_move_nobody_elses_weight() -> None:
    bought = [(f"thrown{place}", "buyer", DAY + place * timedelta(seconds=1)) for place in range(100)]
    world = [*crowd(accounts=20), *crowd(accounts=20, since=2 * DAY)]
    without, beside = weights(log(world)), weights(log([*world, *bought]))
    assert beside == without | {f"n/{1600 + place}": 0.0 for place in range(100)}


@pytest.mark.parametrize("kind", ["view", "follow"])
def test_views_follows_and_acts_on_oneself_are_no_actions(kind: str) -> None:
    views = log([("her", f"star{place}", HOUR) for place in range(5)], kind=kind)
    own = log([("star0", "star0", HOUR)] * 3)
    assert not witness(pl.concat([views, own]))["counts"].any()
    acts = log([("her", "x", DAY), ("star0", "y", DAY)])
    seen = witness(pl.concat([views, own, acts])).filter(pl.col("at") == START + DAY)
    assert seen.select("acted", "others").rows() == [(0, 0), (0, 0)]


def test_networks_have_usual_actions_of_their_own() -> None:
    here = log(crowd())
    there = log([(f"visitor{place}", "star", place * timedelta(minutes=1)) for place in range(300)])
    renamed = there.with_columns(pl.col("action", "account", "actor").str.replace("n/", "m/"))
    both = weights(pl.concat([here, renamed]))
    assert both == weights(here) | weights(renamed)


def test_weights_are_whole_parts() -> None:
    values = np.array(list(weights(log(crowd())).values())) * 2**20
    assert (values == np.rint(values)).all()


def test_a_weight_never_changes() -> None:
    """What comes later, and the order of rows, change no weight."""
    tables = nasty_tables(8)
    whole = history_of(tables).actions.sort("action")
    shuffled = {**tables, "actions": tables["actions"].sample(fraction=1, shuffle=True, seed=1)}
    assert history_of(shuffled).actions.sort("action")["weight"].equals(whole["weight"])
    for place in (100, 300, 600):
        time = whole["at"].sort()[place] + timedelta(microseconds=1)
        past = history_of(known_before(tables, time), known_until(tables, time)).actions.sort("action")
        assert past["weight"].equals(whole.filter(pl.col("at") < time)["weight"])


def test_no_actions_no_weights() -> None:
    assert weighed(witness(log([]))).is_empty()


def test_a_spree_of_a_few_moves_the_others_little() -> None:
    """Ten people who act without end, five times as much as all others together."""
    later = crowd(since=2 * DAY)
    spree = [
        (f"bot{bot}", f"star{place % 8}", DAY + place * timedelta(minutes=1))
        for bot in range(10)
        for place in range(300)
    ]
    without, beside = weights(log([*crowd(), *later])), weights(log([*crowd(), *later, *spree]))
    moved = [beside[f"n/{place}"] / without[f"n/{place}"] for place in range(320, 640)]
    assert 0.8 < np.mean(moved) < 1.4


@pytest.fixture(scope="module", params=["higgs", "weibo"])
def real(request: pytest.FixtureRequest, shared_data: Path) -> pl.DataFrame:
    """Real actions, what was known of their engagers, and what they count."""
    rows = pl.read_parquet(shared_data / f"{request.param}_actions.parquet").drop_nulls("time").sort("time")
    number = pl.int_range(pl.len()).cast(pl.String)
    names = {"account": "n/" + pl.col("target").cast(pl.String), "actor": "n/" + pl.col("actor").cast(pl.String)}
    seen = witness(rows.select(action=number, **names, kind=pl.lit("reshare"), at="time"))
    return seen.with_columns(weighed(seen))


def test_on_real_logs_the_busy_count_less(real: pl.DataFrame) -> None:
    alike = real.filter(pl.col("others").is_between(5, 8))
    calm, busy = (alike.filter(pl.col("acted").is_between(*band))["weight"] for band in ((0, 15), (30, 10**6)))
    assert len(busy) > 20
    assert busy.mean() < calm.mean()


def test_on_real_logs_a_hundred_actors_beat_one_a_hundred_times(real: pl.DataFrame) -> None:
    """The hundred are as well known as the one: each had acted on as many other accounts."""
    alike = real.filter(pl.col("others") > 10)
    busiest = alike["actor"].value_counts().sort("count", "actor")["actor"][-1]
    one = alike.filter(actor=busiest).tail(100)
    others = alike.filter(pl.col("actor") != busiest).unique("actor", keep="first", maintain_order=True).tail(100)
    if one.height < 100:
        pytest.skip("nobody in this log is known and acts a hundred times")
    assert others.height == 100
    assert one["weight"].sum() < others["weight"].sum()
