"""Model files: every training in a folder of its own below `data/history/models`, with a card, checked before loading.

A file is skops, never pickle; it is loaded only if its hash is the card's and every type in it is on our own list.
How a model is made belongs in `ml`.
"""

import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from ml.gate import ServedBy
from ml.schemas import MODEL_COMPARISONS, MODEL_EVALUATIONS, MODEL_FAIRNESS, MODEL_VERSIONS, Schema, conform, empty
from orchestration.errors import ClienteleError
from orchestration.storage import kept_files

FOREIGN = (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, ImportError)
"""What reading a file ends in that is no skops file, or only looks like one."""


@dataclass(frozen=True)
class ModelCard:
    """What is known of one training: who serves and why, every candidate's status, and the numbers behind it."""

    model: str
    model_version: str
    source: str
    as_of_date: date
    trained_at: datetime
    horizon_days: int
    served_by: ServedBy
    candidate: str
    statuses: dict[str, str]
    reason: str
    config: dict[str, Any]
    library_versions: dict[str, str]
    model_sha256: str
    evaluations: list[dict[str, Any]]
    calibration_points: list[dict[str, Any]]
    reasons: dict[str, str] = field(default_factory=dict)
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    data_window: list[str] = field(default_factory=list)  # first and last date of the transactions learned from
    counts: dict[str, int] = field(default_factory=dict)
    fairness: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    sample: dict[str, Any] = field(default_factory=dict)  # day, features and score that later days are compared with
    quality: dict[str, Any] = field(default_factory=dict)  # of a language: what its figures are, and whether it serves
    erased_customers: dict[str, int] = field(default_factory=dict)  # by erasure since: whom it may have learned from


class ModelFiles:
    """The kept trainings of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, card: ModelCard, content: bytes) -> None:
        """Keep a training; it appears in one step, and the same training twice is kept once.

        Of one whose file was pruned, lost or damaged the file comes back.
        """
        place = self._folder / card.model_version
        if place.exists():
            if not self._is_whole(card):
                kept_files.write(self._file(card), content)
            return
        hidden = self._folder / f".{card.model_version}"
        shutil.rmtree(hidden, ignore_errors=True)
        hidden.mkdir(parents=True, mode=0o700)
        (hidden / "model.skops").write_bytes(content)
        (hidden / "card.json").write_text(json.dumps(vars(card), default=str, indent=1))
        kept_files.seal(hidden)
        hidden.rename(place)
        kept_files.sync(self._folder)

    def cards(self, *, source: str, as_of: date) -> list[ModelCard]:
        """Every training of a source up to a day, oldest first."""
        found = [_read_card(file) for file in self._folder.glob("[!.]*/card.json")]
        known = [card for card in found if card.source == source and card.as_of_date <= as_of]
        return sorted(known, key=lambda card: (card.as_of_date, card.trained_at, card.model_version))

    def latest(
        self, model: str, *, horizon_days: int, source: str, as_of: date, config: dict[str, Any]
    ) -> ModelCard | None:
        """The newest training that answers the same question under the same configuration, up to a day.

        One whose file was lost or is not the one that was kept is passed over, so that it is trained anew.
        """
        same = [
            card
            for card in self.cards(source=source, as_of=as_of)
            if (card.model, card.horizon_days, card.config) == (model, horizon_days, config) and self._is_whole(card)
        ]
        return same[-1] if same else None

    def prune(self, card: ModelCard, *, keep: int) -> list[str]:
        """Remove the files of all but the newest `keep` trainings of one source, model and horizon; cards stay.

        The given card's file stays whatever its age. Returns the versions whose file is gone.
        """
        same = [
            other
            for other in self.cards(source=card.source, as_of=date.max)
            if (other.model, other.horizon_days) == (card.model, card.horizon_days) and self._file(other).exists()
        ]
        retired = [other for other in same[: max(0, len(same) - keep)] if other.model_version != card.model_version]
        for other in retired:
            kept_files.remove(self._file(other))
        return [other.model_version for other in retired]

    def mark_erased(self, *, source: str, erasure: str, count: int) -> int:
        """Say of an erasure, by its name, on every card of a source how many customers it was; how many cards."""
        cards = self.cards(source=source, as_of=date.max)
        for card in cards:
            known = replace(card, erased_customers=card.erased_customers | {erasure: count})
            content = json.dumps(vars(known), default=str, indent=1)
            kept_files.write(self._folder / card.model_version / "card.json", content.encode())
        return len(cards)

    def load(self, card: ModelCard, *, trusted: Sequence[str]) -> Any:
        """The fitted estimator of a training.

        Raises:
            ClienteleError: the file is missing, not the one that was kept, no skops, or has a type that is not listed.
        """
        import skops.io  # 0.3 s that only training and scoring need
        from skops.io.exceptions import UntrustedTypesFoundException

        file = self._file(card)
        advice = "Remove its folder and run again: a model that is missing is trained anew."
        if not file.exists():
            raise ClienteleError(f"Model {card.model_version}: {file} is missing. {advice}")
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() != card.model_sha256:
            raise ClienteleError(f"Model {card.model_version}: {file} is not the file that was kept. {advice}")
        try:
            return skops.io.loads(content, trusted=list(trusted))
        except UntrustedTypesFoundException as error:
            raise ClienteleError(f"Model {card.model_version}: {error}. {advice}") from None
        except FOREIGN:
            raise ClienteleError(f"Model {card.model_version}: {file} is no skops file. {advice}") from None

    def _is_whole(self, card: ModelCard) -> bool:
        file = self._file(card)
        return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == card.model_sha256

    def _file(self, card: ModelCard) -> Path:
        return self._folder / card.model_version / "model.skops"


def dump(estimator: Any) -> bytes:
    """An estimator as skops, byte for byte the same for the same fit: object ids and clock times are numbered away."""
    import skops.io

    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator)))
    numbers: dict[str, str] = {}
    schema = re.sub(
        r'(?<="__id__": )\d+|(?<=")\d{6,}(?=\.[a-z]+")',
        lambda found: numbers.setdefault(found[0], str(len(numbers) + 1)),
        source.read("schema.json").decode(),
    )
    parts = {numbers[Path(name).stem]: name for name in source.namelist() if name != "schema.json"}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in sorted(parts, key=int):
            archive.writestr(zipfile.ZipInfo(number + Path(parts[number]).suffix), source.read(parts[number]))
        archive.writestr(zipfile.ZipInfo("schema.json"), schema)
    return target.getvalue()


def versions_frame(cards: Sequence[ModelCard]) -> pl.DataFrame:
    """MODEL_VERSIONS: what serves and what was refused, a row per model of the contest, and per rule that serves.

    Of the trainings of one model only the newest is champion or rule; those before it are retired.
    """
    newest = {(card.model, card.horizon_days): card.model_version for card in cards}
    rows = []
    for card in cards:
        is_newest = newest[card.model, card.horizon_days] == card.model_version
        for candidate, status in card.statuses.items():
            serves = candidate == card.candidate
            if serves or status in ("rejected", "challenger"):
                rows.append(
                    {
                        **{name: getattr(card, name) for name in ("model", "model_version", "horizon_days")},
                        **{name: getattr(card, name) for name in ("trained_at", "as_of_date")},
                        "candidate": candidate,
                        "reason": card.reasons.get(candidate, card.reason) + _erased_since(card),
                        "served_by": card.served_by if serves else None,
                        "status": status if is_newest or not serves else "retired",
                        "config": json.dumps(card.config, sort_keys=True),
                        "library_versions": json.dumps(card.library_versions, sort_keys=True),
                        "model_sha256": card.model_sha256 if serves else None,
                    }
                )
    return conform(pl.DataFrame(rows), MODEL_VERSIONS) if rows else empty(MODEL_VERSIONS)


def _erased_since(card: ModelCard) -> str:
    count = sum(card.erased_customers.values())
    return f" It may have learned from {count} customers who were erased since; the next training does not." * bool(
        count
    )


def comparisons_frame(cards: Sequence[ModelCard]) -> pl.DataFrame:
    """MODEL_COMPARISONS of the trainings."""
    return _of_trainings([(card, row) for card in cards for row in card.comparisons], MODEL_COMPARISONS)


def fairness_frame(cards: Sequence[ModelCard]) -> pl.DataFrame:
    """MODEL_FAIRNESS of the trainings."""
    return _of_trainings([(card, row) for card in cards for row in card.fairness], MODEL_FAIRNESS)


def _of_trainings(kept: Sequence[tuple[ModelCard, dict[str, Any]]], schema: Schema) -> pl.DataFrame:
    rows = [
        {"model": card.model, "model_version": card.model_version, "horizon_days": card.horizon_days, **row}
        for card, row in kept
    ]
    return conform(pl.DataFrame(rows, infer_schema_length=None), schema) if rows else empty(schema)


def evaluations_frame(cards: Sequence[ModelCard]) -> pl.DataFrame:
    """MODEL_EVALUATIONS of the trainings."""
    rows = [row | {"model_version": card.model_version} for card in cards for row in card.evaluations]
    if not rows:
        return empty(MODEL_EVALUATIONS)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return conform(frame.with_columns(pl.col("cutoff_date").cast(pl.String).str.to_date()), MODEL_EVALUATIONS)


def _read_card(file: Path) -> ModelCard:
    fields = json.loads(file.read_text())
    return ModelCard(
        **fields
        | {
            "as_of_date": date.fromisoformat(fields["as_of_date"]),
            "trained_at": datetime.fromisoformat(fields["trained_at"]),
        }
    )
