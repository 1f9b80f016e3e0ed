"""What the words of a post have drawn, against the account's own level: one number whose words can be named.

A ridge regression on the pieces of words predicts log1p(outcome) minus the account's level. Pieces are the three to five
neighbouring letters of a word, its ends counting as letters, and the whole word: so a word never seen before still
counts by its pieces. Words stand between spaces; each Chinese, Japanese or Korean character is one, and each two of them.
"""

from __future__ import annotations

import json
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, reduce
from itertools import islice
from math import sqrt
from operator import add
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_matrix
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
SLICE = 200_000
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
    def of(cls, texts: Iterable[str | None]) -> Corpus:
        """The words of `texts`; links and upper case do not count."""
        words, counts = _counted(_words(clean) for some in _batches(texts) for clean in _clean(some))
        pieces, spelled = _counted(map(_pieces, words))
        return cls(words, pieces, counts, spelled)

    def slice(self, first: int, after: int) -> Corpus:
        """The texts from `first` on, those from `after` on left out; nothing is copied."""
        return replace(self, counts=_rows(self.counts, first, after))


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

    def values(self, texts: Iterable[str | None]) -> Floats:
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
    `alpha` is the ridge penalty, `weight` what each post counts (1 when None); one of weight 0 is as if it was not
    there. Without a frequent piece the model says 0.
    """
    weight = np.ones(corpus.counts.shape[0]) if weight is None else weight
    taught = np.flatnonzero(weight)
    said = _sums(corpus.counts, (weight > 0).astype(np.float64))
    times = _sums(corpus.spelled, said)
    kept = np.sort(np.argsort(-times, kind="stable")[:max_pieces])
    kept = kept[times[kept] >= min_words]
    if not kept.size:
        return Wording((), np.zeros(0), np.zeros(0))
    idf = np.zeros(len(corpus.pieces))
    idf[kept] = np.log((1.0 + len(taught)) / (1.0 + np.minimum(times[kept], len(taught)))) + 1.0
    length = _length(corpus.counts, np.asarray(corpus.spelled @ idf**2))
    learned = _Ridge(corpus, kept, idf, length, weight, taught).solve(lift, alpha)
    return Wording(_named(corpus.pieces, kept), idf[kept].round(DIGITS), learned.round(DIGITS))


@dataclass(frozen=True)
class _Ridge:
    """The ridge regression on the kept pieces of the texts; what is multiplied out is never more than a vector.

    `idf` is 0 for pieces that are not kept; `weight` and `length` are of each text, and `taught` are those with a weight.
    """

    corpus: Corpus
    kept: Rows
    idf: Floats
    length: Floats
    weight: Floats
    taught: Rows

    def solve(self, lift: Floats, alpha: float) -> Floats:
        """The weights (kept,) that tell `lift` of the texts best."""
        share = self.weight / self.weight[self.taught].sum()
        middle = self._of_pieces(share)
        mean = (share * lift)[self.taught].sum()

        def gathered(texts: Floats) -> Floats:
            weighed = self.weight * texts
            found: Floats = self._of_pieces(weighed) - middle * weighed[self.taught].sum()
            return found

        def normal(pieces: Floats) -> Floats:
            return gathered(self._of_texts(pieces) - middle @ pieces) + alpha * pieces

        operator = LinearOperator((len(self.kept),) * 2, matvec=normal, dtype=np.float64)
        learned: Floats = cg(operator, gathered(lift - mean), rtol=CLOSE_ENOUGH, maxiter=MOST_STEPS)[0]
        return learned

    def _of_texts(self, pieces: Floats) -> Floats:
        """What the texts come to by these weights of pieces."""
        weights = np.zeros(len(self.idf))
        weights[self.kept] = self.idf[self.kept] * pieces
        return np.asarray(self.corpus.counts @ (self.corpus.spelled @ weights)) / self.length

    def _of_pieces(self, texts: Floats) -> Floats:
        """The sum of these numbers over the texts of each piece."""
        found = self.corpus.spelled.T @ (self.corpus.counts.T @ (texts / self.length))
        return np.asarray(found[self.kept] * self.idf[self.kept])


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
    places: dict[str, int] = {}
    columns, ends = array("i"), array("q", [0])
    for row in rows:
        columns.extend([places.setdefault(name, len(places)) for name in row])
        ends.append(len(columns))
    names = sorted(places)
    rank = np.empty(len(names), np.int32)
    rank[[places[name] for name in names]] = np.arange(len(names), dtype=np.int32)
    found = rank[np.frombuffer(columns, np.int32)] if columns else np.empty(0, np.int32)
    del places, columns  # what is still needed of millions of posts fills memory enough
    ones = np.ones(len(found), np.float32)
    counts = csr_matrix((ones, found, np.array(ends)), shape=(len(ends) - 1, len(names)))
    counts.sum_duplicates()
    return tuple(names), csr_matrix((counts.data.astype(np.float64), counts.indices, counts.indptr), counts.shape)


def _rows(matrix: csr_matrix, first: int, after: int) -> csr_matrix:
    """Rows that stand together, not copied."""
    ends = matrix.indptr[first : after + 1]
    inside = slice(ends[0], ends[-1])
    return csr_matrix(
        (matrix.data[inside], matrix.indices[inside], ends - ends[0]), shape=(after - first, matrix.shape[1])
    )


def _slices(matrix: csr_matrix) -> Iterator[tuple[slice, csr_matrix]]:
    """Some rows after others: where they are, and they themselves."""
    for first in range(0, matrix.shape[0], SLICE):
        after = min(first + SLICE, matrix.shape[0])
        yield slice(first, after), _rows(matrix, first, after)


def _sums(counts: csr_matrix, weights: Floats) -> Floats:
    """For each column the sum of the weights of the rows it is in, (columns,)."""
    found = np.zeros(counts.shape[1])
    for rows, some in _slices(counts):
        found += np.bincount(some.indices, np.repeat(weights[rows], np.diff(some.indptr)), len(found))
    return found


def _named(names: Sequence[str], places: Rows) -> tuple[str, ...]:
    return tuple(names[place] for place in places)


def _length(counts: csr_matrix, square: Floats) -> Floats:
    """The length of each text: the root of the sum of its words' squared lengths, 1 for a text without a known word."""
    squares = np.empty(counts.shape[0])
    for rows, some in _slices(counts):
        squares[rows] = some.power(2) @ square
    return np.sqrt(np.where(squares > 0, squares, 1.0))


def _batches(texts: Iterable[str | None]) -> Iterator[list[str | None]]:
    """`texts` in lists of `SLICE`."""
    rest = iter(texts)
    while some := list(islice(rest, SLICE)):
        yield some


def _clean(texts: Sequence[str | None]) -> list[str]:
    if len(texts) == 1 and (texts[0] or "").isascii():  # one plain text, as requests bring, needs no series
        return [ASCII_URL.sub(" ", texts[0] or "").lower()]
    return pl.Series(texts, dtype=pl.String).fill_null("").str.replace_all(URL, " ").str.to_lowercase().to_list()
