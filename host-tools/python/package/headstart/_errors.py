"""Exceptions, by who can mend what is wrong."""


class Error(Exception):
    """What every exception of this module is; its text says what is wrong, where, and what to do."""


class InputError(Error, ValueError):
    """A model, a pack or a sample is not what it should be."""


class StateError(Error):
    """The state folder is not what it should be, or does not fit the pack."""


class CallerError(Error, ValueError):
    """What was asked for cannot be done with this pack and this state."""


class MachineError(Error, OSError):
    """The machine failed, or another process uses the state."""


class Stopped(Error):
    """The work was stopped before it was done, and nothing is changed."""


class RejectedWarning(UserWarning):
    """What was learned answers what was known before worse: the head before still answers."""
