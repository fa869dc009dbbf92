"""Laws of every label kernel: densities integrate to one, draws follow them, scales widen them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mixz.errors import MixzError
from mixz.truths.corrected import CorrectedKernel
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.kernel import Kernel
from mixz.truths.known import COSMOS2020, COSMOS2020_MEASURED
from mixz.truths.reported import ReportedKernel
from mixz.truths.table import TableKernel, averaged, read_kernel_table, write_kernel_table

LABELS = np.linspace(-1, 9, 100_001)
TABLE = TableKernel(
    dz=((-0.1, -0.02, 0.0, 0.01, 0.06), (-0.3, 0.0, 0.1, 0.2)),
    density_of_dz=((0.0, 5.0, 17.0, 10.0, 0.0), (0.0, 2.5, 5.0, 2.5)),
    mag_borders=(23.0,),
)
ALL = {
    "gaussian": GaussianKernel(0.02),
    "cosmos2020": COSMOS2020,
    "cosmos2020_measured": COSMOS2020_MEASURED,
    "reported": ReportedKernel(fallback=COSMOS2020),
    "reported_gaussian": ReportedKernel(fallback=GaussianKernel(0.05), outliers=0.1, width_scale=1.5),
    "table": TableKernel(
        TABLE.dz,
        tuple(tuple(np.array(p) / np.trapezoid(p, x)) for x, p in zip(TABLE.dz, TABLE.density_of_dz, strict=True)),
        TABLE.mag_borders,
    ),
}
CORRECTIONS = {
    "mag_borders": (20.0, 23.0),
    "width": (1.2, 0.6, 1.3),
    "outliers": (0.3, 0.01, None),
    "offset": (0.0, 0.004, -0.003),
}
ALL |= {
    f"corrected_{name}": CorrectedKernel(ALL[name], **CORRECTIONS)
    for name in ("gaussian", "cosmos2020", "cosmos2020_measured", "reported", "table")
}
WIDTHS = {"none": None, "known": (0.02, 0.06), "narrow": (0.0, 0.01), "half": (np.nan, 0.02)}


@pytest.mark.parametrize("z_err", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("factor", [1.0, 2.5])
@pytest.mark.parametrize("kernel", ALL.values(), ids=ALL)
@pytest.mark.parametrize(("z", "mag_ref"), [(0.03, 21.0), (3.0, np.nan)])
def test_density_integrates_to_one(
    kernel: Kernel, z: float, mag_ref: float, factor: float, z_err: tuple[float, float] | None
) -> None:
    p = kernel.scaled(factor).density(z_label=LABELS, z=z, mag_ref=mag_ref, z_err=z_err)
    assert (p >= 0).all()
    assert np.trapezoid(p, LABELS) == pytest.approx(1, abs=3e-3)


@pytest.mark.parametrize("z_err", [None, (0.03, 0.08)], ids=["none", "known"])
@pytest.mark.parametrize("kernel", ALL.values(), ids=ALL)
@pytest.mark.parametrize(("z", "mag_ref"), [(0.05, 21.0), (1.2, 24.5)])
def test_draws_follow_the_density(kernel: Kernel, z: float, mag_ref: float, z_err: tuple[float, float] | None) -> None:
    widths = None if z_err is None else np.tile(z_err, (20_000, 1))
    labels = kernel.draw(np.full(20_000, z), mag_ref=mag_ref, seed=3, z_err=widths)
    cdf = np.cumsum(kernel.density(z_label=LABELS, z=z, mag_ref=mag_ref, z_err=z_err)) * (LABELS[1] - LABELS[0])
    assert stats.kstest(labels, lambda v: np.interp(v, LABELS, cdf)).pvalue > 1e-3


@pytest.mark.parametrize("kernel", ALL.values(), ids=ALL)
def test_a_scale_moves_labels_as_many_times_as_far(kernel: Kernel) -> None:
    z, d = 2.0, np.linspace(-0.2, 0.2, 41)
    here = {"z": z, "mag_ref": 22.0, "z_err": (0.05, 0.03)}
    wide, plain = kernel.scaled(2.0).density(z_label=z + 2 * d, **here), kernel.density(z_label=z + d, **here)
    if kernel.uses_z_err:  # its outliers stay what they are
        wide, plain = (p - float(kernel.tail_share(22.0)) / 6 for p in (wide, plain))
    if isinstance(kernel, CorrectedKernel):  # its width is one of 1 + z', which an offset moves a little
        np.testing.assert_allclose(2 * wide, plain, atol=0.01 * plain.max())
    else:
        np.testing.assert_allclose(2 * wide, plain, rtol=6e-3, atol=1e-9)


def test_each_galaxy_has_its_own_width() -> None:
    reported = ALL["reported"]
    z_err = np.array([[0.01, 0.01], [0.1, 0.1], [np.nan, np.nan]])[:, None]
    z = np.linspace(0.5, 1.5, 1001)
    p = reported.density(z_label=np.ones((3, 1)), z=z[None], mag_ref=np.full((3, 1), 22.0), z_err=z_err)
    p /= p.sum(axis=1, keepdims=True)
    core = np.abs(z - 1) < 0.04
    assert p[0, core].sum() > 0.9 > 0.5 > p[1, core].sum()
    alone = COSMOS2020.density(z_label=1.0, z=z, mag_ref=22.0)
    np.testing.assert_allclose(p[2], alone / alone.sum())


def test_how_wide_a_kernel_is() -> None:
    assert ALL["table"].widest == pytest.approx(0.3)
    assert ALL["gaussian"].widest == ALL["gaussian"].narrowest() == 0.02
    reported = ALL["reported"]
    assert reported.widest == COSMOS2020.widest == np.inf
    assert reported.narrowest() == 0.001
    assert reported.narrowest([[0.07, 0.14]]) == pytest.approx(0.01)
    assert reported.narrowest([[0.07, np.nan]]) == 0.001
    using = [name for name, kernel in ALL.items() if kernel.uses_z_err]
    assert using == ["reported", "reported_gaussian", "corrected_reported"]


@pytest.mark.parametrize("z_err", [None, (0.03, 0.08)], ids=["none", "known"])
@pytest.mark.parametrize("kernel", ALL.values(), ids=ALL)
def test_core_and_tail_make_the_whole(kernel: Kernel, z_err: tuple[float, float] | None) -> None:
    if isinstance(kernel, CorrectedKernel | ReportedKernel) and z_err is None and kernel.uses_z_err:
        pytest.skip("labels without an interval have the fallback's share")
    for mag_ref in (19.0, 21.0, 24.5):
        given = {"z": 1.2, "mag_ref": mag_ref, "z_err": z_err}
        core, tail, whole = (k.density(z_label=LABELS, **given) for k in (kernel.core, kernel.tail, kernel))
        f = float(kernel.tail_share(mag_ref))
        assert np.trapezoid(core, LABELS) == pytest.approx(1, abs=3e-3)
        # Each part is cut to the range by itself, the whole at once: a share that is cut off is given to others.
        assert np.trapezoid(np.abs((1 - f) * core + f * tail - whole), LABELS) < 0.05


@pytest.mark.parametrize("kernel", ALL.values(), ids=ALL)
def test_galaxies_are_seen_alike_in_whatever_shape(kernel: Kernel) -> None:
    rng = np.random.default_rng(1)
    z, mag_ref, z_err = rng.uniform(0.1, 2, 12), rng.uniform(19, 25, 12), rng.uniform(0.01, 0.1, (12, 2))
    label = z + rng.normal(0, 0.03, 12)
    one_by_one = [
        float(kernel.density(z_label=label[k], z=z[k], mag_ref=mag_ref[k], z_err=z_err[k])) for k in range(12)
    ]
    grid = {"z_label": label[:, None], "z": z[None], "mag_ref": mag_ref[:, None], "z_err": z_err[:, None]}
    np.testing.assert_allclose(kernel.density(z_label=label, z=z, mag_ref=mag_ref, z_err=z_err), one_by_one)
    np.testing.assert_allclose(np.diag(kernel.density(**grid)), one_by_one)
    turned = {name: np.swapaxes(values, 0, 1) for name, values in grid.items()}
    np.testing.assert_allclose(np.diag(kernel.density(**turned)), one_by_one)
    assert kernel.density(z_label=label[:0], z=z[:0], mag_ref=mag_ref[:0], z_err=z_err[:0]).shape == (0,)


@pytest.mark.parametrize("kernel", ALL.values(), ids=ALL)
def test_redshifts_from_which_no_label_comes_are_no_error(kernel: Kernel) -> None:
    for part in (kernel, kernel.core, kernel.tail):
        p = part.density(z_label=LABELS[::100], z=19.0, mag_ref=22.0)
        assert np.isfinite(p).all()
        assert (p >= 0).all()


def test_what_is_not_corrected_stays() -> None:
    kernel = CorrectedKernel(COSMOS2020, (23.0,), width=(1.0, 1.0), outliers=(None, None), offset=(0.0, 0.0))
    given = {"z_label": LABELS[::50], "z": 0.7, "z_err": None}
    for mag_ref in (21.0, 24.5, np.nan):
        alone = COSMOS2020.density(mag_ref=mag_ref, **given)
        np.testing.assert_array_equal(kernel.density(mag_ref=mag_ref, **given), alone)


def write(folder: Path, text: str, name: str = "grism.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_table_is_read_and_normalised(tmp_path: Path) -> None:
    kernel = read_kernel_table(write(tmp_path, "dz,density\n0.1,0\n-0.1,0\n0,7\n"))
    assert kernel == TableKernel(((-0.1, 0.0, 0.1),), (pytest.approx((0, 10, 0)),))  # type: ignore[arg-type]
    assert kernel.narrowest() == pytest.approx(0.1 * (1 - np.sqrt(0.32)))


def test_an_ecsv_table_with_magnitude_bins(tmp_path: Path) -> None:
    rows = "".join(
        f"{dz} {10 - 80 * abs(dz)} {low} {low + 2}\n"
        for low in (20, 22, 25)
        for dz in (-0.1, 0.0, 0.05 if low < 25 else 0.1)
    )
    text = f"# %ECSV 1.0\n# ---\n# datatype:\n# - {{name: dz, datatype: float64}}\ndz density mag_low mag_high\n{rows}"
    kernel = read_kernel_table(write(tmp_path, text, "grism.ecsv"))
    assert kernel.mag_borders == (22, 24.5)
    np.testing.assert_array_equal(
        kernel.density(z_label=1.15, z=1.0, mag_ref=[10, 24.4, 24.6, np.nan]) > 0, [False, False, True, True]
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column 'dz'"),
        ("dx,density\n0,1\n", "no column 'dz'; did you mean|no column 'dz'"),
        ("dz,density\n0,1\n1,2\n", "2 points .* no density"),
        ("dz,density\n0,1\n0,2\n1,1\n", "no density"),
        ("dz,density\n0,1\n.5,-2\n1,1\n", "no density"),
        ("dz,density\n0,a\n", "could not convert"),
        ("dz,density\n0,1\n1\n", "inhomogeneous|reshape"),
        ("dz,density\n0,nan\n", "NaN"),
        ("dz,density,mag_low\n0,1,20\n", "mag_low alone"),
        ("dz,density,mag_low,mag_high\n0,1,20,22\n0,1,21,23\n", "overlap"),
        ("dz,density,weight\n0,1,1\n", "weight"),
        ("dz,density\n", "no rows"),
        ("dz,density,mag_low,mag_high\n", "no rows"),
    ],
)
def test_wrong_tables_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MixzError, match=said):
        read_kernel_table(write(tmp_path, text))
    with pytest.raises(MixzError, match="cannot be read"):
        read_kernel_table(tmp_path / "none.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(MixzError, match="no plain file"):
        read_kernel_table(tmp_path / "pipe.csv")


def test_no_label_is_drawn_for_what_is_no_redshift() -> None:
    drawn = COSMOS2020_MEASURED.draw([np.nan, -0.1, 6.1, 0.0, 1.0, 6.0], mag_ref=23, seed=1)
    assert np.isfinite(drawn).tolist() == [False, False, False, True, True, True]


def test_a_mean_kernel_keeps_what_the_kernel_says(tmp_path: Path) -> None:
    """In every bin of magnitude, through the file."""
    rng = np.random.default_rng(1)
    z, mag_ref = rng.uniform(0.2, 1.5, 20_000), rng.uniform(20, 24, 20_000)
    kernel = CorrectedKernel(
        COSMOS2020_MEASURED, (22.0,), width=(1.0, 3.0), outliers=(0.03, 0.15), offset=(0.004, -0.004)
    )
    write_kernel_table(averaged(kernel, z=z, mag_ref=mag_ref), tmp_path / "k.csv", said="a test")
    table = read_kernel_table(tmp_path / "k.csv")
    for low in np.arange(20, 24, 0.5):
        some = (mag_ref >= low) & (mag_ref < low + 0.5)
        told = {}
        for name, one in (("kernel", kernel), ("table", table)):
            dz = (one.draw(z[some].repeat(20), mag_ref=mag_ref[some].repeat(20), seed=2) - z[some].repeat(20)) / (
                1 + z[some].repeat(20)
            )
            told[name] = [stats.median_abs_deviation(dz), np.mean(np.abs(dz) > 0.15), np.median(dz)]
        assert told["table"] == pytest.approx(told["kernel"], rel=0.07, abs=2e-3), low
