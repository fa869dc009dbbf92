"""What can be said of single galaxies: densities, intervals, spectra. `python gallery/one_density.py [FOLDER]`

SIMULATED galaxies of the embedded demo, from the surest to the least sure.
"""

import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

import mixz
from mixz.report.paper import THEME, save_figure
from mixz.report.vega import SCHEMA

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
table = pd.read_parquet(str(files("mixz") / "demo" / "galaxies.parquet"))
table = table[table.z_spec.notna()].head(3000)
galaxies = mixz.galaxy_set(table, bands=["g", "r", "i", "z", "y"], truths={"spec": "z_spec"})
galaxies = replace(galaxies, split=mixz.split_by_id(galaxies.object_id))
step = mixz.Step(truths=("spec",), loss="label_likelihood", schedule="one_cycle", lr=2e-3, batch_size=256, epochs=15)
model = mixz.fit(galaxies, mixz.Recipe(steps=(step,), network=mixz.RECIPES["fused"].network), members=2)

test = galaxies.in_split("test")
photoz = model.predict(test)
chosen = np.argsort(photoz.z_sigma)[np.linspace(5, len(test) - 5, 6).astype(int)]
x = {"field": "z", "type": "quantitative", "title": "redshift"}
y = {"field": "p", "type": "quantitative", "title": "density", "scale": {"domainMin": 0}}
panels = []
for k in chosen:
    curve = [{"z": z, "p": p} for z, p in zip(photoz.z_grid.tolist(), photoz.pdf[k].tolist(), strict=True) if z < 2.5]
    low, high = photoz.intervals["68"][k].tolist()
    panels.append({
        "width": 140, "height": 90, "title": f"galaxy {test.object_id[k]}",
        "layer": [
            {"data": {"values": [{"z": low, "to": high}]}, "mark": {"type": "rect", "color": "#56B4E9", "opacity": 0.3},
             "encoding": {"x": x, "x2": {"field": "to"}}},
            {"data": {"values": curve}, "mark": {"type": "area", "color": "#0072B2", "opacity": 0.7},
             "encoding": {"x": x, "y": y}},
            {"data": {"values": [{"z": float(test.z["spec"][k])}]}, "mark": {"type": "rule", "color": "#D55E00"},
             "encoding": {"x": x}},
        ],
    })  # fmt: skip
note = "SIMULATED. Blue: the density; band: its 68 % interval; line: the spectrum."
spec = {"$schema": SCHEMA, "config": THEME, "concat": panels, "columns": 3, "title": {"text": note, "orient": "bottom"}}
print(save_figure(spec, folder, "one_density", ["png"])[0])
