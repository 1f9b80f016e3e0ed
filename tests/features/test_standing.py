"""What the page that is declared as an account's says: dated, and never known before its day."""

from __future__ import annotations

import numpy as np
import pytest
from nasty_tables import DAY, HOUR, Counted, Published, Stood, features_of, tables_of

from clout.features.catalogue import CONTRACT
from clout.features.standing import FEATURES
from clout.models.phrases import told

NAMES = [feature.name for feature in FEATURES]
AT = 50 * DAY


def measured(*stood: Stood, posts: int = 0) -> tuple[float | None, ...]:
    """(views a day, links) of account 2's post at `AT`, which has so many posts with a known outcome before it."""
    earlier = [Published(2, number * HOUR) for number in range(posts)]
    counted = [Counted(number, 8 * DAY, 1, kind) for number in range(posts) for kind in range(3)]
    rows = features_of(tables_of([*earlier, Published(2, AT)], [], counted, [], stood))
    return rows.filter(post=f"read/p{posts}").select(NAMES).row(0)


def test_nothing_is_known_of_an_account_without_a_page() -> None:
    assert measured() == measured(Stood(7, AT - DAY, 5), Stood(7, AT - DAY, 5, "link")) == (None, None)


def test_views_are_the_mean_of_the_days_known() -> None:
    assert measured(Stood(2, AT - 2 * DAY, 3), Stood(2, AT - 9 * DAY, 8)) == (5.5, None)
    assert measured(Stood(2, AT - 2 * DAY, 0)) == (0.0, None), "a day without a view is not a day that is not known"


@pytest.mark.parametrize(
    ("at", "delay", "known"),
    [
        (AT - 1, 0, True),
        (AT, 0, False),
        (AT - DAY, DAY, False),
        (AT - DAY, DAY - 1, True),
        (AT - 30 * DAY, 0, False),
        (AT - 30 * DAY, 1, True),
        (AT + 1, 0, False),
    ],
)
def test_a_day_counts_once_it_had_ended_and_was_known_for_a_month(at: int, delay: int, known: bool) -> None:
    assert measured(Stood(2, at, 4, delay=delay)) == ((4.0, None) if known else (None, None))


def test_links_are_the_newest_known_however_old_and_whatever_came_between() -> None:
    old, new = Stood(2, 2 * DAY, 7, "link"), Stood(2, 9 * DAY, 5, "link")
    assert measured(old, new, Stood(2, AT - DAY, 3), Stood(2, AT, 9, "link")) == (3.0, 5.0)


def test_views_can_be_bought_so_they_are_asked_only_of_who_has_no_record() -> None:
    stood = Stood(2, AT - DAY, 3), Stood(2, AT - DAY, 5, "link")
    assert measured(*stood, posts=9) == (3.0, 5.0)
    assert measured(*stood, posts=10) == (None, 5.0)


def test_more_links_are_never_held_against_anyone_and_nobody_is_advised_to_get_them() -> None:
    specs = {spec.name: spec for spec in CONTRACT.features if spec.name in NAMES}
    assert [specs[name].direction for name in NAMES] == [0, 1]
    assert not any(spec.actionable for spec in specs.values())


def test_what_people_are_told() -> None:
    views, links = (feature.spec for feature in FEATURES)
    assert told(views, 1234.5, 2.0) == (
        "about 1,230 views",
        "In the last month, your Wikipedia page drew about 1,230 views a day. That points to more reactions.",
    )
    assert told(links, 1.0, -1.0)[1] == "Your Wikipedia page has links from 1 page. That points to fewer reactions."
    assert told(links, np.nan, 0.5) == (
        None,
        "Pages that link to your Wikipedia page: no Wikipedia page of yours is known.",
    )
