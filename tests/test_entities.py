"""Every entity of the contract and every declared rule, through one tiny company whose every row is known."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.marts import build_marts, rows

SOURCE = """
name: everything
timezone: Europe/Berlin
currency: EUR
as_of: 2024-03-31
entities:
  transactions:
    # The same file twice: what was ordered, and what its shipping cost.
    - files: orders.csv
      columns: {transaction_id: id, customer_id: customer, occurred_at: moment, product_id: product, quantity: quantity,
                amount: amount, currency: currency, updated_at: changed}
    - files: orders.csv
      where: shipping <> '0'
      columns: {transaction_id: id, customer_id: customer, occurred_at: moment, product_id: "'POST'", quantity: "1",
                amount: shipping, currency: currency, updated_at: changed}
  products: {files: products.csv, columns: {product_id: product, name: name, unit_cost_amount: cost}}
  interactions: {files: visits.csv, columns: {customer_id: customer, occurred_at: moment, kind: kind, value: seconds}}
  feedback:
    files: reviews.csv
    columns: {feedback_id: id, customer_id: customer, created_at: moment, rating: stars, text: words}
  subscriptions:
    files: plans.csv
    columns: {subscription_id: id, customer_id: customer, started_at: start, ended_at: stop, monthly_amount: price}
  consents:
    files: consents.csv
    columns: {customer_id: customer, purpose: purpose, granted: granted, effective_at: moment}
  exchange_rates: {files: rates.csv, columns: {date: day, currency: currency, rate: rate}}
  stock_levels: {files: stock.csv, columns: {product_id: product, date: day, on_hand_quantity: pieces}}
  regressors: {files: outside.csv, columns: {date: day, name: name, value: value}}
  campaign_contacts: {files: contacts.csv, columns: {customer_id: customer, campaign_id: campaign, is_control: control}}
rules:
  non_products: POST
  test_customers: [999]
  returns: {cancellation_prefix: C}
limits: {rejected_row_share: 1, rejected_amount_share: 1}
"""

FILES = {
    "orders.csv": """id,customer,moment,product,quantity,amount,currency,shipping,changed
1,anna,2024-01-10 10:00:00,mug,2,20.00,EUR,4.90,
2,bert,2024-01-11 10:00:00,mug,1,10.00,USD,0,
3,bert,2024-02-11 10:00:00,mug,1,10.00,USD,0,
C4,anna,2024-01-20 10:00:00,mug,-2,-20.00,EUR,0,
5,999,2024-01-21 10:00:00,mug,1,10.00,EUR,0,
6,cleo,2024-01-22 10:00:00,mug,1,10.00,EUR,0,2024-01-22
6,cleo,2024-01-22 10:00:00,mug,3,30.00,EUR,0,2024-01-23
7,,2024-01-23 10:00:00,card,1,0,EUR,0,
""",
    "products.csv": "product,name,cost\nmug,Mug,4\n",
    "visits.csv": """customer,moment,kind,seconds
anna,2024-01-09 09:00:00,Visit,30
anna,2024-01-09 09:00:00,Visit,30
dora,2024-02-01 09:00:00,call,soon
999,2024-02-01 09:00:00,call,5
emil,2024-04-01 00:00:00,call,5
""",
    "reviews.csv": "id,customer,moment,stars,words\nr1,frida,2024-01-15,5,canary-in-the-text\n",
    "plans.csv": """id,customer,start,stop,price
s1,gus,2023-01-01,2024-03-31,9.99
s2,gus,2024-01-01,2024-12-31,19.99
""",
    "consents.csv": """customer,purpose,granted,moment
hugo,marketing,yes,2024-01-01
hugo,marketing,no,2024-02-01
hugo,spam,no,
""",
    "rates.csv": "day,currency,rate\n2024-01-05,USD,0.91255\n2024-02-01,USD,0\n",
    "stock.csv": "product,day,pieces\nmug,2024-01-01,50\nteapot,2024-01-01,-2\n",
    "outside.csv": "day,name,value\n2024-01-01,holiday,1\n",
    "contacts.csv": "customer,campaign,control\nida,spring,true\nanna,spring,false\n",
}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, marts_dir: Path) -> Path:
    folder = tmp_path_factory.mktemp("everything")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "source.yml").write_text(SOURCE)
    return build_marts(folder / "source.yml", data_dir=marts_dir)


def test_a_foreign_line_is_converted_within_a_week_of_a_rate_and_rejected_after(company: Path) -> None:
    lines = "select net_amount, original_amount, original_currency, currency from marts.fct_transaction_lines"
    assert rows(company, f"{lines} where transaction_id = '2'") == [(Decimal("9.1255"), Decimal(10), "USD", "EUR")]
    assert rows(company, f"{lines} where transaction_id = '3'") == []
    reasons = rows(
        company, "select reason, field, count(*) from quality.rejected_rows where entity = 'transactions' group by all"
    )
    assert reasons == [("missing_rate", "currency", 1)]


def test_one_file_in_two_parts_keeps_its_rows_apart(company: Path) -> None:
    counted = rows(
        company, "select _source_file, count(*) from staging.stg_transactions_classified group by 1 order by 1"
    )
    assert counted == [("orders.csv", 8), ("orders.csv (part 2)", 8)]
    shipped = rows(company, "select line_count, net_amount from marts.fct_transactions where transaction_id = '1'")
    assert shipped == [(2, Decimal("24.9000"))]


def test_each_rule_leaves_its_mark_on_the_transactions(company: Path) -> None:
    found = rows(
        company,
        "select transaction_id, customer_id, net_amount, margin_amount, value_amount, is_purchase, is_return "
        "from marts.fct_transactions order by 1",
    )
    assert found == [
        ("1", "anna", Decimal("24.9"), Decimal("16.9"), Decimal("16.9"), True, False),
        ("2", "bert", Decimal("9.1255"), Decimal("5.1255"), Decimal("5.1255"), True, False),
        ("6", "cleo", Decimal("30"), Decimal("18"), Decimal("18"), True, False),
        ("7", None, Decimal("0"), None, Decimal("0"), False, False),
        ("C4", "anna", Decimal("-20"), Decimal("-12"), Decimal("-12"), False, True),
    ]
    assert rows(
        company, "select transaction_id, reversed_transaction_id, days_after_sale from marts.fct_reversals"
    ) == [("C4", "1", 10)]


def test_a_test_customer_is_nowhere_and_everyone_else_is_a_customer(company: Path) -> None:
    customers = [name for (name,) in rows(company, "select customer_id from marts.dim_customers order by 1")]
    assert customers == ["anna", "bert", "cleo", "frida", "gus", "hugo", "ida"]
    reasons = rows(
        company,
        "select entity, count(*) from intermediate.int_rows_classified "
        "where reason = 'test_customer' group by 1 order by 1",
    )
    assert reasons == [("interactions", 1), ("transactions", 1)]


def test_the_other_marts_hold_what_was_received(company: Path) -> None:
    assert rows(company, "select customer_id, kind, value from marts.fct_interactions") == [("anna", "visit", 30.0)]
    assert rows(company, "select feedback_id, customer_id, rating from marts.fct_feedback") == [("r1", "frida", 5.0)]
    assert rows(
        company, "select subscription_id, is_active, ended_at is null from marts.fct_subscriptions order by 1"
    ) == [
        ("s1", False, False),
        ("s2", True, True),
    ]
    assert rows(company, "select purpose, is_granted from marts.fct_consents where is_current") == [
        ("marketing", False)
    ]
    assert rows(company, "select currency, rate from marts.fct_exchange_rates") == [("USD", Decimal("0.91255"))]
    assert rows(company, "select product_id, on_hand_quantity from marts.fct_stock_levels order by 1") == [
        ("mug", Decimal(50)),
        ("teapot", Decimal(-2)),
    ]
    assert rows(company, "select name, region, value from marts.fct_regressors") == [("holiday", None, 1.0)]
    assert rows(company, "select product_id, is_product from marts.dim_products order by 1") == [
        ("POST", False),
        ("card", True),
        ("mug", True),
        ("teapot", True),
    ]


def test_free_text_of_feedback_is_in_the_vault_alone(company: Path, marts_dir: Path) -> None:
    data = marts_dir
    files = "feedback/*/*.parquet', union_by_name = true)"
    kept = rows(company, f"select feedback_id, customer_id, text from read_parquet('{data}/vault/{files}")
    assert kept == [("r1", "frida", "canary-in-the-text")]
    assert "canary-in-the-text" not in str(rows(company, f"from read_parquet('{data}/raw/{files}"))
    assert b"canary-in-the-text" not in company.read_bytes()


@pytest.mark.parametrize(
    ("table", "keys"),
    [("reconciliation", 2), ("reconciliation_by_file", 3), ("reconciliation_by_day", 3)],
)
def test_every_row_and_cent_is_accounted_for(company: Path, table: str, keys: int) -> None:
    assert rows(company, f"select * from quality.{table} where difference <> 0") == []
    totals = rows(
        company,
        f"select measure, sum(received), sum(accepted), sum(rejected), sum(excluded), sum(repeated), sum(superseded) "
        f"from quality.{table} where entity = 'transactions' group by 1 order by 1",
    )
    assert [tuple(map(str, row)) for row in totals] == [
        ("amount", "64.0255", "44.0255", "0.0000", "10.0000", "0.0000", "10.0000"),
        ("amount_usd", "20.0000", "10.0000", "10.0000", "0.0000", "0.0000", "0.0000"),
        ("rows", "16.0000", "6.0000", "1.0000", "7.0000", "0.0000", "2.0000"),
    ]
    assert len(rows(company, f"describe quality.{table}")) == keys + 8


def test_capabilities_follow_from_what_was_accepted(company: Path) -> None:
    on = {name for (name,) in rows(company, "select capability from quality.data_capabilities where is_available")}
    assert {
        "interactions",
        "feedback_ratings",
        "feedback_sentiment",
        "subscriptions",
        "contract_churn",
        "consents",
    } <= on
    assert {"multi_currency", "stock", "regressors", "clv_on_margin", "campaign_effect"} <= on
    assert not {"acquisition", "acquisition_cost"} & on
