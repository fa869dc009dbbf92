"""Members of an ensemble spread over Dask workers: on this machine or on many (needs the extra ``dask``)."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from logging import CRITICAL
from typing import TYPE_CHECKING, Any

from mixz.errors import MixzError, not_installed
from mixz.truths.known import KNOWN_TRUTHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.model.training.devices import Machine
    from mixz.settings.recipe import Step
    from mixz.truths.truth import Truths

LOOK_SECONDS = 0.1
"""How often it is looked whether a piece of work is done."""
AHEAD = 4
"""Pieces of work a core that are handed out at a time: what waits for a worker costs memory (ours)."""


@contextmanager
def dask_client(address: str | None = None, *, workers: int = 2) -> Iterator[Any]:
    """Connect to a Dask scheduler, or start `workers` processes on this machine for as long as the block runs.

    Parameters
    ----------
    address
        The scheduler's address, e.g. ``tcp://node1:8786``; its workers need mixz installed.  None: start workers here.
    workers
        How many processes to start here, one core each.

    Raises
    ------
    MixzError
        Dask is not installed, or no scheduler answers.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise not_installed("Dask is not installed", "dask") from error
    # Never Dask's default: a client that finds no scheduler would leave all later work of the process to nobody.
    if address is None:
        # What goes wrong on a worker is raised here too; Dask's own word of it is a traceback.
        local = LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=CRITICAL
        )
        with local, Client(local, set_as_default=False) as client:
            yield client
        return
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise MixzError(
            f"no Dask scheduler answers at {address}: {error}",
            "an address such as tcp://node1:8786",
            "start one (`dask scheduler`, then `dask worker ADDRESS`), or use --workers N for processes here",
        ) from error
    with client:
        yield client


def dashboard(client: Any) -> str:
    """Where a browser sees what the workers do; empty where Dask has no dashboard, for bokeh is not installed."""
    return str(client.dashboard_link) if find_spec("bokeh") and client.dashboard_link else ""


def train_step_on(
    client: Any,
    ensemble: Ensemble,
    galaxies: GalaxySet,
    step: Step,
    *,
    truths: Truths = KNOWN_TRUTHS,
    machine: Machine | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> Ensemble:
    """Train an ensemble for one more step with its members spread over Dask workers, as `train_one_step`.

    Members go out in the groups in which one process with as many cores would train them, so the weights are the same;
    to GPUs in a group for each worker.

    Parameters
    ----------
    client
        From `dask_client`.
    ensemble, galaxies, step, truths
        As `train_one_step` has them.
    machine
        The device and precision of every worker; float32 on the CPU if not given.  This process needs no such device.
    tell
        Called with how many groups are done, and of how many, whenever one is.

    Raises
    ------
    MixzError
        No worker is there, one lacks the device, or training went wrong on one of them.
    """
    from distributed import as_completed

    from mixz.model.ensemble import Ensemble
    from mixz.model.training.devices import Machine, shares

    threads = client.nthreads()
    if not threads:
        raise MixzError("the Dask scheduler has no workers", "one or more", "start some: `dask worker ADDRESS`")
    of_worker = replace(machine or Machine(), cores=1)
    if of_worker.device == "cuda":
        parts = shares(ensemble.members, len(threads))
    else:
        parts = replace(of_worker, cores=sum(threads.values())).parts(ensemble.members, step.batch_size)
    everywhere = client.scatter(galaxies, broadcast=True)
    jobs = [
        client.submit(_train, ensemble.subset(ensemble.numbers[part]), everywhere, step, truths, of_worker, pure=False)
        for part in parts
    ]
    for done, job in enumerate(as_completed(jobs, loop=client.loop), start=1):
        job.result()
        if tell:
            tell(done, len(jobs))
    trained: list[Ensemble] = client.gather(jobs)
    return Ensemble.joined(trained)


def tell_client(topic: str, words: Any) -> None:
    """Tell the client that started a piece of work how far it is; outside of a worker nobody is told."""
    from distributed import get_worker

    with suppress(ValueError):  # this is no worker
        get_worker().log_event(topic, words)


@contextmanager
def listening(client: Any, topic: str, hear: Callable[[Any], None]) -> Iterator[None]:
    """Hear what workers tell of a topic, from another thread, while the block runs."""
    client.subscribe_topic(topic, lambda event: hear(event[1]))
    try:
        yield
    finally:
        client.unsubscribe_topic(topic)


def spread(
    client: Any,
    work: Callable[..., Any],
    pieces: Mapping[Any, tuple[Any, ...]],
    *,
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[tuple[Any, Any]]:
    """Do pieces of work on workers, and give each piece's name and result when it is done, in whatever order.

    The pieces of a worker that dies are done again by another.  Some are handed out at a time, in their order, so that
    neither what waits nor what is done grows with how many there are.

    Parameters
    ----------
    client
        From `dask_client`.
    work
        A function of an importable module.
    pieces
        Its arguments, by name of the piece.
    meanwhile
        Called again and again while all are at work.

    Raises
    ------
    MixzError
        The work raised it, or several workers died of one piece.
    """
    from distributed import KilledWorker, as_completed

    jobs: dict[Any, Any] = {}
    left = iter(pieces.items())

    def handed_out() -> list[Any]:
        more = max(AHEAD * max(sum(client.nthreads().values()), 1) - len(jobs), 0)
        new = {client.submit(work, *arguments, pure=False): name for name, arguments in islice(left, more)}
        jobs.update(new)
        return list(new)

    try:
        waiting = as_completed(handed_out(), loop=client.loop)
        while not waiting.is_empty():
            if not waiting.has_ready():
                time.sleep(LOOK_SECONDS)
                if meanwhile:
                    meanwhile()
                continue
            job = next(waiting)
            try:
                result = job.result()
            except KilledWorker as error:
                raise MixzError(
                    f"workers died several times at {jobs[job]}",
                    "workers with enough memory, and room on the disk",
                    "give the workers more memory or take fewer, and run the same command again",
                ) from error
            # What is forgotten here the workers need not keep.
            name = jobs.pop(job)
            del job
            waiting.update(handed_out())
            yield name, result
            del result
    finally:
        client.cancel(list(jobs))


def _train(part: Ensemble, galaxies: GalaxySet, step: Step, truths: Truths, machine: Machine) -> Ensemble:
    """Train some members on a worker; none may be left, for the others go on."""
    from mixz.model.training.step import train_members

    return train_members(part, galaxies, step, truths=truths, machine=machine)
