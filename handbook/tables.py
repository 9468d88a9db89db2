"""Pages about the published tables, written from dbt's manifest: what a row is, each column, what is checked."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from handbook.checks import Checks
from orchestration.privacy.registry import Registry, Table
from orchestration.publishing.generations import PUBLIC_SCHEMAS

Node = Mapping[str, Any]

INTRODUCTION: Final = """# The tables

What is in `data/published/current/clientele.duckdb`, schema by schema. Each table says what one row is, what every
column means, what a run checks before it publishes, and what it is made from. Written from the dbt project; the same
words are comments on the tables and columns in the file itself. **of people** says what a value tells of them:
nothing, something of a group, something of one customer, or which customer ([privacy](../privacy.md)).

The [lineage](../lineage/index.html) shows all of dbt's models, published or not, with their SQL.
"""
TITLES: Final = {
    "marts": "Marts",
    "ml": "Scores and segments",
    "activation": "Activations",
    "quality": "Quality",
    "reports": "Reports",
}
PERSONAL: Final = {
    "none": "",
    "aggregate": "group",
    "customer": "customer",
    "identifier": "which customer",
    "direct": "who",
}


def pages(manifest: Node, registry: Registry) -> dict[str, str]:
    """Markdown by file name: one page for each folder of published tables, and `index.md` with all of them."""
    published = {key: node for key, node in _relations(manifest).items() if node["schema"] in PUBLIC_SCHEMAS}
    folders: dict[str, list[str]] = {}
    for key, node in sorted(published.items(), key=lambda item: _name(item[1])):
        folders.setdefault(_folder(node), []).append(key)
    checks = Checks(manifest)
    found, index = {}, [INTRODUCTION]
    for folder in sorted(folders):
        tables = {key: published[key] for key in folders[folder]}
        sections = [_section(key, manifest, registry, checks) for key in tables]
        found[f"{folder}.md"] = "\n".join([f"# {_title(folder)}\n", *sections])
        rows = [f"| [`{_name(node)}`]({_link(node)}) | {cell(node['description'])} |" for node in tables.values()]
        index += [f"## {_title(folder)}\n", "| table | what it is |", "| --- | --- |", *rows, ""]
    return {"index.md": "\n".join(index), **found}


def cell(text: str) -> str:
    """A text as it can stand in a cell of a table: no bar, no tag, one line."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _section(key: str, manifest: Node, registry: Registry, checks: Checks) -> str:
    """One table: what it is, its columns, and what holds of it."""
    node = _relations(manifest)[key]
    declared = registry.tables[_name(node)]
    lines = [f"## {_name(node)} {{ #{node['name']} }}\n", f"{cell(node['description'])}\n"]
    lines += ["| column | what | of people |", "| --- | --- | --- |"]
    for column in node["columns"].values():
        about = declared.column(column["name"])
        people = PERSONAL[about.personal] if about else ""
        name = f"`{column['name']}`<br>{column['data_type']}"
        lines.append(f"| {name} | {cell(column['description'])} | {people} |")
    lines += ["", *(f"- **{word}** {text}" for word, text in _facts(key, declared, manifest, checks)), ""]
    metrics = [metric for metric in manifest["metrics"].values() if _is_declared_beside(metric, node)]
    if metrics:
        lines += ["| metric | what |", "| --- | --- |"]
        lines += [f"| `{metric['name']}` | {cell(metric['description'])} |" for metric in metrics]
        lines += ["", "Ask for them with [`clientele metrics`](../metrics.md).\n"]
    return "\n".join(lines)


def _facts(key: str, declared: Table, manifest: Node, checks: Checks) -> Iterator[tuple[str, str]]:
    node = _relations(manifest)[key]
    grain, complete, told = checks.of(key)
    if grain:
        yield "Grain:", f"{grain}."
    if complete:
        yield "Never empty:", f"{complete}."
    if told:
        yield "Checked:", "; ".join(cell(words) for words in told) + "."
    if examples := checks.examples(key):
        yield "Shown by example:", "; ".join(examples) + "."
    parents = [_shown(parent, manifest) for parent in manifest["parent_map"][key] if parent in _relations(manifest)]
    yield "Made from", f"{', '.join(sorted(parents))}." if parents else "a Python asset (`orchestration/assets`)."
    children = manifest["child_map"][key]
    readers = sorted(_shown(child, manifest) for child in children if child in _relations(manifest))
    readers += sorted(manifest["exposures"][child]["label"] for child in children if child in manifest["exposures"])
    if readers:
        yield "Read by", f"{', '.join(readers)}."
    kept = "until the next run" if declared.retention == "run" else f"as long as its {declared.retention}"
    yield "Held for", f"{declared.purpose}, {kept} ([privacy](../privacy.md))."
    lineage = f"[lineage](../lineage/index.html#!/{node['resource_type']}/{key})"
    yield "Found in", f"`dbt_project/{node['original_file_path']}`, and in the {lineage}."


def _relations(manifest: Node) -> dict[str, Node]:
    """Models and sources: what has rows."""
    nodes = [*manifest["nodes"].items(), *manifest["sources"].items()]
    return {key: node for key, node in nodes if node["resource_type"] in ("model", "source")}


def _name(node: Node) -> str:
    return f"{node['schema']}.{node['name']}"


def _folder(node: Node) -> str:
    """The schema, or the schema and the folder in it."""
    inner = node["fqn"][2:-1] if node["resource_type"] == "model" else []
    return "_".join([node["schema"], *inner])


def _title(folder: str) -> str:
    schema, _, inner = folder.partition("_")
    return f"{TITLES[schema]}: {inner}" if inner else TITLES[schema]


def _link(node: Node) -> str:
    return f"{_folder(node)}.md#{node['name']}"


def _shown(key: str, manifest: Node) -> str:
    """A relation's name, with a link where it is published."""
    node = _relations(manifest)[key]
    return f"[`{_name(node)}`]({_link(node)})" if node["schema"] in PUBLIC_SCHEMAS else f"`{_name(node)}`"


def _is_declared_beside(metric: Node, node: Node) -> bool:
    return str(node.get("patch_path") or "").endswith(f"//{metric['original_file_path']}")
