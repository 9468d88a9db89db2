"""Errors that are meant for people: each says what was wrong, what was kept, and what to do next."""


class ClienteleError(Exception):
    """Something a user can act on; the command line prints it without a traceback."""

    exit_code = 1


class InputError(ClienteleError):
    """A wrong argument, source file, configuration or input file."""

    exit_code = 2


class CheckError(ClienteleError):
    """A blocking data or model check failed; nothing was published."""

    exit_code = 1


class DamagedError(ClienteleError):
    """The working file is damaged; what is in it is built anew from what is kept."""


class InterruptedRunError(ClienteleError):
    """Somebody ended the run; the exit code is the one that shells use for an interrupt."""

    exit_code = 130


class DeliveryError(ClienteleError):
    """Customers were not told of elsewhere: the destination is away or refuses us, or too many would be removed."""


class BusyError(ClienteleError):
    """Another run holds the writer lock."""

    exit_code = 75
