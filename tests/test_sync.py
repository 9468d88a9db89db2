"""Activations as a source file declares them: who is told of, by an asset and a command, and how a person goes."""

import json
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from pydantic import SecretStr

from orchestration.activation.audience import audience
from orchestration.activation.destinations import destination_of
from orchestration.activation.sync import Books
from orchestration.activation.webhook import Webhook
from orchestration.answers import summary
from orchestration.definitions import build_definitions
from orchestration.errors import ClienteleError, DeliveryError, InputError
from orchestration.intake.source_file import load_source
from orchestration.privacy.access import access
from orchestration.privacy.erasure import erase
from orchestration.runs import news
from orchestration.runs.runner import Outcome, run_job
from orchestration.settings import PROJECT_DIR
from tests.bytes import holding
from tests.commands import clientele
from tests.crm import SECRET, crm
from tests.published import PLAIN, Company

AT_RISK = "crm: {where: churn_probability > 0.5, columns: [risk_band, loyalty_tier], webhook: crm, shrink_share: 1}"
PEOPLE = {
    "customer-ann": {"churn_probability": 0.9, "risk_band": "high", "tier": "gold"},
    "customer-bob": {"churn_probability": 0.8, "risk_band": "high", "tier": "gold"},
    "customer-cas": {"churn_probability": 0.7, "risk_band": "high", "tier": "new"},
    "customer-dan": {"churn_probability": 0.1, "risk_band": "low", "tier": "new"},
    "customer-eve": {"risk_band": None, "tier": "new"},
}


def told(company: Company) -> Outcome:
    return run_job("sync", company.settings, config={}, listener=lambda _: None)


def books(company: Company) -> Books:
    return Books(company.settings.history_dir, "tiny_shop", "crm")


@pytest.mark.parametrize(
    ("activation", "words"),
    [
        ("crm: {where: churn_probabilty > 0.5, webhook: crm}", 'unable to find column "churn_probabilty"'),
        ("crm: {where: max(net_amount) > 5, webhook: crm}", "is not true or false of one customer"),
        ("crm: {where: net_amount >, webhook: crm}", "actions.activations.crm.where: 'net_amount >'"),
        ("crm: {columns: risk_bnd, webhook: crm}", "'risk_bnd' is no column; did you mean 'risk_band'?"),
        ("crm: {columns: customer_id, webhook: crm}", "customer_id goes with every change"),
        ("crm: {columns: risk_band}", "name either `folder` or `webhook`"),
        ("crm: {folder: out, webhook: crm}", "name either `folder` or `webhook`"),
        ("crm: {folder: out, fromat: csv}", "crm.fromat: unknown key; did you mean 'format'?"),
        ("crm: {folder: out, shrink_share: 30}", "crm.shrink_share: Input should be less than or equal to 1"),
        ("Crm 1: {folder: out}", "String should match pattern"),
    ],
)
def test_what_cannot_be_an_activation_is_refused_with_a_way_out(tmp_path: Path, activation: str, words: str) -> None:
    file = tmp_path / "shop.yml"
    file.write_text(f"{PLAIN}actions:\n  activations:\n    {activation}\n")
    with pytest.raises(InputError, match=r"shop.yml: actions.activations") as refused:
        load_source(file)
    assert words in str(refused.value)


def test_the_page_about_activations_shows_what_a_source_file_takes(tmp_path: Path) -> None:
    page = (PROJECT_DIR / "docs" / "activation.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "shop.yml").write_text(PLAIN + example)
    assert set(load_source(tmp_path / "shop.yml").actions.activations) == {"at_risk", "vip_list"}


def test_those_are_told_of_who_meet_the_condition_allow_marketing_and_are_nobodys_control(tmp_path: Path) -> None:
    company = Company(tmp_path, AT_RISK)
    company.publish(PEOPLE, refusing=("customer-bob",), control=("customer-cas",))
    source = company.source
    found = audience("crm", source.actions.activations["crm"], source=source, settings=company.settings)
    assert found.rows() == [("customer-ann", "high", "gold")]
    everybody = Company(tmp_path, "crm: {webhook: crm}")
    found = audience("crm", everybody.source.actions.activations["crm"], source=source, settings=company.settings)
    assert found["customer_id"].to_list() == ["customer-ann", "customer-dan", "customer-eve"]


def test_nobody_is_told_of_before_a_control_group_is_drawn_by_an_earlier_release_or_of_another_source(
    tmp_path: Path,
) -> None:
    company = Company(tmp_path, AT_RISK)
    one = company.source.actions.activations["crm"]
    with pytest.raises(InputError, match="nothing of tiny_shop is published"):
        audience("crm", one, source=company.source, settings=company.settings)
    company.publish(PEOPLE)
    manifest = company.settings.published_dir / "current" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("ml.experiment_results", "ml.something_else"))
    with pytest.raises(InputError, match="an earlier release published it"):
        audience("crm", one, source=company.source, settings=company.settings)
    company.publish(PEOPLE, is_held_out=False)
    with pytest.raises(InputError, match="no global control group yet"):
        audience("crm", one, source=company.source, settings=company.settings)
    other = company.source.model_copy(update={"name": "another"})
    with pytest.raises(InputError, match="nothing of another is published"):
        audience("crm", one, source=other, settings=company.settings)
    willing = Company(tmp_path, AT_RISK, more="  global_control_share: 0\n")
    assert audience("crm", one, source=willing.source, settings=company.settings).height == 3


def test_a_destination_is_what_the_source_file_and_the_environment_say(tmp_path: Path) -> None:
    company = Company(tmp_path, "crm: {webhook: crm, batch_size: 7}\n    files: {folder: out}")
    source, settings = company.source, company.settings
    hook = destination_of("crm", source.actions.activations["crm"], source=source, settings=settings)
    assert isinstance(hook, Webhook)
    assert (hook.url, hook.secret, hook.batch_size) == ("http://127.0.0.1:9/away", SECRET, 7)
    for connections, words in (
        ({}, "CLIENTELE_CONNECTIONS__CRM_URL is not set"),
        ({"crm_url": SecretStr("http://127.0.0.1:9")}, "CLIENTELE_CONNECTIONS__CRM_SECRET is not set"),
        ({"crm_url": SecretStr("file:///secret"), "crm_secret": SecretStr("x")}, "CRM_URL is no address"),
        ({"crm_url": SecretStr("http://127.0.0.1:9"), "crm_secret": SecretStr("whsec_?")}, "is no base64"),
    ):
        less = settings.model_copy(update={"connections": connections})
        with pytest.raises(InputError, match=words) as refused:
            destination_of("crm", source.actions.activations["crm"], source=source, settings=less)
        assert "secret" not in str(refused.value).replace("the endpoint's secret", "").replace("its secret", "")
    encoded = settings.model_copy(
        update={"connections": {"crm_url": SecretStr("https://x"), "crm_secret": SecretStr("whsec_aGVsbG8=")}}
    )
    hook = destination_of("crm", source.actions.activations["crm"], source=source, settings=encoded)
    assert isinstance(hook, Webhook)
    assert hook.secret == b"hello"
    with pytest.raises(InputError, match="out is no folder"):
        destination_of("files", source.actions.activations["files"], source=source, settings=settings)
    (settings.data_dir / "out").mkdir(parents=True)
    (tmp_path / "out").symlink_to(settings.data_dir / "out")
    with pytest.raises(InputError, match="is in the data folder"):
        destination_of("files", source.actions.activations["files"], source=source, settings=settings)


def test_a_sync_is_an_asset_and_a_row_in_a_log_and_tells_only_what_changed(tmp_path: Path) -> None:
    with crm() as server:
        company = Company(tmp_path, AT_RISK, url=server.url)
        company.publish(PEOPLE, control=("customer-cas",))
        assert told(company).error is None
        assert server.held == {
            one: {"customer_id": one, "risk_band": "high", "loyalty_tier": "gold"}
            for one in ("customer-ann", "customer-bob")
        }
        company.publish(
            PEOPLE | {"customer-ann": PEOPLE["customer-ann"] | {"tier": "new"}},
            refusing=("customer-bob",),
            control=("customer-cas",),
        )
        assert told(company).error is None
        assert told(company).error is None
        assert {one: row["loyalty_tier"] for one, row in server.held.items()} == {"customer-ann": "new"}
        assert server.seen == {"customer-ann", "customer-bob"}
    counts = books(company).log.select("status", "added_count", "updated_count", "removed_count", "accepted_count")
    assert counts.rows() == [("complete", 2, 0, 0, 2), ("complete", 0, 1, 1, 2), ("complete", 0, 0, 0, 0)]
    with dg.DagsterInstance.from_config(str(company.settings.dagster_home)) as instance:
        events = instance.fetch_materializations(dg.AssetKey(["sync", "crm"]), limit=5).records
    metadata = [{key: value.value for key, value in event.asset_materialization.metadata.items()} for event in events]  # type: ignore[union-attr]
    assert [(one["added_count"], one["removed_count"], one["dagster/row_count"]) for one in reversed(metadata)] == [
        (2, 0, 2), (0, 1, 1), (0, 0, 1),
    ]  # fmt: skip
    (last,) = summary.syncs(company.settings)
    assert (last["activation"], last["status"], last["removed_count"]) == ("crm", "complete", 0)


def test_an_endpoint_that_refuses_us_ends_a_sync_for_people_and_is_made_up_for(tmp_path: Path) -> None:
    with crm() as server:
        company = Company(tmp_path, AT_RISK, url=server.url)
        company.publish(PEOPLE)
        server.answers = [(401, {})]
        error = told(company).error
        assert isinstance(error, DeliveryError)
        assert "answers 401" in str(error)
        assert "open-sesame" not in str(error)
        assert told(company).error is None
        assert len(server.held) == 3
    assert books(company).log.select("status", "pending_count").rows() == [("interrupted", 3), ("complete", 0)]


def test_the_command_tells_writes_files_for_a_folder_and_status_shows_it(tmp_path: Path) -> None:
    company = Company(tmp_path, "crm: {where: risk_band = 'high', columns: [net_amount, risk_band], folder: out}")
    (tmp_path / "out").mkdir(mode=0o755)
    company.publish(PEOPLE, control=("customer-cas",))
    places = {"data_dir": company.settings.data_dir, "source": company.settings.source}
    (row,) = clientele("sync", "--json", **places).summary["syncs"]
    assert (row["status"], row["added_count"], row["accepted_count"]) == ("complete", 2, 2)
    (file,) = (tmp_path / "out").iterdir()
    assert file.stat().st_mode & 0o777 == 0o644
    assert pl.read_csv(file).drop("change_id").rows() == [
        ("added", "customer-ann", 1, None, "high"), ("added", "customer-bob", 1, None, "high"),
    ]  # fmt: skip
    company.settings.source.write_text(PLAIN)
    nobody = clientele("sync", **places)
    assert nobody.exit_code == 2
    assert "declares no destination" in nobody.stderr


def test_a_refresh_tells_nobody_and_only_a_declared_activation_has_asset_job_and_sensor(tmp_path: Path) -> None:
    company = Company(tmp_path, AT_RISK)
    definitions = build_definitions(company.settings)
    key = dg.AssetKey(["sync", "crm"])
    assert definitions.resolve_job_def("sync").asset_layer.executable_asset_keys == {key}
    assert key not in definitions.resolve_job_def("refresh").asset_layer.executable_asset_keys
    assert definitions.resolve_sensor_def("sync_sensor").job_name == "sync"
    company.settings.source.write_text(PLAIN)
    plain = build_definitions(company.settings)
    assert "sync_sensor" not in {sensor.name for sensor in plain.sensors or []}
    assert key not in plain.resolve_asset_graph().get_all_asset_keys()


def test_what_was_told_elsewhere_is_no_news_for_the_tables(tmp_path: Path) -> None:
    with crm() as server:
        company = Company(tmp_path, AT_RISK, url=server.url)
        company.publish(PEOPLE)
        before = news.state(source=company.source, requested_as_of=None, settings=company.settings)
        assert told(company).error is None
    assert before is not None
    assert news.state(source=company.source, requested_as_of=None, settings=company.settings) == before


def test_whoever_is_erased_is_removed_where_they_were_told_of_and_then_forgotten_here(tmp_path: Path) -> None:
    with crm() as server:
        company = Company(tmp_path, AT_RISK, url=server.url)
        company.publish(PEOPLE)
        assert told(company).error is None
        (row,) = access(company.settings, "customer-ann", source=company.source)["held"]["history/activations"]["crm"]
        assert (row["operation"], row["fate"]) == ("added", "accepted")
        receipt, unknown = erase(company.settings, ["customer-ann", "customer-dan"], source=company.source)
        assert set(server.held) == {"customer-bob", "customer-cas"}
        assert told(company).error is None
        assert set(server.held) == {"customer-bob", "customer-cas"}
    assert (receipt.rows_by_place["history/activations"], unknown) == (1, [])
    assert books(company).ledger["customer_id"].to_list() == ["customer-bob", "customer-cas"]
    assert books(company).log["removed_count"].to_list() == [0, 1, 0]
    assert holding(company.settings.data_dir, ["customer-ann", "customer-dan"], settings=company.settings) == {}


def test_nobody_is_erased_while_a_destination_does_not_hear_of_it(tmp_path: Path) -> None:
    with crm() as server:
        company = Company(tmp_path, AT_RISK, url=server.url)
        company.publish(PEOPLE)
        assert told(company).error is None

        def refused(error: type[ClienteleError], words: str) -> None:
            with pytest.raises(error, match=words):
                erase(company.settings, ["customer-ann"], source=company.source)
            assert "customer-ann" in server.held
            assert "customer-ann" in books(company).ledger["customer_id"].to_list()
            assert not (company.settings.history_dir / "tombstones").exists()

        server.answers = [(404, {})]
        refused(DeliveryError, "answers 404")
        server.poison = {"customer-ann"}
        refused(ClienteleError, r"refuses to remove 1 customers \(422\)")
        declared = company.settings.source.read_text()
        company.settings.source.write_text(PLAIN)
        refused(InputError, "crm is not declared any more")
        company.settings.source.write_text(declared)
        server.poison = set()
        erase(company.settings, ["customer-ann"], source=company.source)
        assert "customer-ann" not in server.held


def test_the_ledger_is_private_and_its_log_names_nobody(tmp_path: Path) -> None:
    with crm() as server:
        company = Company(tmp_path, AT_RISK, url=server.url)
        company.publish(PEOPLE)
        assert told(company).error is None
    logs = company.settings.history_dir / "syncs"
    assert holding(logs, PEOPLE, settings=company.settings) == {}
    assert (
        holding(company.settings.dagster_home, [*PEOPLE, "open-sesame", SECRET.decode()], settings=company.settings)
        == {}
    )
    assert json.dumps(summary.syncs(company.settings), default=str).count("customer-") == 0
