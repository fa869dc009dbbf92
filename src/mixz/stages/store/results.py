"""The results folder of a run: where every file lies, and whether it still belongs to the config."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from mixz.atomic import recover, replacing
from mixz.data.data_set.card import data_card
from mixz.data.data_set.galaxies_file import galaxies_columns, read_galaxies, read_provenance, write_galaxies
from mixz.data.data_set.inputs import require_inputs
from mixz.data.data_set.provenance import provenance
from mixz.data.data_set.release import RELEASES
from mixz.digest import OPEN_SEAL, seal
from mixz.errors import MixzError
from mixz.galaxies import GALAXIES_DIGEST
from mixz.metrics.differences import DIFFERENCE_FIELDS
from mixz.report.model_card import model_card
from mixz.settings.model_record import CARD, HISTORY, RECORD, read_record
from mixz.stages.store.digests import Digests, told_if_damaged
from mixz.stages.store.photoz_tables import read_photoz_table, write_photoz_table
from mixz.truths.learned import as_learned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from mixz.data.cuts import Ledger
    from mixz.data.data_set.inputs import Input
    from mixz.galaxies import GalaxySet
    from mixz.metrics.summary import Record
    from mixz.model.ensemble import Ensemble
    from mixz.photoz import PhotoZ
    from mixz.settings.config import Config
    from mixz.settings.model_record import ModelRecord
    from mixz.truths.truth import Truths

FLOWCHART = "figure_4_flowchart"


def label_truths(galaxies: GalaxySet, truths: Truths) -> list[str]:
    """Names of truths that real surveys could have (not the simulation's own) and that some galaxy here has."""
    return [name for name in galaxies.truths if not truths[name].simulated and galaxies.has(name).any()]


@dataclass(frozen=True)
class Results:
    """The folder ``out/<name>/`` of one config; reads refuse what is damaged or stale, and say which verb makes it.

    Parameters
    ----------
    config
        The settings that the files must have been made with.
    """

    config: Config

    @property
    def digests(self) -> Digests:
        """The record of what was made from what."""
        return Digests(self.config.folder)

    @property
    def galaxies_path(self) -> Path:
        """The galaxies that `build` makes."""
        return self.config.folder / "galaxies.parquet"

    @property
    def card_path(self) -> Path:
        """The data card that `build` writes."""
        return self.config.folder / "DATA_CARD.md"

    @property
    def ledger_path(self) -> Path:
        """The account of rows in and out that `build` makes."""
        return self.config.folder / "cuts.json"

    @property
    def flowchart_path(self) -> Path:
        """The flow chart that `build` draws; SVG and PDF lie beside it."""
        return self.figures_folder / f"{FLOWCHART}.png"

    @property
    def metrics_path(self) -> Path:
        """The records that `evaluate` makes."""
        return self.config.folder / "metrics.json"

    @property
    def differences_path(self) -> Path:
        """The differences between recipes that `evaluate` makes."""
        return self.config.folder / "differences.json"

    @property
    def estimates_path(self) -> Path:
        """The records of every point estimate of densities that `evaluate` makes."""
        return self.config.folder / "estimates.json"

    @property
    def tomography_path(self) -> Path:
        """The n(z) of tomographic bins, and their verdict, where the config asks for them."""
        return self.config.folder / "tomography.json"

    @property
    def figures_folder(self) -> Path:
        """The figures that `report` makes."""
        return self.config.folder / "figures"

    def model_path(self, recipe: str) -> Path:
        """The model folder that `train` makes."""
        return self.config.folder / "models" / recipe

    def record_path(self, recipe: str) -> Path:
        """The file of a model that names the others."""
        return self.model_path(recipe) / RECORD

    @property
    def checkpoints_folder(self) -> Path:
        """What an unfinished `train` has done so far."""
        return self.config.folder / "checkpoints"

    def photoz_path(self, recipe: str) -> Path:
        """The test galaxies' estimates that `evaluate` makes."""
        return self.config.folder / "photoz" / f"{recipe}.parquet"

    def write_galaxies(
        self,
        galaxies: GalaxySet,
        ledger: Ledger,
        inputs: Sequence[Input],
        formats: Sequence[str] = (),
        pairs: Mapping[str, GalaxySet] | None = None,
    ) -> None:
        """Write the galaxies of a build, its ledger, its data card, and the galaxies in further formats.

        `pairs` are galaxies of other tables that kernels are learned from, by truth (`read_pairs`).
        A further format that lies there from an earlier build is written anew too, so that all tell the same.
        """
        write_galaxies(
            galaxies, self.galaxies_path, provenance=provenance(self.config, galaxies, ledger, inputs, pairs)
        )
        about = read_provenance(self.galaxies_path)
        _write_json(self.ledger_path, [*ledger.as_rows(), *ledger.missing_rows()])
        with replacing(self.card_path) as draft:
            draft.write_text(data_card(about, list(galaxies_columns(galaxies))), encoding="utf-8")
        for name, release in RELEASES.items():
            path = self.config.folder / release.file
            if name in formats or path.exists():
                release.write(galaxies, path, about)

    def built_paths(self) -> list[Path]:
        """List what `build` wrote for others: galaxies, data card, ledger, flow chart, further formats."""
        further = [self.config.folder / release.file for release in RELEASES.values()]
        return [
            self.galaxies_path,
            self.card_path,
            self.ledger_path,
            self.flowchart_path,
            *(path for path in further if path.exists()),
        ]

    def read_galaxies(self) -> GalaxySet:
        """Read the galaxies.

        Raises
        ------
        MixzError
            They are missing or damaged, or were built with other settings or from other inputs.
        """
        about = read_provenance(self.galaxies_path)
        if about.get("build_digest") != self.config.build_digest():
            raise MixzError(
                f"{self.galaxies_path} was built with other bands, tables, cuts, truths or split than the config says",
                "galaxies built from this config",
                "run `mixz build` again",
            )
        self.digests.require(self.galaxies_path, "build")
        require_inputs(self.config, about.get("inputs", ()), self.digests.seen())
        return read_galaxies(self.galaxies_path)

    def truths(self) -> Truths:
        """Every truth, with kernels as `build` learned them where it was to.

        Whoever trains, calibrates, judges or draws asks these.
        """
        about = read_provenance(self.galaxies_path)
        return as_learned(self.config.known_truths(), about["kernel_scales"], about.get("kernel_corrections", {}))

    def read_model(self, recipe: str) -> Ensemble:
        """Read a trained model.

        Raises
        ------
        MixzError
            It is missing, or was trained with other galaxies or settings.
        """
        from mixz.model.folder import load_model

        recover(self.model_path(recipe))
        self.require_model(recipe)
        return load_model(self.model_path(recipe))

    def require_model(self, recipe: str) -> ModelRecord:
        """Refuse a model that is missing or damaged, or was trained with other galaxies or settings; needs no torch.

        Raises
        ------
        MixzError
            It is one of these.
        """
        path = self.model_path(recipe)
        record = read_record(path)
        of_config = record.provenance.get("train_digest") == self.config.train_digest(recipe)
        if not of_config or record.provenance.get(GALAXIES_DIGEST) != self.galaxies_digest():
            other = "galaxies than lie there" if of_config else "settings than the config says"
            raise MixzError(
                f"{path} was trained with other {other}",
                "a model trained from this config and its galaxies",
                f"run `mixz train` again (--recipe {recipe} trains only this one)",
            )
        self.digests.require(self.record_path(recipe), "train")
        return record

    def galaxies_digest(self) -> str:
        """The name of the galaxies that lie there."""
        return str(read_provenance(self.galaxies_path)[GALAXIES_DIGEST])

    def write_model(self, model: Ensemble, folder: Path) -> None:
        """Write a model folder and its card, both or none."""
        from mixz.model.folder import require_model_place, save_model

        require_model_place(folder)
        with replacing(folder) as draft:
            save_model(model, draft)
            _write_sealed(draft / CARD, self.model_card(draft))

    def write_model_card(self, recipe: str, records: Sequence[Record]) -> Path:
        """Write the card of a model with its metrics."""
        path = self.model_path(recipe) / CARD
        with replacing(path) as draft:
            _write_sealed(draft, self.model_card(self.model_path(recipe), records))
        return path

    def model_card(self, folder: Path, records: Sequence[Record] = ()) -> str:
        """The card of the model in a folder, in Markdown."""
        return model_card(read_record(folder).model_dump(mode="json"), read_provenance(self.galaxies_path), records)

    def read_curves(self, recipe: str) -> dict[str, list[list[float]]]:
        """Read how a recipe's training went: per step the validation losses of each member after each epoch.

        Raises
        ------
        MixzError
            The recipe has not been trained.
        """
        path = self.model_path(recipe) / HISTORY
        read_record(self.model_path(recipe))
        with told_if_damaged(path, "train"):
            steps = zip(self.config.recipe(recipe).steps, json.loads(path.read_text()), strict=True)
            return {
                f"{number}: {' + '.join(step.truths)}": history["validation_loss"]
                for number, (step, history) in enumerate(steps, start=1)
            }

    def write_photoz(self, recipe: str, photoz: PhotoZ) -> None:
        """Write the estimates of a recipe, every member's among them, and densities with their grid."""
        about = {"mixz": version("mixz"), "config": self.config.name, "model": recipe}
        about |= {"train_digest": self.config.train_digest(recipe)}
        write_photoz_table(self.photoz_path(recipe), photoz, about)

    def read_photoz(self, recipe: str, galaxies: GalaxySet) -> PhotoZ:
        """Read the estimates of a recipe for these galaxies.

        Raises
        ------
        MixzError
            They are missing, or are of other galaxies.
        """
        path = self.photoz_path(recipe)
        if not path.is_file():
            raise MixzError(f"no {path}", "estimates that `mixz evaluate` wrote", "run `mixz evaluate` first")
        self.digests.require(path, "evaluate")
        with told_if_damaged(path, "evaluate"):
            return read_photoz_table(path, galaxies)

    def write_records(
        self, records: Sequence[Record], differences: Sequence[Record] = (), estimates: Sequence[Record] = ()
    ) -> None:
        """Write the metrics, the differences between recipes, and the metrics of every estimate of densities.

        What is not a number becomes null, since JSON has no NaN.
        """
        told = {
            self.metrics_path: records,
            self.differences_path: differences,
            self.estimates_path: estimates,
        }
        for path, rows in told.items():
            _write_json(path, [{k: _json_number(v) for k, v in row.items()} for row in rows])

    def read_records(self) -> list[Record]:
        """Read the metrics: one record per recipe, truth, sample, range or bin, and metric (`metrics.summarize`).

        Raises
        ------
        MixzError
            `mixz evaluate` has not run.
        """
        return self._read_rows(self.metrics_path)

    def read_differences(self) -> list[Record]:
        """Read the differences between recipes (`metrics.summarize_differences`); empty where there is one recipe.

        Raises
        ------
        MixzError
            `mixz evaluate` has not run.
        """
        return self._read_rows(self.differences_path)

    def read_estimates(self) -> list[Record]:
        """Read the metrics of every point estimate (`metrics.summarize_estimates`); empty without densities.

        Raises
        ------
        MixzError
            `mixz evaluate` has not run.
        """
        return self._read_rows(self.estimates_path)

    def write_tomography(self, records: Sequence[Record], write: Mapping[str, Callable[[Path], None]]) -> None:
        """Write n(z) of tomographic bins: ``tomography.json``, and per recipe a folder of what `write` writes there."""
        asked = self.config.tomography
        told = {"asked": None if asked is None else asked.model_dump(mode="json"), "recipes": list(records)}
        _write_json(self.tomography_path, told)
        paths = [self.tomography_path]
        for recipe, write_into in write.items():
            paths.append(self.config.folder / "nz" / recipe)
            with replacing(paths[-1]) as draft:
                draft.mkdir()
                write_into(draft)
        self.digests.note("evaluate", paths, [self.galaxies_path, *map(self.record_path, self.config.recipes)])

    def read_tomography(self) -> list[Record]:
        """Read n(z) of tomographic bins, one record per recipe; empty where the config asks for none.

        Raises
        ------
        MixzError
            `mixz evaluate` has not run, or was asked otherwise.
        """
        if self.config.tomography is None:
            return []
        with self._told_by_evaluate(self.tomography_path) as told:
            asked, records = told["asked"], _RECORDS.validate_python(told["recipes"])
        if asked != self.config.tomography.model_dump(mode="json"):
            other = f"{self.tomography_path} is of other bins than the config asks for"
            raise MixzError(other, "these", "run `mixz evaluate` again")
        return records

    def _read_rows(self, path: Path) -> list[Record]:
        with self._told_by_evaluate(path) as told:
            rows = _RECORDS.validate_python(told)
        return [{k: math.nan if v is None and k in NUMBERS else v for k, v in row.items()} for row in rows]

    @contextmanager
    def _told_by_evaluate(self, path: Path) -> Iterator[Any]:
        """What a JSON file of `mixz evaluate` says; what the block cannot make of it is told."""
        if not path.is_file():
            raise MixzError(f"no {path}", "metrics of `mixz evaluate`", "run `mixz evaluate` first")
        self.digests.require(path, "evaluate")
        with told_if_damaged(path, "evaluate"):
            yield json.loads(path.read_text(encoding="utf-8"))


OF_RECORDS = ("mean", "std", "ensemble", "bootstrap", "corrected", "corrected_error", "value")
NUMBERS = frozenset(OF_RECORDS + DIFFERENCE_FIELDS)
"""Fields of records that are NaN where JSON has null."""
_RECORDS = TypeAdapter(list[dict[str, Any]])


def _write_json(path: Path, content: Any) -> None:
    with replacing(path) as draft:
        draft.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


def _write_sealed(path: Path, markdown: str) -> None:
    """Write Markdown that tells, in a comment that no reader shows, whether it is still as it was written."""
    path.write_text(f"{markdown}\n<!-- {OPEN_SEAL} -->\n", encoding="utf-8")
    seal(path)


def _json_number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
