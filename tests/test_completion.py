import os
import subprocess

import pytest

from tests.commands import CLIENTELE


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("clientele exp", {"explain"}), ("clientele run --so", {"--source"}), ("clientele query --f", {"--format"})],
)
def test_a_shell_is_offered_the_commands_and_options_that_there_are(typed: str, offered: set[str]) -> None:
    place = str(len(typed.split()) - 1)
    asked = {"_CLIENTELE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": place}
    done = subprocess.run([CLIENTELE], env=os.environ | asked, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_each_shell_can_be_had(shell: str) -> None:
    words = [CLIENTELE, "--show-completion", shell]
    named = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # else it is the shell that started us
    told = subprocess.run(words, env=named, capture_output=True, text=True, check=True).stdout
    assert "_CLIENTELE_COMPLETE" in told
