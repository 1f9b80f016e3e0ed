"""What is said about an account, against what the store holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from scored_home import DAY_BEFORE, ENGAGER, LAST, LATE, SLASHED, TWINS, WEEK_BEFORE, Scored

from clout.features import unusual
from clout.models.scale import band
from clout.serving.accounts import told as accounts
from clout.serving.accounts.findings import findings
from clout.serving.accounts.kept import AccountStore
from clout.serving.accounts.queries import Name, Range
from clout.serving.accounts.told import Asked, explanation, history, posts, score
from clout.serving.problems import ProblemError
from clout.serving.store.rows import Record

ALWAYS = Range(WEEK_BEFORE - timedelta(days=30), LAST + timedelta(days=1))


@pytest.fixture(scope="module")
def store(scored: Scored) -> Iterator[AccountStore]:
    kept = AccountStore(lambda: scored.url)
    yield kept
    kept.open().close()


@pytest.fixture(scope="module")
def asked(scored: Scored, store: AccountStore) -> Asked:
    return Asked(store, scored.active.current())


@pytest.fixture(scope="module")
def records(scored: Scored) -> dict[str, dict[str, Any]]:
    return {account: dict(record) for account, record in scored.records.items()}


def name(account: str) -> Name:
    """An account as an address names it."""
    network, _, own = account.partition("/")
    return Name(network, own, "/path/handle")


def at(asked: Asked, account: str, moment: datetime) -> Record:
    """The record of an account that was shown at a moment."""
    [record] = asked.store.open().history(account, moment, moment)
    return record


def bridge(asked: Asked, account: str) -> float:
    """The score that the model before gave at the last moment."""
    [step] = [step for step in asked.store.open().steps(account, LAST, LAST) if step.bridge]
    assert step.score is not None
    return step.score


def test_a_score_is_the_newest_of_the_store(asked: Asked, scored: Scored) -> None:
    account = scored.accounts[0]
    told, record = score(asked, name(account)), at(asked, account, LAST)
    assert (told.account, told.handle, told.network) == (account, record.handle, record.network)
    assert (told.status, told.missing, told.score) == ("scored", None, record.score)
    assert record.score is not None
    assert (told.printed, told.band) == (round(record.score), band(record.score))
    assert told.interval is not None
    assert (told.interval.low, told.interval.high, told.interval.level) == (record.low, record.high, 0.9)
    assert (told.as_of, told.model_version, told.scale_version) == (LAST, scored.champion, "1")
    assert told.expected is not None
    assert told.expected.model_dump() == record.detail["expected"]
    evidence = told.evidence.model_dump() | {"lacks": None}
    assert evidence == record.detail["evidence"]
    assert told.data_through == LAST


def test_places_are_counted_among_the_scores_of_the_run(asked: Asked, records: dict[str, dict[str, Any]]) -> None:
    shown = {account: row for account, row in records.items() if row["score"] is not None}
    for account, row in list(shown.items())[::9]:
        network = [other for other in shown.values() if other["network"] == row["network"]]
        group = [other for other in network if other["size_group"] == row["size_group"]]
        told = score(asked, name(account))
        for told_place, among in ((told.percentile, network), (told.size_percentile, group)):
            below = sum(other["score"] < row["score"] for other in among)
            assert told_place == pytest.approx(100 * below / len(among))


def test_findings_are_passed_on(asked: Asked, scored: Scored, monkeypatch: pytest.MonkeyPatch) -> None:
    feature = unusual.FEATURES[0]
    [finding] = findings({feature.name: 0.9}, {feature.name: [0.0, 0.0, 0.0, 0.0, 0.1]})
    found = at(asked, scored.accounts[0], LAST)
    odd = replace(found, detail={**found.detail, "findings": [finding]})
    monkeypatch.setattr(Asked, "record", lambda *_: odd)
    [told] = score(asked, name(found.account)).findings
    assert told.model_dump() == finding
    assert told.sentence.startswith("This score rests on unusual engagement")


def test_without_enough_evidence_it_is_said_what_is_missing(asked: Asked, records: dict[str, dict[str, Any]]) -> None:
    account = next(a for a, row in records.items() if row["score"] is None and row["detail"]["evidence"]["ripe_posts"])
    told = score(asked, name(account))
    assert told.status == "not_enough_evidence"
    assert told.missing == records[account]["detail"]["evidence"]["lacks"]
    assert "known result (" in (told.missing or "")
    nothing = ("score", "printed", "interval", "band", "percentile", "size_group", "size_percentile", "expected")
    assert [getattr(told, field) for field in nothing] == [None] * len(nothing)
    day = told.changes["day"]
    assert day.total is None
    assert "not enough evidence" in (day.missing or "")
    reasons = explanation(asked, name(account))
    assert (reasons.reasons, reasons.groups, reasons.sides, reasons.adds_up, reasons.posts) == ([], {}, None, None, [])


def test_changes_tell_your_part_from_ours(asked: Asked, scored: Scored) -> None:
    account = scored.accounts[0]
    told = score(asked, name(account)).changes
    last = at(asked, account, LAST).score
    assert last is not None
    for span, since in (("day", DAY_BEFORE), ("week", WEEK_BEFORE)):
        change, start = told[span], at(asked, account, since).score
        assert start is not None
        assert (change.since, change.missing) == (since, None)
        assert change.total == pytest.approx(last - start, abs=1e-9)
        assert change.ours == pytest.approx(last - bridge(asked, account), abs=1e-9)
        assert change.yours == pytest.approx(bridge(asked, account) - start, abs=1e-9)
    assert told["month"].model_dump(exclude={"missing"}) == dict.fromkeys(("since", "total", "yours", "ours"))
    assert told["month"].missing == "There is no score from a month before."


def test_history_is_what_was_shown(asked: Asked, scored: Scored) -> None:
    account = scored.accounts[0]
    told = history(asked, name(account), ALWAYS)
    assert [row.as_of for row in told.scores] == [WEEK_BEFORE, DAY_BEFORE, LAST]
    assert [row.score for row in told.scores] == [at(asked, account, row.as_of).score for row in told.scores]
    assert [row.model_version for row in told.scores] == [scored.before, scored.before, scored.champion]
    assert [row.ours for row in told.scores[:2]] == [None, None]
    last = at(asked, account, LAST).score
    assert last is not None
    assert told.scores[2].ours == pytest.approx(last - bridge(asked, account), abs=1e-9)
    assert told.left_out == 0


def test_a_history_that_begins_with_another_model_tells_our_part_too(asked: Asked, scored: Scored) -> None:
    whole = history(asked, name(scored.accounts[0]), ALWAYS)
    [row] = history(asked, name(scored.accounts[0]), Range(LAST, LAST)).scores
    assert row == whole.scores[-1]
    nothing = history(asked, name(scored.accounts[0]), Range(LAST + timedelta(days=1), LAST + timedelta(days=2)))
    assert nothing.scores == []


def test_a_long_history_is_the_newest_of_it(asked: Asked, scored: Scored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MOST_ROWS", 2)
    told = history(asked, name(scored.accounts[0]), ALWAYS)
    assert ([row.as_of for row in told.scores], told.left_out) == ([DAY_BEFORE, LAST], 1)


def test_reasons_are_in_the_words_of_the_model_that_judged(asked: Asked, scored: Scored) -> None:
    account = scored.accounts[0]
    first = asked.loaded.model.contract.features[0]
    labels = {}
    for moment in (DAY_BEFORE, LAST):
        told = accounts.recalled(asked.store, at(asked, account, moment))
        assert told is not None
        labels[moment] = next(reason.label for reason in told.reasons(0) if reason.code == first.name)
    assert labels == {DAY_BEFORE: "what it was called before", LAST: first.label}


def test_reasons_come_from_the_store_not_from_a_model(
    asked: Asked, scored: Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = scored.accounts[0]
    told = explanation(asked, name(account))
    monkeypatch.delattr(type(asked.loaded.model), "explain_rows")
    monkeypatch.delattr(type(asked.loaded.model), "contributions")
    assert explanation(asked, name(account)) == told
    record = at(asked, account, LAST)
    assert {reason.code: reason.points for reason in told.reasons} == record.detail["points"]
    assert {reason.code: reason.value for reason in told.reasons} == record.detail["values"]
    moved = [abs(reason.points) for reason in told.reasons]
    assert moved == sorted(moved, reverse=True)


def test_posts_that_carried_most(asked: Asked, scored: Scored) -> None:
    account = scored.accounts[0]
    told = posts(asked, name(account)).posts
    assert [post.post for post in told] == [post["post"] for post in at(asked, account, LAST).detail["carried"]]
    assert told == explanation(asked, name(account)).posts
    sizes = [abs(post.points) for post in told]
    assert sizes == sorted(sizes, reverse=True)
    assert told[0].happened_at < LAST


def test_a_person_of_two_networks(asked: Asked, scored: Scored) -> None:
    tellings = [score(asked, name(account)).person for account in scored.person]
    first = tellings[0]
    assert first is not None
    assert tellings == [first] * 3
    parts = {part.account: part for part in first.accounts}
    assert set(parts) == set(scored.person)
    assert (parts[TWINS[0]].status, parts[TWINS[0]].score, parts[TWINS[0]].points) == ("unknown", None, None)
    known = [part for part in first.accounts if part.status == "scored"]
    assert [part.score for part in known] == [at(asked, part.account, LAST).score for part in known]
    assert first.score == pytest.approx(sum(part.points or 0 for part in known), abs=1e-9)
    assert first.score is not None
    assert first.score >= max(part.score or 0 for part in known)
    assert first.printed == round(first.score)
    assert first.low is not None
    assert first.high is not None
    assert first.low <= first.score <= first.high


def test_who_declared_nothing_is_no_person(asked: Asked, scored: Scored) -> None:
    other = next(account for account in scored.accounts if account not in scored.person)
    assert score(asked, name(other)).person is None
    alone = Asked(asked.store, replace(asked.loaded, persons={other: (other,)}))
    assert score(alone, name(other)).person is None


def test_parts_on_another_scale_are_unknown(asked: Asked, scored: Scored, monkeypatch: pytest.MonkeyPatch) -> None:
    scale = asked.loaded.model.scale
    monkeypatch.setattr(asked.loaded.model, "scale", replace(scale, version="2"))
    person = score(asked, name(scored.person[0])).person
    assert person is not None
    assert (person.score, [part.status for part in person.accounts]) == (None, ["unknown"] * 3)
    assert "on the scale that is loaded" in (person.missing or "")


def test_an_account_is_named_by_its_id_or_its_handle(asked: Asked, scored: Scored) -> None:
    account = scored.accounts[0]
    handle = asked.record(name(account)).handle
    assert handle
    network = account.split("/")[0]
    for told in (account, f"{network}/{handle}", f"{network}/@{handle}", f"{network}/{handle.upper()}"):
        assert asked.key(name(told)) == account
    assert asked.key(name(SLASHED)) == SLASHED


def refused(asked: Asked, account: str) -> tuple[str, str]:
    """The code and the detail of the problem that an account meets."""
    with pytest.raises(ProblemError) as error:
        score(asked, name(account))
    assert [fault.pointer for fault in error.value.errors] == ["/path/handle"]
    return error.value.kind.code, error.value.detail


def test_a_handle_of_two_accounts_lists_them(asked: Asked) -> None:
    for handle in ("twin", "@TWIN"):
        code, detail = refused(asked, f"commons/{handle}")
        assert code == "ambiguous_account"
        assert all(twin in detail for twin in TWINS)
    assert score(asked, name(TWINS[0])).account == TWINS[0]


def test_who_is_known_but_not_scored_and_who_is_not_known(asked: Asked, scored: Scored) -> None:
    assert refused(asked, LATE) == (
        "not_scored_yet",
        "commons/late has not been scored yet; expected a score: run `clout score --all`",
    )
    assert refused(asked, "commons/@LATE")[0] == "not_scored_yet"
    own_id = scored.accounts[0].split("/")[1]
    for nobody in (ENGAGER, "commons/nobody", "myspace/tom", "commons/", f"commons/@{own_id}", "commons/a\0b", "\0/1"):
        assert refused(asked, nobody)[0] == "unknown_account"
    long = refused(asked, f"commons/{'x' * 501}")
    assert long[0] == "unknown_account"
    assert len(long[1]) < 300


def test_an_id_wins_over_a_handle(asked: Asked, scored: Scored) -> None:
    one, two = scored.accounts[:2]
    own_id = one.split("/")[1]
    both = Asked(asked.store, replace(asked.loaded, handles={("commons", own_id): (two,)}))
    assert both.key(name(one)) == one
    assert both.key(name(f"commons/@{own_id}")) == two


def test_who_is_in_the_store_but_no_longer_in_the_lake_is_found(asked: Asked, scored: Scored) -> None:
    account = scored.accounts[0]
    handle = asked.record(name(account)).handle
    bare = Asked(asked.store, replace(asked.loaded, accounts=frozenset(), handles={}))
    assert bare.key(name(account)) == account
    assert bare.key(name(f"commons/@{handle}")) == account


def test_data_through_is_no_later_than_the_data(asked: Asked, scored: Scored) -> None:
    early = {network: LAST - timedelta(days=3) for network in asked.loaded.past.through}
    past = replace(asked.loaded.past, through=early)
    told = score(Asked(asked.store, replace(asked.loaded, past=past)), name(scored.accounts[0]))
    assert told.data_through == LAST - timedelta(days=3)
