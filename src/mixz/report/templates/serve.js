"use strict";
// Send the table that was dropped, show what comes back, and fetch the whole as a file.
const settings = JSON.parse(document.getElementById("settings").textContent);
const by = (id) => document.getElementById(id);
const font = getComputedStyle(document.body).fontFamily;
const options = { renderer: "svg", actions: false, ast: true, tooltip: { theme: "custom" },
  config: { background: null, font, view: { stroke: null }, axis: { gridOpacity: 0.6, labelFont: font, titleFont: font, titleFontWeight: 500 } } };
let file = null, found = null;

document.querySelector("footer code").textContent = document.querySelector("footer code").textContent.replace("{address}", location.origin);

function address(what, more = {}) {
  const fields = new FormData(by("form"));
  const asked = { name: file.name, ...more };
  for (const key of ["mag", "mag_err", "id", "system", "group"]) if (fields.get(key)) asked[key] = fields.get(key);
  return `/api/${what}?${new URLSearchParams(asked)}`;
}

function showError(error) {
  const lines = [["", error.given], ["allowed: ", error.allowed], ["do: ", error.do]].filter(([, text]) => text);
  by("error").replaceChildren(...lines.map(([what, text]) => Object.assign(document.createElement("p"), { textContent: what + text })));
  by("error").hidden = false;
  by("result").hidden = true;
  by("status").textContent = "";
}

async function send(what, more) {
  if (file.size > settings.max_mb * 1e6) {
    throw { given: `${file.name} has ${(file.size / 1e6).toFixed(1)} MB`, allowed: `at most ${settings.max_mb} MB`, do: "send it in parts, or as Parquet" };
  }
  let answer;
  try {
    answer = await fetch(address(what, more), { method: "POST", body: file });
  } catch (error) {
    throw { given: "no answer", allowed: "", do: "see whether `mixz serve` still runs" };
  }
  if (!answer.ok) throw await answer.json().catch(() => ({ given: `no answer but ${answer.status}`, allowed: "", do: "try again in a moment" }));
  return answer;
}

async function start() {
  by("error").hidden = true;
  by("status").textContent = `Estimating redshifts for ${file.name} …`;
  try {
    found = await (await send("preview")).json();
  } catch (error) { showError(error); return; }
  const lost = found.without_redshift ? ` ${found.without_redshift.toLocaleString("en")} lack a band and got no redshift.` : "";
  by("summary").textContent = `${found.galaxies.toLocaleString("en")} galaxies in ${file.name}.${lost}`;
  by("status").textContent = "";
  by("result").hidden = false;
  showRows();
  by("galaxy").replaceChildren(...found.rows.map((row, k) => Object.assign(document.createElement("option"), { value: k, textContent: row.object_id })));
  await showHistogram();
  await showGalaxy();
  document.documentElement.dataset.drawn = "yes";
}

const draw = (id, spec) => vegaEmbed(by(id), { $schema: "https://vega.github.io/schema/vega-lite/v6.json", width: "container", height: 240, autosize: { type: "fit-x", contains: "padding" }, ...spec }, options);

function showHistogram() {
  const { edges, counts } = found.histogram;
  const values = counts.map((n, k) => ({ low: edges[k], high: edges[k + 1], n }));
  return draw("histogram", {
    description: `Histogram of the redshifts of ${found.galaxies} galaxies`, data: { values }, mark: { type: "bar", color: "#0072B2", tooltip: true },
    encoding: { x: { field: "low", bin: "binned", type: "quantitative", title: "z_phot" }, x2: { field: "high" }, y: { field: "n", type: "quantitative", title: "galaxies" } },
  });
}

function showGalaxy() {
  const k = Number(by("galaxy").value), row = found.rows[k];
  const z = row.z_phot === null ? "no redshift (a band is missing)" : `z_phot ${row.z_phot.toFixed(3)}`;
  by("words").textContent = `${row.object_id}: ${z}. ${found.pdf[k].length ? "The curve is its density, ticks are" : "Ticks are"} the members' estimates.`;
  const x = { field: "z", type: "quantitative", title: "redshift" };
  const density = found.pdf[k].map(([at, p]) => ({ z: at, p }));
  return draw("density", {
    description: by("words").textContent,
    layer: [
      { data: { values: density }, mark: { type: "area", color: "#0072B2", opacity: 0.35, line: { color: "#0072B2" } }, encoding: { x, y: { field: "p", type: "quantitative", title: density.length ? "density" : null } } },
      { data: { values: found.members[k].filter((m) => m !== null).map((m) => ({ z: m })) }, mark: { type: "tick", color: "#D55E00", thickness: 2, tooltip: true }, encoding: { x, y: { value: 230 } } },
    ],
  });
}

function showRows() {
  const table = by("rows");
  const cells = (names, tag) => { const line = document.createElement("tr"); line.append(...names.map((text) => Object.assign(document.createElement(tag), { textContent: text }))); return line; };
  table.caption.textContent = `The first ${Math.min(found.rows.length, found.galaxies)} of ${found.galaxies.toLocaleString("en")}`;
  table.tHead.replaceChildren(cells(found.columns, "th"));
  table.tBodies[0].replaceChildren(...found.rows.map((row) => cells(found.columns.map((name) => (row[name] === null ? "n/a" : typeof row[name] === "number" ? row[name].toFixed(4) : row[name])), "td")));
}

by("galaxy").addEventListener("change", showGalaxy);
by("file").addEventListener("change", (event) => { file = event.target.files[0] ?? null; if (file) start(); });
by("form").addEventListener("submit", (event) => { event.preventDefault(); if (file) start(); });
by("form").addEventListener("change", (event) => { if (event.target.name !== "file" && file) start(); });
const drop = by("drop");
for (const kind of ["dragover", "dragenter"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => { event.preventDefault(); file = event.dataTransfer.files[0] ?? null; if (file) start(); });
by("download").addEventListener("submit", async (event) => {
  event.preventDefault();
  const format = new FormData(by("download")).get("format");
  try {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await (await send("photoz", { format })).blob());
    link.download = `photoz.${format}`;
    link.click();
  } catch (error) { showError(error); }
});
