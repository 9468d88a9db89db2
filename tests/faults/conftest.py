"""The disturbed runs that the suite makes, once."""

import shutil

import pytest

from tests.commands import Finished, clientele
from tests.faults.disturbed import killed
from tests.faults.undisturbed import stages


@pytest.fixture(scope="session")
def killed_thrice(first_run: Finished, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A plain run in a folder in which three were killed: in dbt, in a training and while publishing."""
    folder, source = tmp_path_factory.mktemp("killed") / "data", first_run.settings.source
    shutil.copytree(first_run.settings.data_dir, folder, symlinks=True)
    by_name = {stage.name: stage for stage in stages(first_run.stderr)}
    for name, share in (("marts", 0.6), ("train", 0.3), ("publish", 0.5)):
        killed(folder, source, by_name[name], share, *(["--retrain"] if name == "train" else []))
    return clientele("run", "--json", source=source, data_dir=folder)
