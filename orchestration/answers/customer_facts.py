"""One customer as the published tables know them: permissions, history, segments, scores and reasons.

Facts only, by id, from the version that BI reads; what they come to in words belongs in `customer_words`. Attributes of
the person (where they live, how old they are) are left out, and so is the segment that follows from them alone.
"""

from typing import Any, Final

from orchestration.errors import InputError
from orchestration.publishing.generations import DATABASE, current
from orchestration.settings import Settings
from orchestration.warehouse import Connection, reader

PERSONAL_STRATEGIES: Final = ("demographic", "geographic")
"""Segments that repeat an attribute of the person."""
MONTHS: Final = 6
"""How many of the last months of trade are told one by one."""

_KNOWN: Final = """
    select permissions.customer_id, is_analytics_allowed, is_profiling_allowed, is_marketing_allowed
    from marts.dim_customer_permissions as permissions
    where permissions.customer_id = $customer
       or permissions.customer_id = (
            select any_value(customer_id) from marts.dim_customer_ids where source_customer_id = $customer
            having count(distinct customer_id) = 1)
    order by permissions.customer_id = $customer desc limit 1
"""
_HISTORY: Final = """
    select first_purchase_date, last_purchase_date, transaction_count, net_amount, frequency_count as purchase_count,
        recency_days, gap_median_days, average_order_amount, discount_share, return_share
    from reports.rpt_customer_360 where customer_id = $customer
"""
_MONTHS: Final = f"""
    select date_trunc('month', transaction_date)::date as month_start,
        count(*) filter (where is_purchase) as purchase_count, sum(net_amount) as net_amount
    from marts.fct_transactions where customer_id = $customer
    group by all order by month_start desc limit {MONTHS}
"""
_SEGMENTS: Final = """
    select strategy, segment, previous_segment, change, segment_since, described.words
    from ml.customer_segments left join ml.segment_words as described using (strategy, segment)
    where customer_id = $customer and not list_contains($left_out, strategy) order by strategy
"""
_MOVES: Final = """
    select as_of_date, strategy, previous_segment, segment, change from ml.segment_changes
    where customer_id = $customer and not list_contains($left_out, strategy) and previous_segment is not null
    order by as_of_date desc, strategy limit 10
"""
_CHURN: Final = """
    select horizon_days, churn_probability, risk_band, served_by, model_version, is_stale,
        (select avg(churn_probability) from ml.churn_scores) as average_churn_probability
    from ml.churn_scores where customer_id = $customer
"""
_REASONS: Final = """
    select rank, feature, is_exact,
        case when feature in (
            select column_name from duckdb_columns() where schema_name = 'marts' and table_name = 'dim_customers')
        then concat(
            if(contribution >= 0, 'raises', 'lowers'), ' the risk: an attribute of the person, ',
            replace(feature, '_', ' '))
        else words end as words
    from ml.churn_reasons where customer_id = $customer order by rank
"""
"""An attribute is named and its value is not."""
_VALUE: Final = """
    select horizon_days, expected_amount, expected_amount_p10, expected_amount_p90, expected_transaction_count,
        served_by, model_version, is_stale
    from ml.clv_predictions where customer_id = $customer order by horizon_days
"""
_NEXT: Final = """
    select verdict, earliest_date, expected_date, latest_date, is_overdue
    from reports.rpt_next_purchases where customer_id = $customer
"""


def facts(customer: str, settings: Settings) -> dict[str, Any]:
    """Everything that the tables say of a customer, by their id in the marts or in the source's files.

    Of who does not allow analytics only that; of who does not allow profiling no segment and no score.

    Raises:
        InputError: nothing is published yet, or nobody of this id is: unknown, or erased.
    """
    published = current(settings)
    if published is None:
        raise InputError(f"{settings.published_dir}: nothing is published yet. `clientele run` publishes.")
    with reader(published.folder / DATABASE) as connection:
        known = _rows(connection, _KNOWN, customer=customer.strip())
        if not known:
            raise InputError(
                "No such customer is published: the id is unknown, or was erased. Ids are spelt as in "
                "marts.dim_customers or as in the source's files (marts.dim_customer_ids)."
            )
        return _of(connection, known[0])


def _of(connection: Connection, permissions: dict[str, Any]) -> dict[str, Any]:
    who = permissions["customer_id"]
    day = _rows(connection, "select as_of_date, source_name, currency, value_basis from marts.dim_as_of")[0]
    found: dict[str, Any] = {**permissions, **day}
    if not permissions["is_analytics_allowed"]:
        return found
    found["history"] = next(iter(_rows(connection, _HISTORY, customer=who)), None)
    found["months"] = _rows(connection, _MONTHS, customer=who)
    if not permissions["is_profiling_allowed"]:
        return found
    told = {"customer": who, "left_out": list(PERSONAL_STRATEGIES)}
    return found | {
        "segments": _rows(connection, _SEGMENTS, **told),
        "segment_changes": _rows(connection, _MOVES, **told),
        "churn": next(iter(_rows(connection, _CHURN, customer=who)), None),
        "churn_reasons": _rows(connection, _REASONS, customer=who),
        "lifetime_value": _rows(connection, _VALUE, customer=who),
        "next_purchase": next(iter(_rows(connection, _NEXT, customer=who)), None),
    }


def _rows(connection: Connection, query: str, **values: object) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries; `values` stand for its parameters."""
    result = connection.execute(query, values or None)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
