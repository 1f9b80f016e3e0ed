"""The numbers of accounts, both ways."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clout.serving.active_model import Loaded
from clout.serving.klout.ids import LARGEST, CurrentIds, KloutIds, number

NAMES = st.frozensets(st.text(min_size=1, max_size=8).map(lambda own: f"twitter/{own}"), max_size=20)


@given(NAMES)
def test_numbers_lead_back_to_their_accounts(accounts: frozenset[str]) -> None:
    ids = KloutIds.of(accounts)
    numbers = {account: ids.number(account) for account in accounts}
    assert all(0 <= number <= LARGEST for number in numbers.values())
    assert {account: ids.account(str(number)) for account, number in numbers.items()} == {one: one for one in accounts}


def test_a_number_is_the_first_63_bits_of_the_sum_of_the_name() -> None:
    first = int(sha256(b"twitter/1").hexdigest()[:16], 16)
    assert number("twitter/1") == first >> 1


@pytest.mark.parametrize("text", ["", "-1", "10.0", "0xa", " 10", "١٠", "²", "1_0", str(LARGEST + 1), "9" * 5000, "ab"])
def test_what_is_no_number_of_an_account_is_nobody(text: str) -> None:
    ids = KloutIds.of(["twitter/1"], [("twitter/1", "ks/10")])
    assert ids.account(text) is None


def test_nobody_is_found_before_between_and_behind() -> None:
    accounts = ["twitter/1", "twitter/2"]
    ids = KloutIds.of(accounts)
    low, high = sorted(map(number, accounts))
    for missing in (0, low - 1, low + 1, high + 1, LARGEST):
        assert ids.account(str(missing)) is None


def test_the_number_that_klout_gave_is_kept() -> None:
    accounts = ["bluesky/a", "twitter/1", "facebook/2"]
    ids = KloutIds.of(accounts, [("bluesky/a", "facebook/2", "ks/12", "twitter/1")])
    assert [ids.number(account) for account in accounts] == [number("bluesky/a"), 12, number("facebook/2")]
    assert ids.account("12") == "twitter/1"
    assert ids.account(str(number("twitter/1"))) == "twitter/1"


@pytest.mark.parametrize("declared", ["ks/x", "ks/", "ks/-1", "ks/٣", f"ks/{LARGEST + 1}", "twitter/12"])
def test_what_klout_cannot_have_given_is_not_kept(declared: str) -> None:
    ids = KloutIds.of(["twitter/1"], [("twitter/1", declared)])
    assert ids.number("twitter/1") == number("twitter/1")


def test_a_number_of_a_person_without_known_accounts_is_nobodys() -> None:
    assert KloutIds.of([], [("twitter/1", "ks/12")]).account("12") is None


def test_numbers_are_made_again_when_other_accounts_are_loaded(loaded: Loaded) -> None:
    current, account = CurrentIds(), min(loaded.accounts)
    before = current.of(loaded)
    assert before.account(str(number(account))) == account
    assert current.of(loaded.under(loaded.model)) is before
    assert current.of(loaded.without(account)).account(str(number(account))) is None
