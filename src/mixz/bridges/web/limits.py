"""How much a server takes of its visitors, and how long it waits for them."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Numbers that keep a server answering, whoever asks.

    Parameters
    ----------
    max_mb
        Largest table, in megabytes, both as it is sent and as it is when unpacked.
    places
        Uploads that are received, wait, are at work or are answered at a time; on disk lie at most so many tables of
        `max_mb`, and what came of them.
    silence_s
        Longest time without a byte of a body, or without taking one of an answer.
    bytes_per_s
        Slowest line, on the average over a body, once `silence_s` has passed.
    headers_s
        Longest time for a request's headers, and for the rest of a body that was refused.
    connections
        Connections at a time.
    stop_s
        How long a prediction may take to notice that the server stops.

    Examples
    --------
    >>> Limits(max_mb=0.5).most_bytes
    500000
    """

    max_mb: float = 100.0
    places: int = 8
    silence_s: float = 60.0
    bytes_per_s: float = 20_000.0
    headers_s: float = 10.0
    connections: int = 200
    stop_s: float = 3.0

    @property
    def most_bytes(self) -> int:
        """Largest table, in bytes."""
        return int(self.max_mb * MEGABYTE)
