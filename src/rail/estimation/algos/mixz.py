"""RAIL stages around mixz: tables in, qp ensembles out; all science is mixz's own.

RAIL imports every plugin there is, so everything heavy is imported when a stage runs.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import yaml
from ceci.config import StageParameter as Param
from rail.core.common_params import SHARED_PARAMS
from rail.core.data import ModelHandle, TableHandle
from rail.core.enums import DistributionType
from rail.core.model import Model
from rail.estimation.estimator import CatEstimator
from rail.estimation.informer import CatInformer

from mixz.errors import MixzError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.bridges.rail_tables import RailColumns
    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble

CREATOR = "MixzInformer"
NONE = "none"
"""How a RAIL config says that there is no such column."""


class MixzModelHandle(ModelHandle):
    """A trained ensemble in a file that holds data, never code; also reads what `export_model` writes."""

    suffix = "mixz"
    interactive_type = "mixz.Ensemble"

    @classmethod
    def _open(cls, path: str, **kwargs: Any) -> Any:
        return Path(path).open("wb") if kwargs.get("mode", "r") == "w" else cls._read(path)

    @classmethod
    def _read(cls, path: str, **_kwargs: Any) -> Ensemble:
        from mixz.model.folder import load_model

        if not Path(path).is_file():
            raise MixzError(f"no model file {path}", "a .mixz file", "run MixzInformer first")
        with Path(path).open("rb") as file:
            if file.read(4) == b"PK\3\4":  # a pickle of a model file has that inside
                return load_model(path)
        with TemporaryDirectory() as home:
            inside = Path(home) / "model.mixz"
            inside.write_bytes(_exported(path))
            return load_model(inside)

    @classmethod
    def _write(cls, data: Ensemble, path: str, **_kwargs: Any) -> None:
        from mixz.model.folder import save_model_file

        save_model_file(data, path)


def export_model(model: Ensemble | str, path: str, *, catalog_tag: str | None = None) -> None:
    """Write a model as the pickled `rail.core.model.Model` that the RAIL service registers.

    What is pickled are the bytes of the model file, so that reading it back runs no code of its own.

    Parameters
    ----------
    model
        An ensemble, or the path of a model file or folder.
    path
        The file to write, e.g. ``model_mixz.pkl``.
    catalog_tag
        Name of the RAIL catalogue configuration whose columns the model was trained on.
    """
    from mixz.atomic import replacing
    from mixz.model.folder import load_model

    ensemble = load_model(model) if isinstance(model, str) else model
    with TemporaryDirectory() as home:
        whole = Path(home) / "model.mixz"
        MixzModelHandle._write(ensemble, str(whole))
        about = {"steps": [step.model_dump(mode="json") for step in ensemble.steps], "bands": list(ensemble.bands)}
        wrapped = Model(whole.read_bytes(), CREATOR, 0, catalog_tag, about)
    with replacing(path) as draft:
        wrapped.write(str(draft))


class _OnlyModels(pickle.Unpickler):
    """Unpickle RAIL's wrapper of plain data and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("rail.core.model", "Model"):
            return Model
        raise pickle.UnpicklingError(f"it holds {module}.{name}")


def _exported(path: str) -> bytes:
    """The bytes of the model file inside an exported model."""
    try:
        wrapped = _OnlyModels(io.BytesIO(Path(path).read_bytes())).load()
        wrapped.validate(CREATOR, 0)
        return bytes(wrapped.data)
    except (pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError, ImportError, IndexError) as error:
        raise MixzError(
            f"{path} is no model of mixz: {error}", "a .mixz file, or one of rail.mixz.export_model", "train it again"
        ) from error


COLUMN_OPTIONS = dict.fromkeys(
    ("bands", "err_bands", "ref_band", "nondetect_val", "nonobserved_val", "id_col"), SHARED_PARAMS
)


def _columns(config: Any, **labels: str) -> RailColumns:
    """Where in a table what stands, by the names of RAIL's shared parameters."""
    from mixz.bridges.rail_tables import RailColumns

    return RailColumns(
        mag=tuple(config.bands),
        mag_err=tuple(config.err_bands),
        labels={truth: column for truth, column in labels.items() if column not in (NONE, "None", "")},
        object_id=config.id_col,
        nondetect=float(config.nondetect_val),
        nonobserved=float(config.nonobserved_val),
    )


def _refuse_unknown_options(stage: Any, args: Any) -> None:
    """Refuse options that a stage does not have, which ceci would pass over in silence.

    Raises
    ------
    MixzError
        The stage's own section of a config, or its arguments, hold one.
    """
    given = dict(args) if isinstance(args, dict) else vars(args)
    if given.get("config"):
        settings = yaml.safe_load(Path(given["config"]).read_text()) or {}
        given = settings.get(stage.instance_name) or {}
    # Names that RAIL and ceci give to every stage, needed or not.
    known = set(stage.config_options) | set(SHARED_PARAMS.keys()) | {"name", "config", "aliases", "mpi", "force_exact"}
    known |= set(stage.input_tags()) | set(stage.output_tags()) | stage.spoken
    for key in given:
        if key not in known:
            options = ", ".join(sorted(stage.config_options))
            raise MixzError(
                f"{stage.instance_name} has no option {key!r}",
                f"options: {options}",
                f"correct it{nearest(key, known)}",
            )


class MixzInformer(CatInformer):
    """Train a mixz ensemble on a table of magnitudes and redshift labels.

    Labels stand in one or two columns, NaN where a galaxy has none: `redshift_col` of spectra, `manyband_col` of
    many-band photo-z; or in `redshift_col` alone, with a column `truth_col` that says ``spec`` or ``many_band``.
    """

    name = "MixzInformer"
    entrypoint_function = "inform"
    interactive_function = "mixz_informer"
    spoken = frozenset({"training_data", "manyband_data", "input_manyband"})
    config_options = CatInformer.config_options.copy()
    config_options.update(
        **COLUMN_OPTIONS,
        redshift_col=SHARED_PARAMS,
        manyband_col=Param(str, "redshift_manyband", msg="name of the column of many-band redshifts"),
        truth_col=Param(str, NONE, msg="name of a column that says per galaxy whose label it has: spec or many_band"),
        recipe=Param(str, "fused", msg="named recipe of mixz: fused, base, spec, tl, combo, ..."),
        members=Param(int, 5, msg="number of networks"),
        epochs=Param(int, 60, msg="passes over the training data"),
        seed=Param(int, 0, msg="seed of all random numbers"),
        validation_fraction=Param(float, 0.15, msg="share of galaxies that decide which weights are best"),
        network=Param(dict, {}, msg="what the networks have different, as in a mixz config"),
        training=Param(dict, {}, msg="what the steps have different, as in a mixz config"),
        use_weights=Param(bool, False, msg="if True, galaxies count as `weights_column` says"),
        weights_column=Param(str, NONE, msg="name of the column of weights"),
    )
    inputs: ClassVar = [("input", TableHandle)]
    outputs: ClassVar = [("model", MixzModelHandle)]

    def __init__(self, args: Any, **kwargs: Any) -> None:
        """Read the options."""
        super().__init__(args, **kwargs)
        _refuse_unknown_options(self, args)

    def run(self) -> None:
        """Train."""
        self._train(self._galaxies("input"))

    def _table(self, tag: str) -> Any:
        table = self.get_data(tag)
        group = self.config.hdf5_groupname
        return table[group] if group and group in table else table

    def _galaxies(self, tag: str, optional: Sequence[str] = (), **labels: str) -> GalaxySet:
        from dataclasses import replace

        from mixz.bridges.rail_tables import by_truth

        table = self._convert_table_format(self._table(tag), out_fmt_str="numpyDict")
        columns = _columns(
            self.config, **(labels or {"spec": self.config.redshift_col, "many_band": self.config.manyband_col})
        ).there(table, optional, where=f"the table {tag!r}")
        if self.config.use_weights:
            if self.config.weights_column == NONE:
                raise MixzError("use_weights without weights_column", "the name of a column", "set weights_column too")
            columns = replace(columns, weight=self.config.weights_column)
        if self.config.truth_col != NONE and not labels:
            columns, table = by_truth(columns, table, self.config.redshift_col, self.config.truth_col)
        return columns.galaxies(table, where=f"the table {tag!r}")

    def _train(self, galaxies: GalaxySet) -> None:
        from rich.console import Console

        from mixz.bridges.rail_tables import bands_of
        from mixz.progress import progress_bar
        from mixz.stages.inform import inform
        from mixz.stages.train import watch_epochs

        config = self.config
        if config.ref_band not in config.bands:
            raise MixzError(f"ref_band {config.ref_band!r}", f"bands: {', '.join(config.bands)}", "name one of them")
        with progress_bar(f"{self.instance_name}: train {config.recipe}", Console(stderr=True)) as bar:
            self.model = inform(
                galaxies,
                recipe=config.recipe,
                members=config.members,
                epochs=config.epochs,
                seed=config.seed,
                validation=config.validation_fraction,
                network=dict(config.network),
                training=dict(config.training),
                ref_band=bands_of(config.bands)[list(config.bands).index(config.ref_band)],
                columns=_columns(config).column_maps(),
                watch=watch_epochs(bar),
            )
        self.add_data("model", self.model)


class MixzPairInformer(MixzInformer):
    """Train a mixz ensemble on two tables: one of galaxies with spectra, one with many-band photo-z.

    Spectra stand in the column `redshift_col` of the first, many-band redshifts in `manyband_col` of the second (or, if
    it has no such column, in its `redshift_col`).  A band of `bands` that only one of them has is seen where it is and
    done without elsewhere, as own bands of a config are; the reference band stands in both.
    """

    name = "MixzPairInformer"
    interactive_function = "mixz_pair_informer"
    inputs: ClassVar = [("input", TableHandle), ("input_manyband", TableHandle)]

    def inform(self, training_data: Any, manyband_data: Any = None, **kwargs: Any) -> Any:
        """Train on two tables and give a handle of the model.

        Parameters
        ----------
        training_data : TableLike
            Galaxies with spectra
        manyband_data : TableLike
            Galaxies with many-band photo-z

        Returns
        -------
        ModelHandle
            Handle providing access to the trained model
        """
        second = kwargs.get("input_manyband") if manyband_data is None else manyband_data
        if second is None:
            raise MixzError(
                "one table of labels", "two: of spectra, and of many-band redshifts", "give both, or use MixzInformer"
            )
        self.set_data("input_manyband", second)
        return super().inform(training_data)

    def run(self) -> None:
        """Train."""
        from dataclasses import replace

        from mixz.data.joined import concatenate

        there = self._table("input_manyband")
        column = self.config.manyband_col if self.config.manyband_col in there else self.config.redshift_col
        spectra = self._galaxies("input", self._lent("input_manyband"), spec=self.config.redshift_col)
        many = self._galaxies("input_manyband", self._lent("input"), many_band=column)
        # Names of two tables may be equal by chance; row by row they are galaxies of their own.
        renamed = [
            replace(g, object_id=np.char.add(f"{k}-", g.object_id.astype(str))) for k, g in enumerate((spectra, many))
        ]
        if spectra.bands != many.bands:  # whose bands are whose is told by the table
            renamed = [replace(g, table=np.full(len(g), tag)) for g, (tag, _) in zip(renamed, self.inputs, strict=True)]
        self._train(concatenate(renamed))

    def _lent(self, other: str) -> list[str]:
        """The bands that a table may lack: those that the other one has, but for the reference band."""
        columns, there = _columns(self.config), self._table(other)
        named = zip(columns.bands, columns.mag, strict=True)
        return [band for band, name in named if name in there and name != self.config.ref_band]


class MixzEstimator(CatEstimator):
    """Estimate redshift densities with a mixz ensemble; what comes out does not depend on `chunk_size`."""

    name = "MixzEstimator"
    entrypoint_function = "estimate"
    interactive_function = "mixz_estimator"
    spoken = frozenset({"input_data"})
    config_options = CatEstimator.config_options.copy()
    config_options.update(
        **COLUMN_OPTIONS,
        pdf=Param(str, "interp", msg="qp parametrisation of the densities: interp, quant or mixmod"),
        output_grid=Param(str, "shared", msg="`shared`: zmin, zmax and nzbins; `model`: the grid of the networks"),
    )
    inputs: ClassVar = [("model", MixzModelHandle), ("input", TableHandle)]

    def __init__(self, args: Any, **kwargs: Any) -> None:
        """Read the options."""
        super().__init__(args, **kwargs)
        _refuse_unknown_options(self, args)
        if self.config.output_grid not in ("shared", "model") or self.config.pdf not in ("interp", "quant", "mixmod"):
            raise MixzError(
                f"pdf: {self.config.pdf}, output_grid: {self.config.output_grid}",
                "interp, quant or mixmod; shared or model",
                "correct these options",
            )
        if not (self.config.nzbins > 1 and self.config.zmin < self.config.zmax):
            raise MixzError(
                f"{self.config.nzbins} nodes from zmin {self.config.zmin} to zmax {self.config.zmax}",
                "two nodes or more, from a smaller to a larger redshift",
                "correct zmin, zmax and nzbins",
            )

    @classmethod
    def default_distribution_type(cls) -> DistributionType:
        """Posteriors, all of them."""
        return DistributionType.posterior

    def _process_chunk(self, start: int, end: int, data: Mapping[str, Any], first: bool) -> None:
        from mixz.bridges.qp_files import on_grid, to_qp

        table = self._convert_table_format(data, "numpyDict")
        columns = _columns(self.config).there(table, self.model.own_bands, where="the input")
        photoz = self.model.predict(columns.galaxies(table, where="the input"))
        if self.config.output_grid == "shared":
            photoz = on_grid(photoz, np.linspace(self.config.zmin, self.config.zmax, self.config.nzbins))
        ensemble = to_qp(photoz, kind=self.config.pdf, members=False)
        # Row numbers count from the start of the table, not of the chunk.
        ensemble.ancil["object_id"] = np.asarray(table.get(self.config.id_col, np.arange(start, end)))
        self._do_chunk_output(ensemble, start, end, first, data=table)
