"""Why the dashboard cannot be served. Apart from everything else, so that the command line can name it at no cost."""


class CannotServeError(Exception):
    """The port cannot be had, or the key file cannot be used; the message says why and what to do."""
