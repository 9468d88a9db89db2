"""What `clientele init` makes of files: a source file that loads, with every guess marked as one."""

from pathlib import Path

import pytest

from orchestration.errors import InputError
from orchestration.intake.drafting import draft
from orchestration.intake.source_file import load_source
from tests.commands import clientele

ORDERS = "order_no,customer,ordered_at,sku,pieces,unit_price,remark\n1,ada,2024-01-01 10:00:00,mug,2,4.50,hello\n"
PEOPLE = "customer_id;city;signup\nada;Ulm;2023-05-01\n"


def drafted(folder: Path, **files: str) -> Path:
    paths = []
    for name, content in files.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(content)
    out = folder / "my_company.yml"
    out.write_text(draft(paths, out=out))
    return out


def test_the_draft_of_usual_files_is_a_source_that_loads(tmp_path: Path) -> None:
    out = drafted(tmp_path, orders=ORDERS, people=PEOPLE)
    source = load_source(out)
    (orders,), (people,) = source.entities["transactions"], source.entities["customers"]
    assert (source.name, orders.files, people.files) == ("my_company", ("orders.csv",), ("people.csv",))
    assert orders.columns == {
        "transaction_id": "order_no",
        "customer_id": "customer",
        "occurred_at": "ordered_at",
        "product_id": "sku",
        "quantity": "pieces",
        "amount": "try_cast(pieces as decimal(18, 4)) * try_cast(unit_price as decimal(18, 4))",
    }
    assert people.columns == {"customer_id": "customer_id", "created_at": "signup", "city": "city"}
    assert all(
        "# guess" in line
        for line in out.read_text().splitlines()
        if line.startswith("      ") and "# not used" not in line
    )


def test_what_is_required_and_not_found_is_left_to_fill_in(tmp_path: Path) -> None:
    text = drafted(tmp_path, orders=ORDERS.replace("unit_price", "colour").replace("4.50", "red")).read_text()
    assert "amount: FILL_IN # required, and no column looks like it" in text
    assert "# not used: colour, remark" in text


def test_a_file_that_is_none_and_a_draft_that_exists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv does not exist"):
        draft([tmp_path / "nowhere.csv"], out=tmp_path / "out.yml")
    out = drafted(tmp_path, orders=ORDERS)
    done = clientele("init", str(tmp_path / "orders.csv"), "--out", str(out), source=out, data_dir=tmp_path / "data")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "exists already: name another file with --out" in done.stderr
