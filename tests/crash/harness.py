"""Kills verbs and sees what becomes of their files: whole at every moment, in the end as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import yaml
from forks import Ended, Warm

from hats_mock import write_hats
from mixz.data.tables import write_table
from mixz.digest import seal_of
from toy_survey import toy_frame, toy_survey

DRAFT = ".mixz-"
UNFINISHED = (".lock", ".unfinished", ".part", ".part.tag")
"""Endings of names that say of themselves that something is not finished."""
STOPPED = "mixz: stopped ({}); every file written so far is whole\n"
MODEL = "out/toy/models/base"


@dataclass(frozen=True)
class Verb:
    """A verb to kill.

    Parameters
    ----------
    name
        What to call it.
    arguments
        The command.
    needs
        The verb whose files it reads; None where it needs the config and its tables only.
    verified
        What `mixz verify` must find whole afterwards.
    child
        What else `Warm.run` is to do.
    once
        What it says of files that are there already: those of a run that was killed when all was done.
    """

    name: str
    arguments: tuple[str, ...]
    needs: str | None = None
    verified: str | None = "out/toy"
    child: dict[str, Any] = field(default_factory=dict)
    once: str | None = None


VERBS = (
    Verb("build", ("build", "toy.yaml", "--format", "fits")),
    Verb("train", ("train", "toy.yaml"), needs="build"),
    Verb("evaluate", ("evaluate", "toy.yaml", "--resamples", "10"), needs="train"),
    Verb("report", ("report", "toy.yaml"), needs="evaluate"),
    Verb("run", ("run", "toy.yaml")),
    Verb("distill", ("distill", "toy.yaml", "--recipe", "fused", "--epochs", "2"), needs="train"),
    Verb("export", ("export", MODEL, "-o", "base.onnx"), needs="train", verified="base.onnx"),
    Verb("pack", ("export", MODEL, "-o", "base.mixz"), needs="train", verified="base.mixz"),
    Verb("predict", ("predict", MODEL, "new.csv", "-o", "photoz.parquet"), needs="train", verified=None),
    Verb("predict fits", ("predict", MODEL, "new.csv", "-o", "photoz.fits"), needs="train", verified=None),
    Verb(
        "predict qp",
        ("predict", "out/toy/models/fused", "new.csv", "-o", "photoz.hdf5", "--pdf", "interp", "--system", "wide"),
        needs="train",
        verified=None,
    ),
    Verb(
        "predict hats",
        ("predict", MODEL, "sky", "-o", "sky_photoz", "--workers", "1"),
        needs="train",
        verified=None,
        once="sky_photoz is there already",
    ),
    Verb(
        "nz",
        (
            *("nz", "out/toy/models/fused", "new.csv", "-o", "nz", "--bins", "2", "--resamples", "5"),
            *("--system", "wide", "--labels", "out/toy/galaxies.parquet"),
        ),
        needs="train",
        verified=None,
    ),
    Verb(
        "nz hats",
        (
            *("nz", "out/toy/models/fused", "sky", "-o", "nz", "--bins", "2", "--resamples", "5"),
            *("--system", "wide", "--labels", "out/toy/galaxies.parquet", "--workers", "1"),
        ),
        needs="train",
        verified=None,
    ),
    Verb("mock", ("mock", "--galaxies", "100", "--out", "mock"), verified=None, once="mock exists already"),
    Verb("challenge mock", ("challenge", "mock", "--out", "challenge"), verified=None, once="challenge exists already"),
    Verb(
        "challenge train",
        ("challenge", "train", "desc.hdf5", "-o", "desc.mixz", "--members", "1", "--epochs", "2"),
        verified="desc.mixz",
    ),
    Verb(
        "challenge estimate",
        ("challenge", "estimate", "desc.mixz", "desc.hdf5", "-o", "desc_pz.hdf5"),
        needs="challenge train",
        verified=None,
    ),
)
BY_NAME = {verb.name: verb for verb in VERBS}


def desc_table(galaxies: int) -> pd.DataFrame:
    """A training table in the columns of the DESC challenge, redshifts written into the colours."""
    rng = np.random.default_rng(5)
    z = rng.uniform(0.05, 2, galaxies)
    columns = {"object_id": np.arange(galaxies), "redshift": z}
    for k, band in enumerate("ugrizy"):
        columns[f"mag_{band}_lsst"] = 23 + rng.normal(0, 0.05, galaxies) - 0.4 * k * z
        columns[f"mag_{band}_lsst_err"] = np.full(galaxies, 0.03)
    return pd.DataFrame(columns)


def sky_table(galaxies: int) -> pd.DataFrame:
    """Galaxies of the toy survey's bands on a few square degrees."""
    rng = np.random.default_rng(6)
    return toy_frame(galaxies, seed=6).assign(ra=rng.uniform(10, 20, galaxies), dec=rng.uniform(-5, 5, galaxies))


@dataclass
class Tally:
    """What became of the kills of a verb."""

    verb: str
    kills: int = 0
    late: int = 0
    seconds: float = 0.0
    bytes_equal: int = 0
    arrays_equal: int = 0
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Lay it out as a line."""
        return (
            f"{self.verb:<32} kills {self.kills:>4}   ended before {self.late:>3}   mean time {self.seconds:6.2f} s   "
            f"files equal by bytes {self.bytes_equal}, by content {self.arrays_equal}   "
            f"differences {len(self.differences)}"
        )


@dataclass
class Crashes:
    """A folder of files in which verbs are killed, by a warm process.

    Parameters
    ----------
    place
        A folder for it.
    warm
        The process.
    seconds
        How long each verb takes that nobody disturbs, as far as is known.
    sky
        Whether a HATS catalogue is there too, which takes seconds to make.
    """

    place: Path
    warm: Warm
    seconds: dict[str, float] = field(default_factory=dict)
    sky: bool = False

    def __post_init__(self) -> None:
        """Write the survey, once."""
        self.home.mkdir(parents=True)
        settings = toy_survey(self.home) | {
            "out": "out",
            "recipes": ["base", "fused"],
            "network": {"hidden": [8]},
            "training": {"epochs": 2, "batch_size": 100},
        }
        (self.home / "toy.yaml").write_text(yaml.safe_dump(settings))
        shutil.copy(self.home / "wide.csv", self.home / "new.csv")
        write_table(desc_table(150), self.home / "desc.hdf5")
        if self.sky:
            write_hats(sky_table(60), self.home / "sky", rows=20)
        self._keep("config")

    @property
    def home(self) -> Path:
        """Where verbs run; always the same path, since files may name it."""
        return self.place / "home"

    def run(self, verb: Verb, **child: Any) -> Ended:
        """Run a verb as the home is."""
        return self.warm.run(list(verb.arguments), cwd=self.home, **(verb.child | child))

    def prepare(self, verb: Verb) -> None:
        """Put the home back to what it is before a verb; the verbs that it needs run once."""
        needed = verb.needs
        if needed is not None:
            self.undisturbed(BY_NAME[needed])
        shutil.rmtree(self.home)
        shutil.copytree(self._kept(needed or "config"), self.home)

    def undisturbed(self, verb: Verb) -> tuple[dict[str, str], float]:
        """What lies there after a verb that nobody disturbed, and how long it took; the files are kept."""
        if not self._kept(verb.name).exists():
            self.prepare(verb)
            ended = self.run(verb)
            assert ended.code == 0, f"{verb.name}: {ended.err}"
            self._keep(verb.name)
            self.seconds[verb.name] = ended.seconds
        return contents(self._kept(verb.name)), self.seconds[verb.name]

    def kill(
        self, verb: Verb, *, kills: int, seed: int, in_a_row: int = 1, send: signal.Signals = signal.SIGKILL
    ) -> Tally:
        """Kill a verb at random moments, and see after every kill and every success what lies there.

        Of a signal that it can hear, it must say so in one line.
        """
        least = 0.0 if send == signal.SIGKILL else 0.3  # a process that has only begun is not mixz yet
        code = -9 if send == signal.SIGKILL else 128 + send
        after, seconds = self.undisturbed(verb)
        name = verb.name if send == signal.SIGKILL else f"{verb.name}, {send.name}"
        tally, chance = Tally(name, seconds=seconds), random.Random(f"{name} {seed}")
        while tally.kills < kills and tally.late < 10 * kills:  # what ends at once cannot be killed so often
            self.prepare(verb)
            before = contents(self.home)
            for _ in range(in_a_row):
                moment = max(least, chance.uniform(0.02, 1.0) * self.seconds[verb.name])
                ended = self.run(verb, after=moment, send=send)
                where = f"{verb.name}, seed {seed}, {send.name} {tally.kills} after {moment:.3f} s"
                tally.kills, tally.late = tally.kills + (ended.code == code), tally.late + (ended.code != code)
                found = self._half(verb, before, after)
                if ended.code not in (0, code) or (ended.code == code > 0 and ended.err != STOPPED.format(send.name)):
                    found.append(f"ends with {ended.code}: {ended.err}")
                tally.differences += [f"{where}: {one}" for one in found]
            tally.differences += [f"{where}: {one}" for one in self.finish(verb, after, tally)]
        return tally

    def fail(self, verb: Verb, *, how: str, times: int, seed: int) -> Tally:
        """Let the disk fail from a change to a file on, or at it only, and see what a verb says and leaves."""
        after, seconds = self.undisturbed(verb)
        all_changes = self.changes(verb)
        tally, chance = Tally(f"{verb.name}, {how}", seconds=seconds), random.Random(f"{verb.name} {how} {seed}")
        for k, at in enumerate(chance.sample(range(1, all_changes + 1), min(times, all_changes))):
            self.prepare(verb)
            before = contents(self.home)
            ended = self.run(verb, changes={"below": str(self.home), "at": at, "how": how, "once": k % 2 == 1})
            tally.kills, tally.late = tally.kills + (ended.code != 0), tally.late + (ended.code == 0)
            found = self._half(verb, before, after)
            if ended.code:
                found += one_message(ended)
            found += self.finish(verb, after, tally)
            tally.differences += [f"{verb.name}, seed {seed}, {how} at {at} of {all_changes}: {f}" for f in found]
        return tally

    def changes(self, verb: Verb) -> int:
        """How many changes Python makes to files in a verb that nobody disturbs."""
        self.undisturbed(verb)
        self.prepare(verb)
        assert self.run(verb, changes={"below": str(self.home)}).code == 0
        return int((self.place / "out.txt.changes").read_text())

    def kill_at_changes(self, verb: Verb, *, kills: int, seed: int) -> Tally:
        """Kill a verb just before changes to files that chance chooses, and see as `kill` does."""
        after, seconds = self.undisturbed(verb)
        all_changes = self.changes(verb)
        tally, chance = Tally(f"{verb.name}, at changes", seconds=seconds), random.Random(f"{verb.name} {seed}")
        for at in chance.sample(range(1, all_changes + 1), min(kills, all_changes)):
            self.prepare(verb)
            before = contents(self.home)
            ended = self.run(verb, changes={"below": str(self.home), "at": at})
            tally.kills, tally.late = tally.kills + (ended.code == -9), tally.late + (ended.code != -9)
            found = self._half(verb, before, after) + self.finish(verb, after, tally)
            tally.differences += [f"{verb.name}, seed {seed}, before change {at} of {all_changes}: {f}" for f in found]
        return tally

    def finish(self, verb: Verb, after: dict[str, str], tally: Tally) -> list[str]:
        """Run a verb to its end, and list in what the files differ from those of an undisturbed run."""
        ended = self.run(verb)
        done_before = verb.once is not None and verb.once in ended.err
        self.seconds[verb.name] = min(ended.seconds, self.seconds[verb.name])  # the machine may have been busy before
        if ended.code and not done_before:
            return [f"ends with {ended.code}: {ended.err}"]
        found = contents(self.home)
        left = (
            []
            if done_before
            else [  # who writes nothing clears nothing away
                path.relative_to(self.home).as_posix() for path in self.home.rglob("*") if path.name.startswith(DRAFT)
            ]
        )
        wrong = [f"{name} is left" for name in left]
        wrong += [f"{name} is missing" for name in after.keys() - found.keys()]
        wrong += [f"{name} should not be there" for name in found.keys() - after.keys()]
        for name in after.keys() & found.keys():
            if found[name] == after[name]:
                tally.bytes_equal += 1
            elif same_content(self.home / name, self.kept(verb) / name):
                tally.arrays_equal += 1
            else:
                wrong.append(f"{name} differs")
        if verb.verified is not None:
            verified = self.warm.run(["verify", verb.verified], cwd=self.home)
            wrong += [verified.out + verified.err] if verified.code else []
        return wrong

    def _half(self, verb: Verb, before: dict[str, str], after: dict[str, str]) -> list[str]:
        """Files that are neither as before nor as after, and do not say of themselves that they are whole."""
        return [
            f"{name} is half"
            for name, digest in contents(self.home).items()
            if digest not in (before.get(name), after.get(name))
            and not any(part.endswith(UNFINISHED) for part in Path(name).parts)
            and "checkpoints" not in name
            and not whole(self.home / name)
            and not self._as_after(verb, name, after)
        ]

    def _as_after(self, verb: Verb, name: str, after: dict[str, str]) -> bool:
        """Whether a file has the content that it has in the end; of a PDF, whose PNG may be missing, its ends."""
        path = self.home / name
        if path.suffix == ".pdf":
            return path.read_bytes().startswith(b"%PDF") and path.read_bytes().rstrip().endswith(b"%%EOF")
        return name in after and same_content(path, self.kept(verb) / name)

    def kept(self, verb: Verb) -> Path:
        """Where the files of an undisturbed run lie."""
        return self._kept(verb.name)

    def _kept(self, name: str) -> Path:
        return self.place / "kept" / name

    def _keep(self, name: str) -> None:
        shutil.copytree(self.home, self._kept(name))


def one_message(ended: Ended) -> list[str]:
    """What is wrong with how a verb says that it cannot go on."""
    said = ended.err
    fine = ended.code == 2 and said.startswith("mixz: ") and said.count("\n") <= 4 and "Traceback" not in said
    return [] if fine else [f"ends with {ended.code}: {said}"]


def contents(folder: Path) -> dict[str, str]:
    """The digest of every file in a folder that has its final name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and DRAFT not in path.as_posix()
    }


def whole(path: Path) -> bool:
    """Whether a file carries a seal that is right."""
    try:
        return seal_of(path, do="") is not None
    except Exception:
        return False


def same_content(path: Path, other: Path) -> bool:
    """Whether two files that need not have the same bytes hold the same arrays."""
    if path.suffix == ".parquet":
        return bool(pq.read_table(path).equals(pq.read_table(other)))
    if path.suffix == ".hdf5":
        return _same_hdf5(path, other)
    if path.suffix == ".pdf":
        return _same_picture(path, other)
    if path.name.endswith("properties"):
        return _without_date(path) == _without_date(other)
    if path.name == "digests.json":
        return _without_pictures(path) == _without_pictures(other)
    return False


def _same_picture(path: Path, other: Path) -> bool:
    """What writes PDF lists fonts in any order, so that only PNG has the same bytes."""
    found, kept = path.read_bytes(), other.read_bytes()
    alike = len(found) == len(kept) and found.startswith(b"%PDF") and found.rstrip().endswith(b"%%EOF")
    return alike and path.with_suffix(".png").read_bytes() == other.with_suffix(".png").read_bytes()


def _without_date(path: Path) -> list[str]:
    """What a HATS catalogue says of itself but for when it was made."""
    return [line for line in path.read_text().splitlines() if not line.startswith(("#", "hats_creation_date"))]


def _without_pictures(path: Path) -> Any:
    """The record of a results folder but for its PDF files' digests, when inputs were last looked at, and its seal."""
    record = json.loads(path.read_text())
    for place, entry in record["files"].items():
        if place.endswith(".pdf"):
            entry.pop("sha256")
    return record | {"seal": "", "seen": {}}


def _same_hdf5(path: Path, other: Path) -> bool:
    import h5py

    def arrays(file: Any) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        file.visititems(lambda name, one: found.update({name: one[()].tobytes()} if hasattr(one, "shape") else {}))
        return found

    try:
        with h5py.File(path) as one, h5py.File(other) as two:
            return arrays(one) == arrays(two)
    except OSError:
        return False
