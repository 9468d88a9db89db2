import re

import pytest

from orchestration.engines.spark import BETWEEN, connect
from orchestration.errors import InputError
from orchestration.settings import PROJECT_DIR

pytest.importorskip("pyspark", reason="the extra spark is not installed: make spark")


def test_a_server_that_does_not_answer_is_named_without_its_token() -> None:
    with pytest.raises(InputError, match=r"Spark at 127\.0\.0\.1:9 does not answer") as error:
        connect("sc://127.0.0.1:9/;token=hunter2")
    assert "hunter2" not in str(error.value)


def test_what_python_reads_between_staging_and_marts_comes_back_from_the_cluster() -> None:
    code = "".join(file.read_text() for file in (PROJECT_DIR / "orchestration" / "assets").glob("*.py"))
    code += "".join(file.read_text() for file in (PROJECT_DIR / "orchestration" / "models").glob("*.py"))
    assert set(re.findall(r"(?:from|join) ((?:staging|intermediate)\.\w+)", code)) == set(BETWEEN)
