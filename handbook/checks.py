"""What dbt's tests hold a table to, in words: its grain, its completeness, and a sentence for each other test."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

Node = Mapping[str, Any]

IN_WORDS: Final = {
    "accepted_values": "{column} is one of {values}",
    "relationships": "{column} is found in {to}",
    "between": "{column} lies {bounds}",
    "adds_up_to": "{column} adds up to that of {to}",
    "at_least_eleven_people": "{columns} tell of nobody or of at least eleven people",
    "counts_every_customer": "{column} counts every customer of a strategy once",
}
"""Every generic test that the project has beside grain and completeness; one that is missing here has no words."""


class Checks:
    """The tests and worked examples of a dbt project, by the table that they are about."""

    def __init__(self, manifest: Node) -> None:
        tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
        self._generic = [test for test in tests if test.get("test_metadata")]
        self._own = [test for test in tests if not test.get("test_metadata")]
        self._examples = [*manifest["unit_tests"].values()]

    def of(self, key: str) -> tuple[str, str, list[str]]:
        """The grain of a table, its columns that are never empty, and what else is checked.

        Raises:
            KeyError: a generic test has no words in `IN_WORDS`.
        """
        grain, complete, told = "", "", []
        for test in self._generic:
            if not self._is_about(test, key):
                continue
            name, words = test["test_metadata"]["name"], test["test_metadata"]["kwargs"]
            if name == "grain":
                empty = f" ({listed(words['nullable'])} may be empty)" if words.get("nullable") else ""
                grain = f"{listed(words['columns'])}{empty}"
            elif name == "complete":
                complete = listed(words["columns"])
            else:
                told.append(_sentence(name, words))
        own = [test["name"].replace("_", " ") for test in self._own if key in test["depends_on"]["nodes"]]
        return grain, complete, [*sorted(told), *sorted(own)]

    def examples(self, key: str) -> list[str]:
        """The unit tests of a model: cases worked out by hand, whose names are sentences."""
        return sorted(
            example["name"].replace("_", " ") for example in self._examples if key in example["depends_on"]["nodes"]
        )

    @staticmethod
    def _is_about(test: Node, key: str) -> bool:
        """Tests of models name them; those of sources hang on their only parent."""
        about: str = test.get("attached_node") or test["depends_on"]["nodes"][0]
        return key == about


def listed(names: Sequence[str]) -> str:
    """Names of columns or values as code."""
    return ", ".join(f"`{name}`" for name in names)


def _sentence(test: str, words: Node) -> str:
    lowest, highest = words.get("lowest"), words.get("highest")
    bounds = f"between {lowest} and {highest}" if None not in (lowest, highest) else f"at {highest} or below"
    if highest is None:
        bounds = f"at {lowest} or above"
    return IN_WORDS[test].format(
        column=f"`{words.get('column_name')}`",
        columns=listed(words.get("columns", ())),
        values=listed(words.get("values", ())),
        to=listed([str(words.get("to", "")).split("'")[-2]]) if "to" in words else "",
        bounds=bounds,
    )
