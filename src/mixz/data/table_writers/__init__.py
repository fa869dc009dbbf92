"""Tables written piece by piece, in the memory of one piece; however they are cut into pieces, they hold the same.

A writer is a context that gives a function to append rows with.  The first piece, which may have no rows, tells the
columns; the file is whole when the context ends.  Text may be of any width, and of another in every piece.
"""

from mixz.data.table_writers.append import Append
from mixz.data.table_writers.fits import fits_writer
from mixz.data.table_writers.hdf5 import grow, hdf5_writer, note_columns
from mixz.data.table_writers.notes import MIXZ_KEY, Note, TableNotes
from mixz.data.table_writers.parquet import ParquetPieces, described, noted, parquet_writer
from mixz.data.table_writers.plain_columns import is_text, plain, without_nulls
from mixz.data.table_writers.text_files import csv_writer, ecsv_writer

__all__ = [
    "MIXZ_KEY",
    "Append",
    "Note",
    "ParquetPieces",
    "TableNotes",
    "csv_writer",
    "described",
    "ecsv_writer",
    "fits_writer",
    "grow",
    "hdf5_writer",
    "is_text",
    "note_columns",
    "noted",
    "parquet_writer",
    "plain",
    "without_nulls",
]
