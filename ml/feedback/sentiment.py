"""Whether the writer of a message is satisfied: a logistic regression on words, learned from a company's own ratings.

TF-IDF with logarithmic counts and a ridge logit (Wang and Manning 2012 find it hard to beat on short reviews). Only
what many customers write is in the vocabulary: a name, an address or a turn of phrase of a few is never kept.
"""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_matrix, diags, hstack
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from ml.feedback.texts import WORD, normalised
from ml.logistic_line import fit_logistic_line
from ml.metrics import macro_f1

Array = npt.NDArray[np.float64]

LEAST_WRITERS: Final = 11
"""Customers who use a term, at least, for a model to know it: the smallest group that any table tells of."""
FOLDS: Final = 4
THRESHOLDS: Final = 99
ANALYSERS: Final[dict[str, dict[str, Any]]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": WORD},
    "characters": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}
TRUSTED_TYPES: Final = (
    "ml.feedback.lexicon.BaseRateRule",
    "ml.feedback.lexicon.LexiconRule",
    "ml.feedback.sentiment.CalibratedSentiment",
    "ml.feedback.sentiment.SentimentModel",
    "numpy.dtype",
)
"""What skops must be told to trust when it loads a model of feedback."""


class SentimentModel(BaseEstimator):
    """Ridge logit on words and pairs of words, with `characters` also on pieces of words."""

    def __init__(
        self, *, characters: bool = False, regularisation: float = 3.0, least_writers: int = LEAST_WRITERS
    ) -> None:
        self.characters = characters
        self.regularisation = regularisation
        self.least_writers = least_writers

    def fit(self, messages: pl.DataFrame, satisfied: Array) -> Self:
        """Fit on messages with `text` and `customer_id`; `satisfied` is 0 or 1 a row, and both must occur."""
        self._fit(messages, satisfied)
        return self

    def fit_held_out(self, messages: pl.DataFrame, satisfied: Array) -> Array:
        """Fit, and give the log-odds of each message by a fit without its writer."""
        matrix = self._fit(messages, satisfied)
        fold = _writers(messages) % FOLDS
        held = np.zeros(len(satisfied))
        for one in range(FOLDS):
            learned = fold != one
            weights, intercept = self._regress(matrix[learned], satisfied[learned])
            held[~learned] = matrix[~learned] @ weights + intercept
        return held

    def score(self, messages: pl.DataFrame) -> Array:
        """Log-odds of a satisfied writer, one a message."""
        return np.asarray(self._matrix(messages) @ self.weights_ + self.intercept_)

    def values(self, messages: pl.DataFrame) -> csr_matrix:
        """What the model looks at: shape (messages, words and pairs of words), in the order of `terms_`."""
        return self._matrix(messages)[:, : self.word_count_]

    def _fit(self, messages: pl.DataFrame, satisfied: Array) -> csr_matrix:
        texts, writers = normalised(messages["text"]).to_list(), _writers(messages)
        terms, idf, parts = [], [], []
        for name in self._analysers():
            found, counts = _counted(texts, writers, ANALYSERS[name], least_writers=self.least_writers)
            terms.append(found)
            idf.append(np.log((1 + len(texts)) / (1 + np.asarray((counts > 0).sum(axis=0)).ravel())) + 1)
            parts.append(_weighed(counts, idf[-1]))
        self.word_count_ = len(terms[0])
        self.terms_ = np.array([term for found in terms for term in found], dtype=str)
        self.idf_ = np.concatenate(idf)
        matrix = csr_matrix(hstack(parts))
        self.weights_, self.intercept_ = self._regress(matrix, satisfied)
        return matrix

    def _regress(self, matrix: csr_matrix, satisfied: Array) -> tuple[Array, float]:
        """Weights and intercept; without a term that enough customers use, or a second kind, the rate alone."""
        rate = (satisfied.sum() + 1) / (len(satisfied) + 2)
        if not matrix.shape[1] or satisfied.min() == satisfied.max():
            return np.zeros(matrix.shape[1]), float(logit(rate))
        model = LogisticRegression(C=self.regularisation, solver="liblinear", max_iter=1000)
        model.fit(matrix, satisfied)
        return model.coef_[0].round(9), float(model.intercept_[0].round(9))

    def _analysers(self) -> list[str]:
        return ["words", "characters"] if self.characters else ["words"]

    def _matrix(self, messages: pl.DataFrame) -> csr_matrix:
        """TF-IDF of the terms that are known."""
        texts, parts, first = normalised(messages["text"]).to_list(), [], 0
        for name in self._analysers():
            last = self.word_count_ if name == "words" else len(self.terms_)
            names, idf = self.terms_[first:last].tolist(), self.idf_[first:last]
            if names:
                parts.append(_weighed(_vectorizer(ANALYSERS[name], vocabulary=names).transform(texts), idf))
            first = last
        return csr_matrix(hstack(parts)) if parts else csr_matrix((len(texts), 0))


class CalibratedSentiment(BaseEstimator):
    """A candidate, model or rule, turned into a probability by Platt scaling (1999) on scores that had not seen it.

    `threshold_` tells satisfied from dissatisfied: the one of best macro F1 on the same scores.
    """

    def __init__(self, candidate: Any) -> None:
        self.candidate = candidate

    def fit(self, messages: pl.DataFrame, satisfied: Array) -> Self:
        """Fit and calibrate on rated messages, both kinds of which must occur."""
        self.candidate_ = clone(self.candidate)
        held = self.candidate_.fit_held_out(messages, satisfied)
        positives = satisfied.sum()
        target = np.where(satisfied > 0, (positives + 1) / (positives + 2), 1 / (len(satisfied) - positives + 2))
        intercept, slope = (float(found[0]) for found in fit_logistic_line(held, target))
        is_telling = slope > 0  # else it learned nothing that holds for others, and the rate is all there is to say
        self.slope_ = slope if is_telling else 0.0
        self.intercept_ = intercept if is_telling else float(logit((positives + 1) / (len(satisfied) + 2)))
        told = expit(self.intercept_ + self.slope_ * held)
        tried = np.arange(1, THRESHOLDS + 1) / (THRESHOLDS + 1)
        # of equally good thresholds the one nearest to a half
        self.threshold_ = float(max(tried, key=lambda at: (macro_f1(satisfied, (told >= at) * 1.0), -abs(at - 0.5))))
        return self

    def satisfied_probability(self, messages: pl.DataFrame) -> Array:
        """Probability that the writer is satisfied, one a message."""
        if messages.is_empty():
            return np.zeros(0)
        found: Array = expit(self.intercept_ + self.slope_ * self.candidate_.score(messages))
        return found


def _weighed(counts: csr_matrix, idf: Array) -> csr_matrix:
    """TF-IDF of counts, every row of length one."""
    weighed = csr_matrix(counts, dtype=np.float64)
    if not weighed.shape[1]:
        return weighed
    weighed.data = 1 + np.log(weighed.data)
    return normalize(weighed @ diags(idf))


def _vectorizer(analyser: dict[str, Any], **given: Any) -> CountVectorizer:
    return CountVectorizer(lowercase=False, **analyser, **given)


def _counted(
    texts: list[str], writers: npt.NDArray[np.int64], analyser: dict[str, Any], *, least_writers: int
) -> tuple[list[str], csr_matrix]:
    """The terms that enough customers use, in alphabetical order, and how often each is in each text."""
    vectorizer = _vectorizer(analyser)
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError:  # no text holds a term
        return [], csr_matrix((len(texts), 0))
    membership = csr_matrix((np.ones(len(texts)), (writers, np.arange(len(texts)))))
    users = np.asarray(((membership @ (counts > 0)) > 0).sum(axis=0)).ravel()
    kept = np.flatnonzero(users >= least_writers)
    return vectorizer.get_feature_names_out()[kept].tolist(), counts[:, kept]


def _writers(messages: pl.DataFrame) -> npt.NDArray[np.int64]:
    """A number for each writer, by the order of their ids."""
    return np.unique(messages["customer_id"].to_numpy(), return_inverse=True)[1].astype(np.int64)
