"""An account beside others, and all scores of a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scored_home import LAST, TWINS, Scored

from clout.models.scale import band
from clout.serving.accounts.kept import AccountStore
from clout.serving.accounts.others import OTHER_MODEL, OTHER_SCALE, compare, distribution
from clout.serving.accounts.queries import Name
from clout.serving.accounts.told import Asked
from clout.serving.problems import ProblemError
from clout.serving.store.rows import Run


@pytest.fixture(scope="module")
def asked(scored: Scored) -> Iterator[Asked]:
    store = AccountStore(lambda: scored.url)
    yield Asked(store, scored.active.current())
    store.open().close()


def name(account: str) -> Name:
    """An account as an address names it."""
    network, _, own = account.partition("/")
    return Name(network, own, "/query/with")


def test_accounts_stand_side_by_side(asked: Asked, scored: Scored) -> None:
    told = compare(asked, name(scored.accounts[0]), [name(account) for account in scored.accounts[1:4]])
    assert [account.account for account in told.accounts] == scored.accounts[:4]
    assert [difference.account for difference in told.differences] == scored.accounts[1:4]
    for account in told.accounts:
        assert account.score == asked.record(name(account.account)).score


def test_a_difference_is_starting_point_and_reasons(asked: Asked, scored: Scored) -> None:
    mine, other = scored.accounts[:2]
    [told] = compare(asked, name(mine), [name(other)]).differences
    assert told.total is not None
    assert told.starting_point is not None
    one, two = asked.record(name(mine)), asked.record(name(other))
    assert one.score is not None
    assert two.score is not None
    assert told.total.points == pytest.approx(one.score - two.score, abs=1e-12)
    assert told.total.printed == round(one.score) - round(two.score)
    for reason in told.reasons:
        expected = one.detail["points"][reason.code] - two.detail["points"][reason.code]
        assert reason.points == pytest.approx(expected, abs=1e-12)
    sizes = [abs(reason.points) for reason in told.reasons]
    assert sizes == sorted(sizes, reverse=True)
    assert told.note is None


def test_the_other_way_round_is_the_opposite(asked: Asked, scored: Scored) -> None:
    one, two = scored.accounts[:2]
    [there] = compare(asked, name(one), [name(two)]).differences
    [back] = compare(asked, name(two), [name(one)]).differences
    assert {r.code: r.points for r in there.reasons} == pytest.approx({r.code: -r.points for r in back.reasons})
    assert {r.code: r.printed for r in there.reasons} == {r.code: -r.printed for r in back.reasons}


def test_another_network_is_another_scale(asked: Asked, scored: Scored) -> None:
    commons, square = scored.person[:2]
    [told] = compare(asked, name(commons), [name(square)]).differences
    assert told.note == OTHER_SCALE
    assert told.starting_point is not None
    assert told.starting_point.points != 0


def test_reasons_that_only_one_model_knows_count_whole(
    asked: Asked, scored: Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = (asked.record(name(account)) for account in scored.accounts[:2])
    points = dict(other.detail["points"])
    left_out = max(points, key=lambda code: abs(points[code]))
    assert other.score is not None
    less = replace(
        other,
        model_version="less",
        score=other.score - points.pop(left_out),
        low=1.0,
        high=99.0,
        detail={**other.detail, "points": points},
    )
    words = asked.store.words(other.model_version)
    fewer = replace(words, contract=words.contract.without([left_out]))
    monkeypatch.setattr(asked.store, "words", {mine.model_version: words, "less": fewer}.__getitem__)
    monkeypatch.setattr(Asked, "record", lambda _, one: mine if one.name == "mine" else less)
    [told] = compare(asked, Name("commons", "mine", ""), [Name("commons", "other", "")]).differences
    assert {reason.code: reason.points for reason in told.reasons}[left_out] == mine.detail["points"][left_out]
    assert told.note == OTHER_MODEL
    assert told.left_over == pytest.approx(0, abs=1e-9)


def test_without_a_score_there_is_no_difference(asked: Asked, scored: Scored) -> None:
    for mine, other in ((scored.accounts[0], TWINS[0]), (TWINS[0], scored.accounts[0])):
        [told] = compare(asked, name(mine), [name(other)]).differences
        assert (told.total, told.starting_point, told.groups, told.reasons) == (None, None, {}, [])
        assert TWINS[0] in (told.note or "")
        assert scored.accounts[0] not in (told.note or "")
    [neither] = compare(asked, name(TWINS[0]), [name(TWINS[1])]).differences
    assert all(twin in (neither.note or "") for twin in TWINS)


def test_who_is_not_known_is_named_where_it_stood(asked: Asked, scored: Scored) -> None:
    with pytest.raises(ProblemError) as error:
        compare(asked, name(scored.accounts[0]), [name("commons/nobody")])
    assert [fault.pointer for fault in error.value.errors] == ["/query/with"]


def test_a_distribution_is_of_the_newest_run(asked: Asked, scored: Scored) -> None:
    told = distribution(asked, "commons")
    scores = np.array([asked.record(name(a)).score for a in scored.accounts if a.startswith("commons/")])
    assert (told.network, told.as_of, told.model_version) == ("commons", LAST, scored.champion)
    assert told.accounts == len(scores)
    assert told.mean == pytest.approx(scores.mean())
    assert told.percentiles == pytest.approx(np.percentile(scores, range(1, 100)))
    for part in told.bands:
        assert part.share == pytest.approx(np.mean([band(score) == part.words for score in scores]))
        assert band(part.floor) == part.words
    assert told.ten_points == pytest.approx(asked.loaded.model.scale.ten_points("commons"))
    assert f"{told.ten_points:.2f} times" in (told.ten_points_mean or "")


def test_bands_are_of_printed_scores(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.array([27.6, 38.4, 38.6, 40.5, 40.6, 62.7])
    monkeypatch.setattr(asked.store, "scores", lambda *_: scores)
    told = {part.words: part.share for part in distribution(asked, "commons").bands}
    assert told == pytest.approx({words: np.mean([band(score) == words for score in scores]) for words in told})
    assert told["average"] == pytest.approx(2 / 6)


def test_a_run_that_is_not_finished_is_not_told(scored: Scored, tmp_path_factory: pytest.TempPathFactory) -> None:
    copied = scored.copy(tmp_path_factory.mktemp("copied") / "home")
    store = AccountStore(lambda: copied.url)
    asked, later = Asked(store, copied.active.current()), LAST.replace(day=15)
    store.open().begin(Run(later, scored.champion, "1", "lake", later))
    row = replace(asked.record(name(scored.accounts[0])), as_of=later)
    [begun] = [store.open().run_of(later, scored.champion)]
    assert begun is not None
    store.open().write(begun, [row])
    assert distribution(asked, "commons").as_of == LAST
    assert Asked(store, asked.loaded).record(name(scored.accounts[0])).as_of == later
    store.open().close()


def test_ten_points_of_another_scale_are_not_known(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked.loaded.model, "scale", replace(asked.loaded.model.scale, version="2"))
    told = distribution(asked, "commons")
    assert (told.scale_version, told.ten_points, told.ten_points_mean) == ("1", None, None)


def test_networks_without_scores(asked: Asked, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("empty")
    empty = Asked(AccountStore(lambda: f"sqlite:///{place / 'scores.db'}"), asked.loaded)
    for told, network, code in (
        (empty, "commons", "not_scored_yet"),
        (asked, "myspace", "unknown_network"),
        (asked, "com\0mons", "unknown_network"),
    ):
        with pytest.raises(ProblemError) as error:
            distribution(told, network)
        assert error.value.kind.code == code
        assert [fault.pointer for fault in error.value.errors] == ["/query/network"]
    empty.store.open().close()
