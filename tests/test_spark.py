import pytest

from orchestration.engines.spark import connect
from orchestration.errors import InputError

pytest.importorskip("pyspark", reason="the extra spark is not installed: make spark")


def test_a_server_that_does_not_answer_is_named_without_its_token() -> None:
    with pytest.raises(InputError, match=r"Spark at 127\.0\.0\.1:9 does not answer") as error:
        connect("sc://127.0.0.1:9/;token=hunter2")
    assert "hunter2" not in str(error.value)
