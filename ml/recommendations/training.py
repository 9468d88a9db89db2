"""The contest for recommendations: rankings of the past compared by what was bought next, the winner fitted on today.

A ranking that learns is fitted on the pairs of a fold's calibration day, whose purchases had matured by the fold's own
day. What everybody's purchases say of the items is learned up to the day on which it is used. Saving does not belong
here.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from ml import gate
from ml.backtest import Cutoffs, Fold, usable_tests
from ml.evaluation import EVALUATIONS, TESTED, Holdouts, Outcome, as_evaluations, tested_frame
from ml.metrics import Array
from ml.recommendations.assortment import Assortment
from ml.recommendations.candidates import pairs
from ml.recommendations.hits import CRITERIA, LENGTH, METRICS, as_hits
from ml.recommendations.purchase_days import after, before
from ml.recommendations.rankings import BUY_AGAIN, LEARNED, MODELS, POPULARITY, RULES, make_ranking
from ml.recommendations.scoring import Recommender, ranked
from ml.schemas import MODEL_EVALUATIONS, empty

MODEL: Final = "recommendations"


@dataclass(frozen=True)
class Minimums:
    """What a contest needs on each of its days: customers who had bought and bought again, and items."""

    customers: int = 100
    items: int = 20


@dataclass(frozen=True)
class Question:
    """What is asked: which items each customer buys in the `horizon_days` after `as_of`.

    With `repeats` what a customer already bought may be among them; without, only what is new to them.
    """

    as_of: date
    horizon_days: int
    seed: int
    repeats: bool = True
    pool_size: int = 2000
    minimums: Minimums = Minimums()
    champion: str | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that make sense: to buy again is no advice where repeats are switched off."""
        return RULES if self.repeats else (POPULARITY,)


@dataclass(frozen=True)
class Training:
    """The contest's numbers (EVALUATIONS), who serves and why, and the fitted estimator.

    `tested` is TESTED of the one that serves at the latest test: its hits beside how many items were bought.
    """

    evaluations: pl.DataFrame
    decision: gate.Decision
    serving: Recommender
    tested: pl.DataFrame


def train(days: pl.DataFrame, question: Question, *, cutoffs: Cutoffs | None) -> Training:
    """The contest on PURCHASE_DAYS; without one, where there is too little data, the first rule of habit serves."""
    past = Past(days, question)
    with threadpool_limits(1):  # the same digits on any machine, and no threads that wait for each other
        tests, lack = usable_tests(cutoffs, past.lack, too_short="history is shorter than twice the horizon")
        if cutoffs is None or lack:
            rule = BUY_AGAIN if question.repeats else POPULARITY
            decision = gate.without_contest("rule", rule, reason=f"No model was trained: {lack}. {rule} serves.")
            return Training(empty(EVALUATIONS), decision, past.recommender(make_ranking(rule)), empty(TESTED))
        return _contest(past, tests, cutoffs.serving)


@dataclass(frozen=True)
class Past:
    """Everyone's days of purchase and what is asked of them; what two folds need of one day is made once."""

    days: pl.DataFrame
    question: Question
    _kept: dict[date, tuple[Assortment, pl.DataFrame]] = field(default_factory=dict)
    _bought: dict[date, pl.DataFrame] = field(default_factory=dict)

    def lack(self, fold: Fold) -> str:
        """What a fold has too little of, in words; nothing where it has enough."""
        minimums = self.question.minimums
        for purpose, day in (("calibration", fold.calibration), ("test", fold.day)):
            customers, items = self.outcomes(day).height, before(self.days, as_of=day)["item"].n_unique()
            if customers < minimums.customers or items < minimums.items:
                return (
                    f"{purpose} has {customers} customers who bought again and {items} items, of {minimums.customers} "
                    f"and {minimums.items} needed"
                )
        return ""

    def known(self, day: date) -> tuple[Assortment, pl.DataFrame]:
        """The items as of a day, and the pairs that came into question; of two days at a time, for they are large."""
        if day not in self._kept:
            if len(self._kept) > 1:
                del self._kept[next(iter(self._kept))]
            assortment = self.assortment(day)
            found = pairs(self.days, assortment, as_of=day)
            self._kept[day] = assortment, found if self.question.repeats else found.filter(pl.col("day_count") == 0)
        return self._kept[day]

    def assortment(self, day: date) -> Assortment:
        """The items as of a day."""
        return Assortment(pool_size=self.question.pool_size, seed=self.question.seed).fit(self.days, as_of=day)

    def bought(self, day: date) -> pl.DataFrame:
        """Grain: customer x item bought in the horizon after a day, by customers of the year before.

        Without repeats only what was new to them.
        """
        if day not in self._bought:
            earlier = before(self.days, as_of=day)
            found = after(self.days, as_of=day, horizon_days=self.question.horizon_days)
            found = found.join(earlier, on="customer_id", how="semi", maintain_order="left")
            if not self.question.repeats:
                found = found.join(earlier, on=["customer_id", "item"], how="anti", maintain_order="left")
            self._bought[day] = found
        return self._bought[day]

    def outcomes(self, day: date) -> pl.DataFrame:
        """Grain: customer who bought, sorted: how many items."""
        return self.bought(day).group_by("customer_id").agg(actual=pl.len().cast(pl.Float64)).sort("customer_id")

    def ranking(self, name: str, fold: Fold) -> Any:
        """A ranking fitted for a fold."""
        if name != LEARNED:
            return make_ranking(name)
        known = self.known(fold.calibration)[1]
        bought = self.bought(fold.calibration).with_columns(bought=pl.lit(1.0))
        labelled = known.join(bought.select("customer_id"), on="customer_id", how="semi", maintain_order="left").join(
            bought, on=["customer_id", "item"], how="left", maintain_order="left"
        )
        return make_ranking(name).fit(labelled, labelled["bought"].fill_null(0.0).to_numpy())

    def recommender(self, ranking: Any) -> Recommender:
        """What serves: a fitted ranking on the items as of today."""
        return Recommender(self.assortment(self.question.as_of), ranking, repeats=self.question.repeats)


def _contest(past: Past, tests: list[Fold], serving: Fold) -> Training:
    question = past.question
    names = (*MODELS, *question.rules)
    hits: dict[str, list[Array]] = {name: [] for name in names}
    shares: dict[str, list[float]] = {name: [] for name in names}
    # before the tests, which begin on the same day
    of_today = {name: past.ranking(name, serving) for name in names}
    outcomes = []
    for fold in tests:
        assortment, known = past.known(fold.day)
        actual, bought = past.outcomes(fold.day), past.bought(fold.day)
        outcomes.append(Outcome(fold.day, actual["customer_id"], actual["actual"].to_numpy()))
        known = known.join(actual, on="customer_id", how="semi", maintain_order="left")
        for name in names:
            lists = ranked(known, past.ranking(name, fold).score(known), length=LENGTH)
            hits[name].append(_hits(lists, bought, actual["customer_id"]))
            shares[name].append(lists["item"].n_unique() / max(1, len(assortment.items_)))
    holdouts = Holdouts(outcomes, seed=question.seed)
    contest = gate.Contest(holdouts, hits, MODELS, question.rules, POPULARITY, CRITERIA, question.champion)
    decision = gate.decide(contest)
    tables = [_evaluations(name, holdouts, hits[name], shares[name], question.horizon_days) for name in names]
    tested = tested_frame(outcomes[0], hits[decision.candidate][0])
    return Training(pl.concat(tables), decision, past.recommender(of_today[decision.candidate]), tested)


def _hits(lists: pl.DataFrame, bought: pl.DataFrame, customers: pl.Series) -> Array:
    """Hits of each customer, in order, of RANKED lists."""
    found = lists.join(bought, on=["customer_id", "item"], how="semi")
    rows = pl.DataFrame({"customer_id": customers}).with_row_index("row")
    placed = found.join(rows, on="customer_id")
    is_hit = np.zeros((len(customers), LENGTH), dtype=np.bool_)
    is_hit[placed["row"].to_numpy(), placed["rank"].to_numpy() - 1] = True
    return as_hits(is_hit)


def _evaluations(
    name: str, holdouts: Holdouts, hits: list[Array], shares: list[float], horizon_days: int
) -> pl.DataFrame:
    """EVALUATIONS of one candidate; the share of items that anybody was proposed has no interval over customers."""
    coverage = pl.DataFrame(
        [
            (outcome.cutoff, "item_coverage", share, None, None, len(outcome.actual))
            for outcome, share in zip(holdouts.outcomes, shares, strict=True)
        ],
        schema={
            name: MODEL_EVALUATIONS[name]
            for name in ("cutoff_date", "metric", "value", "lower", "upper", "customer_count")
        },
        orient="row",
    )
    graded = pl.concat([holdouts.table(METRICS, hits), coverage])
    return as_evaluations(graded, model=MODEL, candidate=name, horizon_days=horizon_days)
