"""Who is to be told of, and what: of the published customers those who may be addressed and meet the condition.

Nobody may be addressed who does not allow marketing or is in a control arm that is still being compared.
"""

from collections.abc import Sequence

import polars as pl

from orchestration.errors import InputError
from orchestration.intake.activations import CUSTOMERS, KEY, Activation
from orchestration.intake.experiments import GLOBAL_CONTROL
from orchestration.intake.source_file import Source
from orchestration.privacy import tombstones
from orchestration.privacy.consent import allowed
from orchestration.publishing.generations import DATABASE, current
from orchestration.settings import Settings
from orchestration.warehouse import Connection, literal, quoted, reader


def addressable(customer: str = "customer_id") -> str:
    """SQL condition over published tables: not opted out of marketing, and nobody's control.

    The global control group never ends; the control arms of other experiments are free again once those are final.
    """
    return f"""(
        {allowed("marketing", customer=customer)}
        and {customer} not in (
            select assigned.customer_id
            from ml.experiment_assignments as assigned
            inner join ml.experiment_results as results
                on assigned.experiment_id = results.experiment_id and assigned.arm = results.arm
            where results.is_control and results.status <> 'final'
        )
    )"""


def audience(name: str, one: Activation, *, source: Source, settings: Settings) -> pl.DataFrame:
    """One row per customer whom an activation tells of now, with the columns that it sends, sorted by customer.

    It is read from the version that BI reads. Whoever is being erased is not in it.

    Raises:
        InputError: nothing is published of this source, or nobody was held out yet.
    """
    published = current(settings)
    if published is None or published.manifest["source"] != source.name:
        raise InputError(f"{settings.published_dir}: nothing of {source.name} is published. `clientele run` publishes.")
    if "ml.experiment_results" not in published.manifest["tables"]:
        raise InputError(f"{published.folder}: an earlier release published it. `clientele run` publishes it anew.")
    with reader(published.folder / DATABASE) as connection:
        if source.actions.global_control_share and not _is_held_out(connection):
            raise InputError(
                f"actions.activations.{name}: what is published has no global control group yet, so that customers "
                "could be told of who belong to it. Nothing was sent; `clientele run` draws it."
            )
        own = [name for name, *_ in connection.execute(f"describe {CUSTOMERS}").fetchall()]
        found: pl.DataFrame = connection.sql(candidates(one, own)).pl()
    erased = tombstones.read(settings, source=source.name).customers(found[KEY])
    return chosen(found.filter(~pl.col(KEY).is_in(erased)), one)


def _is_held_out(connection: Connection) -> bool:
    """Whether a global control group was drawn: then everybody eligible is in one of its arms."""
    drawn = f"select count(*) from ml.experiment_assignments where experiment_id = {literal(GLOBAL_CONTROL)}"
    customers = f"select count(*) from {CUSTOMERS} where is_marketing_allowed"
    (counts,) = connection.execute(f"select ({drawn}), ({customers})").fetchall()
    return bool(counts[0]) or not counts[1]


def candidates(one: Activation, own: Sequence[str]) -> str:
    """SQL for the columns that a condition asks about and those that are sent, of all who may be addressed.

    `own` are the columns of CUSTOMERS; any other is an attribute.
    """
    asked = pl.sql_expr(one.where).meta.root_names() if one.where is not None else []
    names = dict.fromkeys((KEY, *asked, *one.columns))
    columns = ", ".join(
        f"customers.{quoted(name)}" if name in own else f"cast(attributes.{quoted(name)} as varchar) as {quoted(name)}"
        for name in names
    )
    return f"""
        select {columns}
        from {CUSTOMERS} as customers
        left join marts.dim_customers as attributes on customers.customer_id = attributes.customer_id
        where {addressable("customers.customer_id")}
    """


def chosen(found: pl.DataFrame, one: Activation) -> pl.DataFrame:
    """Of the candidates those who meet the condition, with what is sent of each, sorted by customer."""
    if one.where is not None:
        found = found.filter(pl.sql_expr(one.where))
    return found.select(KEY, *one.columns).sort(KEY)
