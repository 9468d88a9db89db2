"""A recipe in a process of its own, again and again, and what it was told while versions were published."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bi.publications import version_of

PAUSE = 0.3
"""Seconds between two answers: readers leave the machine to who publishes."""
GO_ON = f"""
import json, select, sys
def go_on():
    return not select.select([sys.stdin], [], [], {PAUSE})[0]
"""
PYTHON = f"""{GO_ON}
recipe = compile(open("recipe.py").read(), "recipe.py", "exec")
while go_on():
    names = {{}}
    exec(recipe, names)
    print(json.dumps(names["rows"], default=str), flush=True)
"""
JUPYTER = f"""{GO_ON}
import nbformat.v4
from nbclient import NotebookClient
from traitlets.config import Config
code = open("recipe.py").read() + "\\nimport json\\nprint(json.dumps(rows, default=str))"
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
client = NotebookClient(notebook, config=Config({{"KernelManager": {{"transport": "ipc"}}}}))
with client.setup_kernel():
    while go_on():
        print("".join(output["text"] for output in client.execute_cell(notebook.cells[0], 0)["outputs"]), flush=True)
"""
MARIMO = f"""{GO_ON}
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("notebook", sys.argv[1])
notebook = module_from_spec(spec)
spec.loader.exec_module(notebook)
while go_on():
    _, names = notebook.app.run(defs={{"file": sys.argv[2]}})
    names["clientele"].close()
    print(json.dumps(names["weeks"].select("as_of_date", "week_end", "value").rows(), default=str), flush=True)
"""
GO_ON_IN_NODE = f"""
let ended = false;
process.stdin.on("end", () => {{ ended = true; }}).resume();
const goOn = () => new Promise((next) => setTimeout(() => next(!ended), {PAUSE * 1000}));
"""
NODE = f"""{GO_ON_IN_NODE}
for (let number = 0; await goOn(); number++) {{
  const {{ rows }} = await import(`./recipe.mjs?${{number}}`);
  console.log(JSON.stringify(rows));
}}
"""
EVIDENCE = f"""import connector from "@evidence-dev/duckdb";
{GO_ON_IN_NODE}
const [options, question] = [JSON.parse(process.argv[2]), process.argv[3]];
const ask = await connector.getRunner(options, process.cwd());
while (await goOn()) {{
  const rows = [];
  for await (const batch of (await ask(question, "weeks.sql")).rows()) rows.push(...batch);
  console.log(JSON.stringify(rows));
}}
"""
SHELL = f"while read -rt {PAUSE} _; [ $? -gt 128 ]; do . ./recipe.sh < /dev/null; done"


@dataclass
class Told:
    """What one tool was told: the version of each answer, none for an answer from two; and what went wrong."""

    versions: list[int | None] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def add(self, rows: list[Any]) -> None:
        """One answer: rows of the as-of date, the week and the value."""
        found = {version_of(str(day), value) for day, _, value in rows}
        self.versions.append(found.pop() if len(found) == 1 else None)


class Reader:
    """A process that prints the answer as JSON, again and again, until its standard input closes: with us, at last."""

    def __init__(self, folder: Path, *command: str | Path, files: dict[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        self._folder = folder
        with (folder / "answers").open("wb") as answers, (folder / "errors").open("wb") as errors:
            self._process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=answers, stderr=errors)

    @property
    def has_begun(self) -> bool:
        """Whether the first answer is there, or none will come."""
        return (self._folder / "answers").stat().st_size > 0 or self._process.poll() is not None

    def stopped(self) -> Told:
        """End the process and give what it was told."""
        told = Told()
        if self._process.poll() is not None:
            told.errors.append(f"ended by itself with {self._process.returncode}")
        self._process.communicate(timeout=120)
        if self._process.returncode:
            told.errors.append(f"ended with {self._process.returncode}")
        told.errors += [line for line in (self._folder / "errors").read_text().splitlines() if line.strip()]
        for rows in _documents((self._folder / "answers").read_text()):
            told.add([tuple(row.values()) if isinstance(row, dict) else row for row in rows])
        return told


def _documents(text: str) -> Iterator[list[Any]]:
    """The JSON documents that follow one another in a text."""
    decoder, rest = json.JSONDecoder(), text.lstrip()
    while rest:
        found, end = decoder.raw_decode(rest)
        yield found
        rest = rest[end:].lstrip()
