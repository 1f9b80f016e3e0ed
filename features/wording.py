"""What the words of a post have drawn, against the account's own level: one number whose words can be named.

A ridge regression on TF-IDF of single words and neighbouring pairs predicts log1p(outcome) minus the account's level.
Chinese, Japanese and Korean characters count as words of their own, so that pairs of them stand for words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_matrix, diags
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge

WORD = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[#@]?\w[\w'’]*"
URL = r"https?://\S+"
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Wording:
    """A fitted wording model: `ngrams`, their inverse document frequencies `idf` and weights `weight`, all (k,)."""

    ngrams: tuple[str, ...]
    idf: Floats
    weight: Floats

    def values(self, texts: Sequence[str | None]) -> Floats:
        """The lift of each text in steps of log1p(outcome); 0 for a text without a known word."""
        if not self.ngrams:
            return np.zeros(len(texts))
        return np.asarray(self._rows(texts) @ self.weight)

    def words(self, text: str, limit: int = 5) -> list[tuple[str, float]]:
        """The n-grams of `text` that move its lift most, strongest first, each with its part of the lift."""
        if not self.ngrams:
            return []
        row = self._rows([text])
        parts = [(self.ngrams[column], float(row[0, column] * self.weight[column])) for column in row.indices]
        return sorted(parts, key=lambda part: (-abs(part[1]), part[0]))[:limit]

    def write(self, path: Path) -> None:
        """Writes the model as JSON."""
        path.write_text(self.to_json(), encoding="utf-8")

    def to_json(self) -> str:
        """The model as JSON; the same model gives the same text."""
        content = {"ngrams": self.ngrams, "idf": self.idf.tolist(), "weight": self.weight.tolist()}
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def read(cls, path: Path) -> Wording:
        """The model `write` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(content["ngrams"]), np.array(content["idf"]), np.array(content["weight"]))

    @cached_property
    def _vectorizer(self) -> CountVectorizer:
        return _vectorizer(vocabulary={ngram: column for column, ngram in enumerate(self.ngrams)})

    def _rows(self, texts: Sequence[str | None]) -> csr_matrix:
        return _tfidf(self._vectorizer.transform(_clean(texts)), self.idf)


def fit(
    texts: Sequence[str | None],
    lift: Floats,
    weight: Floats | None = None,
    *,
    min_posts: int,
    alpha: float,
    max_ngrams: int,
) -> Wording:
    """The wording model of `texts` whose posts drew `lift` more than the account's level, in steps of log1p(outcome).

    An n-gram must occur in `min_posts` texts; the `max_ngrams` most frequent are kept. `alpha` is the ridge penalty,
    `weight` what each post counts (1 when None). Without a frequent word the model has no words and says 0.
    """
    vectorizer = _vectorizer(min_df=min_posts, max_features=max_ngrams)
    try:
        counts = csr_matrix(vectorizer.fit_transform(_clean(texts)))
    except ValueError:
        return Wording((), np.zeros(0), np.zeros(0))
    posts_with = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log((1.0 + counts.shape[0]) / (1.0 + posts_with)) + 1.0
    ridge = Ridge(alpha=alpha, solver="sparse_cg", tol=1e-3)
    ridge.fit(_tfidf(counts, idf), lift, sample_weight=weight)
    return Wording(tuple(vectorizer.get_feature_names_out()), idf, np.asarray(ridge.coef_))


def _vectorizer(**settings: object) -> CountVectorizer:
    return CountVectorizer(token_pattern=WORD, ngram_range=(1, 2), lowercase=False, **settings)


def _clean(texts: Sequence[str | None]) -> list[str]:
    return pl.Series(texts, dtype=pl.String).fill_null("").str.replace_all(URL, " ").str.to_lowercase().to_list()


def _tfidf(counts: csr_matrix, idf: Floats) -> csr_matrix:
    """Rows of (1 + log count) × idf, each of length 1; empty rows stay empty."""
    rows = csr_matrix(counts, dtype=np.float64)
    rows.data = (1.0 + np.log(rows.data)) * idf[rows.indices]
    squares = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
    return csr_matrix(diags(1.0 / np.sqrt(np.where(squares > 0, squares, 1.0))) @ rows)
