"""How wrong many-band labels are, as training believes: by magnitude. `python gallery/label_errors.py [FOLDER]`

The kernels `cosmos2020` (as published) and `cosmos2020_measured` (against 35,291 secure spectra), at z = 0.8.
"""

import sys
from pathlib import Path

import numpy as np

from mixz.report.paper import THEME, save_figure
from mixz.report.vega import SCHEMA
from mixz.truths.known import KERNELS

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
dz = np.linspace(-0.2, 0.2, 401)
Z = 0.8
rows = []
for name in ("cosmos2020", "cosmos2020_measured"):
    for mag in (21.0, 23.5, 25.0):
        density = KERNELS[name].density(z_label=Z + dz * (1 + Z), z=Z, mag_ref=mag) * (1 + Z)
        rows += [
            {"dz": x, "p": p, "kernel": name, "i magnitude": f"i = {mag:g}"}
            for x, p in zip(dz.tolist(), density.tolist(), strict=True)
        ]
spec = {
    "$schema": SCHEMA,
    "config": THEME,
    "data": {"values": rows},
    "facet": {"column": {"field": "i magnitude", "title": None}},
    "spec": {
        "width": 150,
        "height": 130,
        "mark": "line",
        "encoding": {
            "x": {"field": "dz", "type": "quantitative", "title": "(z_label - z) / (1 + z)"},
            "y": {"field": "p", "type": "quantitative", "title": "density", "scale": {"type": "symlog"}},
            "color": {"field": "kernel", "title": None, "scale": {"range": ["#0072B2", "#D55E00"]}},
        },
    },
}
print(save_figure(spec, folder, "label_errors", ["png"])[0])
