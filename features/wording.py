"""What the words of a post have drawn, against the account's own level: one number whose words can be named.

A ridge regression on the pieces of words predicts log1p(outcome) minus the account's level. Pieces are the three to five
neighbouring letters of a word, its ends counting as letters, and the whole word: so a word never seen before still
counts by its pieces. Words stand between spaces; each Chinese, Japanese or Korean character is one, and each two of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from math import sqrt
from operator import add
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import LinearOperator, cg

EAST = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
WORD = re.compile(rf"[{EAST}]|[^\s{EAST}]+")
PAIR = re.compile(rf"(?=([{EAST}]{{2}}))")
URL = r"https?://\S+"
ASCII_URL = re.compile(URL, re.ASCII)
LETTERS = (3, 4, 5)
DIGITS = 6
CLOSE_ENOUGH, MOST_STEPS = 1e-3, 200
KEPT_WORDS = 20_000
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Texts counted once: `counts` of words (texts, words) and of the pieces of each word, `spelled` (words, pieces).

    `words` and `pieces` name the columns, in the order of the alphabet.
    """

    words: tuple[str, ...]
    pieces: tuple[str, ...]
    counts: csr_matrix
    spelled: csr_matrix

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Corpus:
        """The words of `texts`; links and upper case do not count."""
        words, counts = _counted(map(_words, _clean(texts)))
        pieces, spelled = _counted(map(_pieces, words))
        return cls(words, pieces, counts, spelled)

    def rows(self, rows: Rows) -> Corpus:
        """The texts in `rows`, with the words that are in them and the pieces of those."""
        counts, words = _used(self.counts[rows])
        spelled, pieces = _used(self.spelled[words])
        return Corpus(_named(self.words, words), _named(self.pieces, pieces), counts, spelled)


@dataclass(frozen=True)
class Said:
    """One text: `moved` are its words, each with what it lifts before the division by the text's `length`."""

    moved: tuple[tuple[str, float], ...]
    length: float

    @property
    def lift(self) -> float:
        """The lift of the text in steps of log1p(outcome)."""
        return _total(lift for _, lift in self.moved) / self.length

    def words(self, limit: int = 5) -> list[tuple[str, float]]:
        """The words that move the lift most, strongest first, each with its part of the lift."""
        known = [(word, lift / self.length) for word, lift in self.moved if lift]
        return sorted(known, key=lambda part: (-abs(part[1]), part[0]))[:limit]


@dataclass(frozen=True, eq=False)
class Wording:
    """A fitted wording model: `pieces`, how rare they are (`idf`) and what they lift (`weight`), all (k,).

    A word lifts by the sum of idf × weight over its pieces, and is as long as the root of the sum of idf². A text lifts by
    the sum over its words, divided by the root of the sum of its words' squared lengths.
    """

    pieces: tuple[str, ...]
    idf: Floats
    weight: Floats

    def values(self, texts: Sequence[str | None]) -> Floats:
        """The lift of each text in steps of log1p(outcome); 0 for a text without a known piece."""
        return self.lifts(Corpus.of(texts))

    def lifts(self, corpus: Corpus) -> Floats:
        """The lift of each text of `corpus`, as `values` gives it."""
        lift, square = self._of_words(corpus)
        return np.asarray(corpus.counts @ lift) / _length(corpus.counts, square)

    def said(self, text: str | None) -> Said:
        """What one text says, word by word; its lift has the bits that `values` gives."""
        [clean] = _clean([text])
        counts = Counter(_words(clean))
        told = [(word, counts[word], *self._of_word(word)) for word in sorted(counts)]
        square = _total(count * count * square for _, count, _, square in told)
        return Said(tuple((word, count * lift) for word, count, lift, _ in told), sqrt(square) if square > 0 else 1.0)

    def write(self, path: Path) -> None:
        """Writes the model as JSON."""
        path.write_text(self.to_json(), encoding="utf-8")

    def to_json(self) -> str:
        """The model as JSON; the same model gives the same text."""
        content = {"pieces": self.pieces, "idf": self.idf.tolist(), "weight": self.weight.tolist()}
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def read(cls, path: Path) -> Wording:
        """The model `write` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(content["pieces"]), np.array(content["idf"]), np.array(content["weight"]))

    @cached_property
    def _known(self) -> dict[str, tuple[float, float]]:
        lift, square = (self.idf * self.weight).tolist(), (self.idf**2).tolist()
        return dict(zip(self.pieces, zip(lift, square, strict=True), strict=True))

    @cached_property
    def _of_word(self) -> Callable[[str], tuple[float, float]]:
        """What a word lifts, and its squared length; those that were asked for last are kept."""
        return lru_cache(KEPT_WORDS)(self._spelled)

    def _spelled(self, word: str) -> tuple[float, float]:
        counts = Counter(_pieces(word))
        told = [(counts[piece], *self._known.get(piece, (0.0, 0.0))) for piece in sorted(counts)]
        return _total(n * lift for n, lift, _ in told), _total(n * square for n, _, square in told)

    def _of_words(self, corpus: Corpus) -> tuple[Floats, Floats]:
        """What each word of `corpus` lifts, and its squared length, both (words,)."""
        of_pieces = np.array([self._known.get(piece, (0.0, 0.0)) for piece in corpus.pieces]).reshape(-1, 2)
        return np.asarray(corpus.spelled @ of_pieces[:, 0]), np.asarray(corpus.spelled @ of_pieces[:, 1])


def fit(
    corpus: Corpus,
    lift: Floats,
    weight: Floats | None = None,
    *,
    min_words: int,
    alpha: float,
    max_pieces: int,
) -> Wording:
    """The wording model of texts whose posts drew `lift` more than the account's level, in steps of log1p(outcome).

    A piece must occur `min_words` times, counted once for each post and word; the `max_pieces` most frequent are kept.
    `alpha` is the ridge penalty, `weight` what each post counts (1 when None). Without a frequent piece the model says 0.
    """
    said = np.asarray((corpus.counts > 0).sum(axis=0)).ravel()
    times = np.asarray((corpus.spelled > 0).T @ said).ravel()
    kept = np.sort(np.argsort(-times, kind="stable")[:max_pieces])
    kept = kept[times[kept] >= min_words]
    if not kept.size:
        return Wording((), np.zeros(0), np.zeros(0))
    texts = corpus.counts.shape[0]
    idf = np.log((1.0 + texts) / (1.0 + np.minimum(times[kept], texts))) + 1.0
    spelled = csr_matrix(corpus.spelled[:, kept] @ diags(idf))
    length = _length(corpus.counts, np.asarray(corpus.spelled[:, kept] @ idf**2))
    weight = np.ones(texts) if weight is None else weight
    learned = _ridge(csr_matrix(diags(1.0 / length) @ corpus.counts), spelled, lift, weight, alpha)
    return Wording(_named(corpus.pieces, kept), idf.round(DIGITS), learned.round(DIGITS))


def _ridge(counts: csr_matrix, spelled: csr_matrix, lift: Floats, weight: Floats, alpha: float) -> Floats:
    """The weights (pieces,) of the ridge regression of `lift` on `counts @ spelled`, which is never multiplied out."""
    by_word, by_piece = csr_matrix(counts.T), csr_matrix(spelled.T)
    share = weight / weight.sum()
    middle = by_piece @ (by_word @ share)

    def gathered(texts: Floats) -> Floats:
        weighed = weight * texts
        found: Floats = by_piece @ (by_word @ weighed) - middle * weighed.sum()
        return found

    def normal(pieces: Floats) -> Floats:
        return gathered(counts @ (spelled @ pieces) - middle @ pieces) + alpha * pieces

    operator = LinearOperator((spelled.shape[1],) * 2, matvec=normal, dtype=np.float64)
    learned: Floats = cg(operator, gathered(lift - share @ lift), rtol=CLOSE_ENOUGH, maxiter=MOST_STEPS)[0]
    return learned


def _total(parts: Iterable[float]) -> float:
    """The sum as a sparse product makes it, one by one: Python's own `sum` rounds otherwise since 3.12."""
    return reduce(add, parts, 0.0)


def _words(clean: str) -> list[str]:
    return WORD.findall(clean) + PAIR.findall(clean)


def _pieces(word: str) -> list[str]:
    """The pieces of a word; a space marks its ends.

    >>> _pieces("#vote")
    [' #v', '#vo', 'vot', 'ote', 'te ', ' #vo', '#vot', 'vote', 'ote ', ' #vot', '#vote', 'vote ', ' #vote ']
    """
    closed = f" {word} "
    pieces = [closed[start : start + size] for size in LETTERS for start in range(len(closed) - size + 1)]
    return pieces if len(closed) <= max(LETTERS) else [*pieces, closed]


def _counted(rows: Iterable[list[str]]) -> tuple[tuple[str, ...], csr_matrix]:
    """The distinct names in `rows`, in the order of the alphabet, and how often each is in each row, (rows, names)."""
    told = list(rows)
    if not any(told):
        return (), csr_matrix((len(told), 0))
    from sklearn.feature_extraction.text import CountVectorizer  # noqa: PLC0415 - a second that no request needs

    vectorizer = CountVectorizer(analyzer=_itself, dtype=np.float64)
    counts = csr_matrix(vectorizer.fit_transform(told))
    counts.sort_indices()
    return tuple(vectorizer.get_feature_names_out().tolist()), counts


def _itself(row: list[str]) -> list[str]:
    return row


def _used(matrix: csr_matrix) -> tuple[csr_matrix, Rows]:
    """`matrix` without its empty columns, and which columns are left."""
    columns = np.unique(matrix.indices)
    return csr_matrix(matrix[:, columns]), columns


def _named(names: Sequence[str], places: Rows) -> tuple[str, ...]:
    return tuple(names[place] for place in places)


def _length(counts: csr_matrix, square: Floats) -> Floats:
    """The length of each text: the root of the sum of its words' squared lengths, 1 for a text without a known word."""
    squares = np.asarray(counts.power(2) @ square)
    return np.sqrt(np.where(squares > 0, squares, 1.0))


def _clean(texts: Sequence[str | None]) -> list[str]:
    if len(texts) == 1 and (texts[0] or "").isascii():  # one plain text, as requests bring, needs no series
        return [ASCII_URL.sub(" ", texts[0] or "").lower()]
    return pl.Series(texts, dtype=pl.String).fill_null("").str.replace_all(URL, " ").str.to_lowercase().to_list()
