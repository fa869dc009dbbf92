"""HATS folders, the catalogues of LSDB: a Parquet file per piece of sky, read piece by piece and finished whole."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mixz.data.parquet.rows import fair_batches, rows_of
from mixz.data.sky import unit_vectors
from mixz.data.table_frames import arrow_frames
from mixz.errors import MixzError, not_installed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from mixz.data.sky import Box

PROPERTIES = ("hats.properties", "properties")
MARKS = (*PROPERTIES, "collection.properties", "partition_info.csv", "dataset")
"""What a folder has one of if it is meant as a HATS catalogue."""
SKY_INDEX = "_healpix_29"
"""The column that HATS sorts rows by."""
MAPS = ("point_map.fits", "skymap.fits")
"""Where on the sky the rows are; the same for every catalogue of the same rows."""


class Pixel(NamedTuple):
    """A piece of sky: HEALPix order, and number in nested order.

    Examples
    --------
    >>> str(Pixel(2, 37))
    'Norder=2/Npix=37'
    """

    order: int
    number: int

    def __str__(self) -> str:
        return f"Norder={self.order}/Npix={self.number}"


def is_hats(path: str | Path) -> bool:
    """Whether a path is a folder that is meant as a HATS catalogue, whole or not."""
    return Path(path).is_dir() and any((Path(path) / mark).exists() for mark in MARKS)


@dataclass(frozen=True)
class HatsFolder:
    """A HATS catalogue on disk; of a collection its main catalogue, without margins.

    Parameters
    ----------
    path
        The folder.
    catalogue
        What the hats package reads of it.
    """

    path: Path
    catalogue: Any

    @classmethod
    def open(cls, path: str | Path) -> HatsFolder:
        """Read what the folder says of itself.

        Raises
        ------
        MixzError
            hats is not installed, or the folder is no HATS catalogue or half of one.
        """
        try:
            import hats
        except ImportError as error:
            raise not_installed("hats is not installed", "hats") from error
        path = Path(path)
        try:
            # Nobody here needs its map of the sky; one that is damaged ends in a panic of the library that reads it.
            catalogue: Any = hats.read_hats(path, read_moc=False)
        except Exception as error:  # damaged files bring any error at all
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise _half(path, reason) from error
        catalogue = getattr(catalogue, "main_catalog", catalogue)
        if not hasattr(catalogue, "get_healpix_pixels"):
            raise MixzError(f"{path} is a HATS folder without rows on the sky", "an object catalogue", "name another")
        _require_inside(Path(str(catalogue.catalog_base_dir)), path)
        return cls(path, catalogue)

    def require_whole(self) -> None:
        """Refuse a catalogue some of whose files are not there: its writing was interrupted.

        Raises
        ------
        MixzError
            A file is missing.
        """
        missing = [pixel for pixel in self.pixels if not self.files(pixel)]
        if missing:
            raise _half(self.path, f"{len(missing)} of {len(self.pixels)} partitions are missing, e.g. {missing[0]}")

    @cached_property
    def pixels(self) -> tuple[Pixel, ...]:
        """The pieces of sky that have rows, in order of the sky."""
        found = self.catalogue.get_healpix_pixels()
        return tuple(Pixel(int(p.order), int(p.pixel)) for p in found)

    @property
    def rows(self) -> int:
        """How many rows the catalogue says it has; -1 where it does not say."""
        told = self.catalogue.catalog_info.total_rows
        return -1 if told is None else int(told)

    @property
    def position_columns(self) -> list[str]:
        """Name the columns of right ascension and declination."""
        info = self.catalogue.catalog_info
        return [name for name in (info.ra_column, info.dec_column) if name]

    def columns(self) -> list[str]:
        """List its columns, those inside nested ones aside."""
        return list(self.schema().names)

    def schema(self) -> pa.Schema:
        """What its files say of their columns."""
        if self.catalogue.schema is not None:
            return self.catalogue.schema
        file = self.files(self.pixels[0])[0]
        with _readable(file):
            return pq.read_schema(file)

    def files(self, pixel: Pixel) -> list[Path]:
        """List the Parquet files of a piece of sky: one, or those of a folder.

        Raises
        ------
        MixzError
            One of them is a link that leads out of the catalogue.
        """
        suffix = self.catalogue.catalog_info.npix_suffix or ".parquet"
        place = pixel_file(Path(str(self.catalogue.catalog_base_dir)), pixel, suffix)
        found = sorted(place.glob("*.parquet")) if place.is_dir() else [place] if place.is_file() else []
        for file in found:
            _require_inside(file, self.path)
        return found

    def near(self, box: Box | None) -> tuple[Pixel, ...]:
        """List the pieces of sky that may have places inside a box; the first one at least."""
        if box is None:
            return self.pixels
        return tuple(pixel for pixel in self.pixels if _touches(pixel, box)) or self.pixels[:1]

    def chunks(self, columns: Sequence[str], rows: int, box: Box | None = None) -> Iterator[pd.DataFrame]:
        """The rows of the pieces of sky near a box, so many at a time.

        Raises
        ------
        MixzError
            A file is missing.
        """
        self.require_whole()
        for pixel in self.near(box):
            for file in self.files(pixel):
                for batch in batches(file, columns, rows):
                    yield from arrow_frames(batch.select(list(columns)))


def batches(
    file: Path, columns: Sequence[str], rows: int, *, start: int = 0, stop: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Read a Parquet file so many rows at a time, the sky index as an ordinary column.

    Parameters
    ----------
    file, columns, rows
        The file, which columns, and how many rows at a time.
    start, stop
        The rows wanted; groups of rows without any of them stay unread.

    Raises
    ------
    MixzError
        The file is damaged.
    """
    with _readable(file):
        for batch in fair_batches(file, columns, rows, start=start, stop=stop):
            yield batch.replace_schema_metadata(None)


def file_rows(file: Path) -> int:
    """Count the rows of a Parquet file, by what it says of itself.

    Raises
    ------
    MixzError
        The file is damaged.
    """
    with _readable(file):
        return rows_of(file)


def file_columns(file: Path) -> list[str]:
    """List the columns of a Parquet file.

    Raises
    ------
    MixzError
        The file is damaged.
    """
    with _readable(file):
        return list(pq.read_schema(file).names)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError) as error:  # Arrow's are one of these
        reason = str(error).partition("\n")[0]
        raise MixzError(
            f"{file} cannot be read: {reason}", "a whole Parquet file", "fetch the catalogue again"
        ) from error


def pixel_file(folder: Path, pixel: Pixel, suffix: str = ".parquet") -> Path:
    """Where the rows of a piece of sky lie."""
    from hats.io.paths import pixel_catalog_file
    from hats.pixel_math import HealpixPixel

    return Path(str(pixel_catalog_file(folder, HealpixPixel(*pixel), npix_suffix=suffix)))


def finish(
    folder: Path, rows: Mapping[Pixel, int], like: HatsFolder, *, name: str, builder: str, suffix: str = ".parquet"
) -> None:
    """Make a catalogue of the Parquet files in a folder: metadata, list of partitions, properties, maps of the sky.

    Parameters
    ----------
    folder
        Where the files of all pieces of sky lie.
    rows
        Rows of every piece of sky that has any.
    like
        The catalogue whose rows they are.
    name, builder
        What to call the catalogue, and who made it.
    suffix
        What the name of a piece of sky ends in: ``.parquet`` for a file, ``/`` for a folder of files.
    """
    from hats.catalog import PartitionInfo
    from hats.io.parquet_metadata import write_parquet_metadata
    from hats.pixel_math import HealpixPixel

    write_parquet_metadata(folder)
    partitions = PartitionInfo([HealpixPixel(*pixel) for pixel in rows])
    partitions.write_to_file(folder / "partition_info.csv")
    base = Path(str(like.catalogue.catalog_base_dir))
    for file in [base / one for one in MAPS] + sorted(base.glob("skymap.*.fits")):
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    for left in PROPERTIES:  # of a run that was killed here: the size of all files, which they tell, would count them
        (folder / left).unlink(missing_ok=True)
    info = like.catalogue.catalog_info
    changed = info.new_provenance_dict(folder, builder=builder) | {
        "catalog_name": name,
        "total_rows": sum(rows.values()),
        "hats_max_rows": max(rows.values()),
        "hats_order": partitions.get_highest_order(),
        "default_columns": None,
        "npix_suffix": suffix,
    }
    info.copy_and_update(**changed).to_properties_file(folder)


def _touches(pixel: Pixel, box: Box) -> bool:
    """Whether a piece of sky may reach into a box: its centre is no farther than its size from it."""
    from cdshealpix.nested import healpix_to_lonlat
    from hats.pixel_math.healpix_shim import order2resol

    lon, lat = healpix_to_lonlat(np.array([pixel.number], dtype=np.uint64), pixel.order)
    centre = unit_vectors(np.asarray(lon.deg), np.asarray(lat.deg))[0]
    reach = float(np.asarray(order2resol(pixel.order)))  # no corner is farther from the centre than 0.83 of it
    return bool(((centre >= box.low - reach) & (centre <= box.high + reach)).all())


def _require_inside(file: Path, folder: Path) -> None:
    """Refuse what a link, or a name with dots in it, puts outside a folder."""
    if not file.resolve().is_relative_to(folder.resolve()):
        raise MixzError(f"{file} lies outside {folder}", "files inside the catalogue", "copy them into it")


def _half(path: Path, reason: str) -> MixzError:
    return MixzError(
        f"{path} is no whole HATS catalogue: {reason}",
        "a folder that LSDB, hats-import or `mixz predict` finished",
        "let its writer finish (an unfinished `mixz predict` goes on when run again), or fetch it again",
    )


def pixels_of(ra_deg: NDArray[np.floating[Any]], dec_deg: NDArray[np.floating[Any]], order: int) -> NDArray[np.int64]:
    """The piece of sky of an order that each place lies in, by number in nested order; -1 where it is no place."""
    from hats.pixel_math.healpix_shim import radec2pix

    known = np.isfinite(ra_deg) & (np.abs(dec_deg) <= 90)
    found = np.full(len(ra_deg), -1)
    found[known] = radec2pix(order, np.mod(ra_deg[known], 360), dec_deg[known])
    return found


def coarse_pixels(pixels: Sequence[Pixel], *, least_deg: float, most: int) -> tuple[int, NDArray[np.int64]]:
    """The finest pieces of sky that all places of a catalogue lie in, none smaller than some degrees, so many at most.

    Returns
    -------
    int, shape (piece,)
        Their order, and their numbers, rising.

    Examples
    --------
    >>> coarse_pixels([Pixel(1, 5), Pixel(2, 2)], least_deg=1, most=5)
    (2, array([ 2, 20, 21, 22, 23]))
    """
    found = 0, np.arange(12)
    for order in range(30):
        # A side of a pixel of order 0 is 58.6 degrees long.
        if order and 58.6 / 2**order < least_deg:
            break
        numbers: set[int] = set()
        for pixel in pixels:
            finer = order - pixel.order
            first = pixel.number << (2 * finer) if finer >= 0 else pixel.number >> (-2 * finer)
            numbers.update(range(first, first + 4 ** max(finer, 0)))
            if len(numbers) > most:
                return found
        found = order, np.array(sorted(numbers))
    return found
