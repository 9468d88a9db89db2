"""Where an activation's changes go, as the source file and the environment say. How they travel, `webhook` and
`drop_folder` know.
"""

import base64
import binascii

from orchestration.activation.drop_folder import DropFolder
from orchestration.activation.sync import Destination
from orchestration.activation.webhook import Webhook
from orchestration.errors import InputError
from orchestration.intake.activations import Activation
from orchestration.intake.source_file import Source
from orchestration.settings import Settings

ENCODED = "whsec_"
"""How Standard Webhooks mark a secret in base64; any other is taken as it is written."""


def destination_of(name: str, one: Activation, *, source: Source, settings: Settings) -> Destination:
    """The destination of an activation.

    Raises:
        InputError: its folder is not there or is our own, or its address or secret is not set.
    """
    if one.folder is None:
        return _webhook(name, one, settings)
    folder = (source.path.parent / one.folder.expanduser()).resolve()
    if not folder.is_dir():
        raise InputError(f"actions.activations.{name}.folder: {folder} is no folder: make it, or correct the path.")
    if folder.is_relative_to(settings.data_dir.resolve()):
        raise InputError(
            f"actions.activations.{name}.folder: {folder} is in the data folder, where all of a person has to go when "
            "they are erased. Name a folder of whoever picks the files up."
        )
    return DropFolder(folder, one.format, one.columns)


def _webhook(name: str, one: Activation, settings: Settings) -> Webhook:
    given = {}
    for what in ("url", "secret"):
        found = settings.connections.get(f"{one.webhook}_{what}")
        if found is None:
            variable = f"CLIENTELE_CONNECTIONS__{one.webhook}_{what}".upper()
            raise InputError(
                f"actions.activations.{name}.webhook: {variable} is not set: give it the endpoint's {what}."
            )
        given[what] = found.get_secret_value().strip()
    if not given["url"].startswith(("https://", "http://")):
        variable = f"CLIENTELE_CONNECTIONS__{one.webhook}_URL".upper()
        raise InputError(f"actions.activations.{name}.webhook: {variable} is no address that begins with https://.")
    return Webhook(
        given["url"],
        _signing_key(name, given["secret"]),
        batch_size=one.batch_size,
        per_second=one.requests_per_second,
    )


def _signing_key(name: str, secret: str) -> bytes:
    if not secret.startswith(ENCODED):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(ENCODED), validate=True)
    except binascii.Error:
        raise InputError(
            f"actions.activations.{name}.webhook: its secret begins with {ENCODED} and is no base64."
        ) from None
