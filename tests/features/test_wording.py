"""What the words of a post have drawn: learned, told by word, written and read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from clout.features.wording import Corpus, Wording, fit

TOPICS = ("free pizza tonight", "tax form due", "weather report today", "free tax advice")
LIFTS = (1.0, -1.0, 0.0, 0.2)


def learned(texts: list[str | None], lifts: list[float], min_words: int = 2, max_pieces: int = 1000) -> Wording:
    return fit(Corpus.of(texts), np.array(lifts), min_words=min_words, alpha=0.5, max_pieces=max_pieces)


@pytest.fixture(scope="module")
def wording() -> Wording:
    return learned([*TOPICS] * 5, [*LIFTS] * 5)


def test_words_that_drew_more_lift(wording: Wording) -> None:
    pizza, tax, nothing = wording.values(["pizza tonight", "tax form", "unknown"])
    assert pizza > 0.3
    assert tax < -0.3
    assert nothing == 0


def test_a_word_never_seen_counts_by_its_pieces(wording: Wording) -> None:
    pizzas, taxes = wording.values(["pizzas", "taxes"])
    assert pizzas > 0 > taxes
    assert {" piz", "zza ", " pizza "} <= set(wording.pieces)
    assert "zzas " not in wording.pieces


@pytest.mark.parametrize("text", ["free pizza tonight and tax", "FREE tax advice free", "weather report today"])
def test_the_parts_add_up_to_the_lift(wording: Wording, text: str) -> None:
    parts = wording.said(text).words(100)
    assert sum(part for _, part in parts) == pytest.approx(wording.values([text])[0], abs=1e-12)
    assert [abs(part) for _, part in parts] == sorted((abs(part) for _, part in parts), reverse=True)


def test_the_strongest_words_come_first_and_few(wording: Wording) -> None:
    assert len(wording.said("free pizza tonight tax form due").words(3)) == 3
    assert wording.said("free pizza tonight").words(100)[:3] == wording.said("free pizza tonight").words(3)


@pytest.mark.parametrize("text", ["", "   ", "🎉🎉", "!?", "unknown is bliss", "https://pizza.tonight/free"])
def test_texts_without_a_known_word(wording: Wording, text: str) -> None:
    assert wording.values([text]).tolist() == [0.0]
    assert wording.said(text).words() == []


def test_an_unknown_text_lifts_nothing(wording: Wording) -> None:
    assert wording.values([None]).tolist() == [0.0]
    assert wording.values([]).shape == (0,)


def test_upper_case_and_links_do_not_matter(wording: Wording) -> None:
    plain, loud = wording.values(["free pizza", "FREE https://example.org/tax Pizza"])
    assert plain == loud


def test_one_text_alone_has_the_bits_of_the_batch(wording: Wording) -> None:
    rng = np.random.default_rng(0)
    words = " ".join(TOPICS).split()
    texts = [" ".join(rng.choice(words, rng.integers(0, 30))) for _ in range(300)]
    alone = np.array([wording.said(text).lift for text in texts])
    assert (alone.view(np.int64) == wording.values(texts).view(np.int64)).all()


@given(st.text(st.sampled_from("aB:/hTtps \t\n\x0b\x1c\x85éŒΣ"), max_size=40))
def test_one_text_is_cleaned_as_many_are(text: str) -> None:
    assert Corpus.of([text]).words == Corpus.of([text, None]).words
    assert Corpus.of([f"http{text}"]).words == Corpus.of([f"http{text}", None]).words


def test_characters_of_east_asia_are_words() -> None:
    texts = ["今天吃饭", "今天下雨", "今日は雨です", "밥 먹자"] * 4
    wording = learned([*texts], [1.0, -1.0, -1.0, 1.0] * 4)
    assert {" 今 ", " 吃 ", " 吃饭 "} <= set(wording.pieces)
    eat, rain = wording.values(["我们吃饭吧", "又下雨了"])
    assert eat > 0 > rain
    assert wording.said("吃饭").words()[0][1] > 0


@pytest.mark.parametrize(
    ("texts", "min_words"),
    [([], 1), ([None, ""], 1), (["one two", "three four"], 2), (["🎉", "!"], 2), (["a b"], 9)],
    ids=["no texts", "empty", "nothing twice", "no words", "too few"],
)
def test_without_a_frequent_word_there_is_no_lift(texts: list[str | None], min_words: int, tmp_path: Path) -> None:
    wording = learned(texts, [1.0] * len(texts), min_words=min_words)
    assert wording.pieces == ()
    assert wording.values(["one two", None]).tolist() == [0.0, 0.0]
    assert wording.said("one two").words() == []
    wording.write(tmp_path / "wording.json")
    assert Wording.read(tmp_path / "wording.json").values(["one"]).tolist() == [0.0]


def test_only_the_most_frequent_are_kept() -> None:
    texts = ["often"] * 6 + ["often seldom"] * 3
    assert set(learned([*texts], [1.0] * 9, max_pieces=3).pieces) <= set(Corpus.of(["often"]).pieces)


def test_a_piece_counts_once_for_each_post_and_word() -> None:
    texts = ["ab ab ab ab", "xabx xabx", "nothing"]
    assert " ab " not in learned([*texts], [1.0, 1.0, 0.0], min_words=2).pieces
    assert " ab " in learned([*texts, "ab"], [1.0, 1.0, 0.0, 1.0], min_words=2).pieces


def test_posts_without_weight_are_as_if_they_were_not_there() -> None:
    """To the last bit: words counted once for all posts say nothing of posts that are not learned from."""
    rows = np.array([1, 3, 4, 5, 7, 9, 10, 11])
    texts = [*TOPICS] * 3
    lifts, weight = np.array([*LIFTS] * 3), np.zeros(12)
    weight[rows] = np.linspace(0.1, 0.9, len(rows))
    corpus = Corpus.of([*texts, "quite another"]).slice(0, 12)
    some = fit(corpus, lifts, weight, min_words=2, alpha=0.5, max_pieces=99)
    alone = fit(
        Corpus.of([texts[row] for row in rows]), lifts[rows], weight[rows], min_words=2, alpha=0.5, max_pieces=99
    )
    assert some.to_json() == alone.to_json()
    assert some.lifts(corpus.slice(3, 8)).tolist() == some.values(texts[3:8]).tolist()


def test_weights_are_those_of_a_ridge_regression() -> None:
    rng = np.random.default_rng(3)
    corpus = Corpus.of([" ".join(rng.choice(["good", "bad", "news", "bread", "and"], 6)) for _ in range(80)])
    lift, weight = rng.normal(size=80), rng.uniform(0.5, 2.0, 80)
    wording = fit(corpus, lift, weight, min_words=2, alpha=2.0, max_pieces=99)
    spelled = corpus.spelled.toarray() * wording.idf
    rows = corpus.counts.toarray() @ spelled
    rows /= np.sqrt(corpus.counts.toarray() ** 2 @ (corpus.spelled.toarray() @ wording.idf**2))[:, None]
    ridge = Ridge(alpha=2.0).fit(rows, lift, sample_weight=weight)
    assert wording.weight == pytest.approx(ridge.coef_, abs=2e-3)


def test_what_is_written_reads_the_same(wording: Wording, tmp_path: Path) -> None:
    wording.write(tmp_path / "one.json")
    again = Wording.read(tmp_path / "one.json")
    again.write(tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    texts = ["free pizza", "tax form due", ""]
    assert again.values(texts).tolist() == wording.values(texts).tolist()
    assert again.said("free pizza").words() == wording.said("free pizza").words()


def test_the_same_posts_teach_the_same(wording: Wording) -> None:
    again = learned([*TOPICS] * 5, [*LIFTS] * 5)
    assert again.pieces == wording.pieces
    assert again.weight.tolist() == wording.weight.tolist()


def test_a_very_long_text(wording: Wording) -> None:
    assert np.isfinite(wording.values(["free pizza " * 9000 + "x" * 1000])).all()
