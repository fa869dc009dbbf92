"""The journal of a pass over a catalogue: which parts are summed, and the sums of the first, in memory and on disk.

Parts are added in the order of the catalogue, whoever was first, so that sums are the same to the last bit.  They are
written down when as much has been added as they are large, and the parts' own sums go: neither memory nor disk grows
with the catalogue.
"""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from mixz.atomic import replacing
from mixz.bridges.nz.kept import is_whole, read_sample, read_sums, read_total, write_total
from mixz.bridges.nz.parts import Noted
from mixz.bridges.nz.tables import joined
from mixz.tomography.sums import DensitySums

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mixz.bridges.hats.parts import Part
    from mixz.bridges.nz.parts import NzJob
    from mixz.bridges.nz.tables import NzTable

MOST_TOLD = 20
"""Different things that are told of a catalogue's values."""


@dataclass(eq=False)
class Journal:
    """Which parts are summed, and the sums of the first of them.

    Parameters
    ----------
    job, parts
        What is summed, in the order in which sums are added.
    noted
        What parts came to.
    added
        How many parts the sums hold, from the first.
    written, fresh
        How many of these are written down, and bytes of sums that were added since.
    sums
        The sums; None where no part of them has rows.
    """

    job: NzJob
    parts: Sequence[Part]
    noted: dict[Part, Noted] = field(default_factory=dict)
    added: int = 0
    written: int = 0
    fresh: int = 0
    sums: DensitySums | None = None

    @classmethod
    def opened(cls, job: NzJob, parts: Sequence[Part]) -> Journal:
        """What a pass left of whole files; of a first one, nothing.  What it did not take away any more goes."""
        found = cls(job, parts)
        found._read_total()
        with ThreadPoolExecutor() as pool:
            whole = pool.map(found._whole, range(len(parts)))
            found.noted = {part: noted for part, noted in zip(parts, whole, strict=True) if noted is not None}
        found._clear(0)
        found._add()
        return found

    def note(self, part: Part, noted: Noted) -> None:
        """Take note of a part that is summed."""
        self.noted[part] = noted
        self._add()

    def left_out(self) -> Counter[str]:
        """How many galaxies may be in no bin, by the reason."""
        found = Counter[str]()
        for part in self.parts:
            found.update(self.noted[part].left_out)
        return found

    def told(self) -> list[str]:
        """What a person should look at in the catalogue's values."""
        return list(islice(dict.fromkeys(text for part in self.parts for text in self.noted[part].told), MOST_TOLD))

    def sample(self) -> NzTable:
        """The galaxies of the sample, in an order that does not tell how the catalogue was cut."""
        rows = joined([read_sample(self.job.sample_file(part)) for part in self.parts if self.noted[part].sample])
        return rows.rows(np.lexsort((rows.dec_deg, rows.ra_deg)))

    def _add(self) -> None:
        """Add the sums of the parts that are next, and write all down when it is worth it."""
        while self.added < len(self.parts) and (part := self.parts[self.added]) in self.noted:
            if self.noted[part].sums:
                layout, sums = read_sums(self.job.sums_file(part))
                self.sums = self.sums or DensitySums(layout)
                self.sums.add(sums)
                self.fresh += sums.values.nbytes
            self.added += 1
            if self.sums is not None and self.fresh >= self.sums.summed.nbytes:
                self._write_total(self.sums)

    @property
    def _told(self) -> Path:
        return self.job.draft / "sums.json"

    def _total(self, added: int) -> Path:
        return self.job.draft / f"sums-{added}.npz"

    def _read_total(self) -> None:
        """Read the sums that were written down, if they are whole; else every part counts as not yet added."""
        try:
            told = json.loads(self._told.read_text())
            added, digest = int(told["added"]), str(told["sha256"])
        except (OSError, ValueError, TypeError, KeyError):
            return
        if is_whole(self._total(added), digest):
            self.added = self.written = added
            self.sums = read_total(self._total(added))

    def _write_total(self, sums: DensitySums) -> None:
        digest = write_total(self._total(self.added), sums)
        with replacing(self._told) as draft:
            draft.write_text(json.dumps({"added": self.added, "sha256": digest}))
        before, self.written, self.fresh = self.written, self.added, 0
        self._clear(before)

    def _whole(self, number: int) -> Noted | None:
        """What is noted of a part, if its files are whole: its sample, and its sums where all are not written down."""
        part = self.parts[number]
        try:
            noted = Noted(**json.loads(self.job.note(part).read_text()))
        except (OSError, ValueError, TypeError):
            return None
        files = [(self.job.sample_file(part), noted.sample)]
        files += [(self.job.sums_file(part), noted.sums)] if number >= self.written else []
        return noted if all(not digest or is_whole(file, digest) for file, digest in files) else None

    def _clear(self, before: int) -> None:
        """Take away what is written down elsewhere: the sums of parts from one on, and older sums of all."""
        for part in self.parts[before : self.written]:
            self.job.sums_file(part).unlink(missing_ok=True)
        for file in self.job.draft.glob("sums-*.npz"):
            if file != self._total(self.written):
                file.unlink()
