"""The command line: arguments and messages only; every verb is one call into `stages`.

However a verb ends, it says so in a line or two, and leaves whole files only.
"""

from __future__ import annotations

import sys

from mixz.cli.ending import Stops, steady_streams, told


def main() -> None:
    """Run the command line; what goes wrong outside of it ends in one message.

    Exit codes: 2 for a mistake of the user and for a machine that fails (a full disk, no memory), 128 and the signal's
    number where a signal ended it.
    """
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    steady_streams()
    with Stops() as stops:
        try:
            # All of these take a while to load, in which a signal may come.
            from mixz.cli.loading import loading
            from mixz.cli.loudness import speaking, told_in

            loudness, arguments = told_in(arguments)
            with speaking(loudness):
                with loading():
                    from mixz.cli.verbs import app
                app(arguments)
        except BaseException as error:
            if debug or (code := told(error, stops)) is None:
                raise
            sys.exit(code)
