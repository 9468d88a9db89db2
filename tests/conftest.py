"""What tests share: the tiny shop, one run of it through the command line, and the data folder that it left.

A full run takes half a minute or more, so a module asks for another only where another is its subject.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.settings import Settings
from tests.commands import Finished, clientele
from tests.shop import Shop, write_shop


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> Iterator[None]:
    """The variables of whoever runs the tests stay out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("CLIENTELE_") and name != "CLIENTELE_TEST_DATA":
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The tiny shop's files."""
    return write_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def first_run(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """`clientele run --json` on the tiny shop, into a data folder that tests read and never change."""
    return clientele("run", "--json", source=shop.source, data_dir=tmp_path_factory.mktemp("first") / "data")


@pytest.fixture(scope="session")
def settings(first_run: Finished) -> Settings:
    """The settings of the first run, which published."""
    assert first_run.exit_code == 0, first_run.stderr
    return first_run.settings


@pytest.fixture(scope="session")
def published(settings: Settings) -> Path:
    """What the first run published."""
    return settings.published_dir / "current"


@pytest.fixture(scope="session")
def second_folder(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy of the first run's data folder, for tests that run in it again."""
    folder = tmp_path_factory.mktemp("second") / "data"
    shutil.copytree(settings.data_dir, folder, symlinks=True)
    return settings.model_copy(update={"data_dir": folder})
