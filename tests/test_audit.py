"""`make audit`: what it refuses, and that it claims nothing where nobody could be asked."""

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest

from orchestration.settings import PROJECT_DIR


@pytest.fixture
def audit() -> Any:
    spec = importlib.util.spec_from_file_location("audit", PROJECT_DIR / "deploy" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def package(**licences: str) -> dict[str, str]:
    unknown = dict.fromkeys(("License-Classifier", "License-Expression", "License-Metadata"), "UNKNOWN")
    return {"Name": "thing", "Version": "1"} | unknown | {f"License-{name}": text for name, text in licences.items()}


@pytest.mark.parametrize(
    ("licences", "is_refused"),
    [
        ({"Expression": "Apache-2.0"}, False),
        ({"Metadata": "BSD 3-Clause License\n\nCopyright, and then the GPL is mentioned in a long text" * 3}, False),
        ({"Classifier": "Mozilla Public License 2.0 (MPL 2.0)"}, False),
        ({"Expression": "GPL-2.0-only OR MIT"}, False),
        ({"Classifier": "GNU Lesser General Public License v3 (LGPLv3)"}, False),
        ({"Expression": "GPL-3.0-or-later"}, True),
        ({"Expression": "MIT AND GPL-3.0-only"}, True),
        ({"Classifier": "GNU General Public License v3 (GPLv3)"}, True),
        ({"Expression": "AGPL-3.0"}, True),
        ({"Metadata": "Proprietary"}, True),
        ({}, True),
    ],
)
def test_unknown_licences_and_those_that_bind_are_refused(
    audit: Any, licences: dict[str, str], is_refused: bool
) -> None:
    assert bool(audit.refused_licences([package(**licences)])) == is_refused


def pretend(folder: Path, answer: object) -> Path:
    """A program in place of pip-audit that answers so."""
    program = folder / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{answer if isinstance(answer, str) else json.dumps(answer)}\nEND\n")
    program.chmod(0o755)
    return folder


def test_what_nobody_could_say_is_not_called_sound(audit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("one==1 \\\n    --hash=sha256:0\ntwo==2 \\\n    --hash=sha256:0\n")
    skipped = {"name": "one", "skip_reason": "not found"}
    hit = {"name": "two", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}
    for answer, expected in (
        ("Traceback: no route to host", ([], 2)),
        ({"dependencies": [skipped, skipped | {"name": "two"}]}, ([], 2)),
        ({"dependencies": [skipped, hit]}, (["two 2: CVE-1; fixed in 2.1"], 1)),
        ({"dependencies": [hit | {"vulns": []}]}, ([], 0)),
    ):
        monkeypatch.setattr(audit, "BIN", pretend(tmp_path, answer))
        assert audit.vulnerabilities(lock) == expected
    assert os.access(tmp_path / "pip-audit", os.X_OK)
