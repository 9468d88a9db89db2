"""Several p-values read together."""

from collections.abc import Sequence

from ml.experiments.design import Correction


def corrected(p_values: Sequence[float], *, by: Correction) -> list[float]:
    """The p-values, each as large as a test of all of them at once leaves it; in the order given.

    `holm` bounds the chance of any false finding (Holm 1979, A simple sequentially rejective multiple test procedure),
    `benjamini_hochberg` the share of false ones among the findings (Benjamini, Hochberg 1995).
    """
    if by == "benjamini_hochberg":
        from scipy import stats  # most of a second that only this needs

        return [float(value) for value in stats.false_discovery_control(p_values)] if p_values else []
    found = [0.0] * len(p_values)
    largest = 0.0
    for rank, number in enumerate(sorted(range(len(p_values)), key=lambda one: p_values[one])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[number]))
        found[number] = largest
    return found
