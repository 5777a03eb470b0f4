"""One try to deliver an alert that did not work."""


class Undelivered(Exception):
    """Never leaves the room: the next try, or the log, has it."""
