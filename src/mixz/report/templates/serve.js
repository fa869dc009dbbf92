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
  for (const [key, value] of fields) if (typeof value === "string" && value) asked[key] = value;
  return `/api/${what}?${new URLSearchParams(asked)}`;
}

function showError(error) {
  const lines = [["", error.given], ["allowed: ", error.allowed], ["do: ", error.do]].filter(([, text]) => text);
  by("error").replaceChildren(...lines.map(([what, text]) => Object.assign(document.createElement("p"), { textContent: what + text })));
  by("error").hidden = false;
  by("result").hidden = true;
  by("status").textContent = "";
  if (/column|--(mag|flux|id|ebv|dereddened)/.test(`${error.given} ${error.do}`)) { // it can be mended here
    by("names").open = true;
    by("has").textContent = error.allowed.startsWith("columns: ") ? `Your table has ${error.allowed.replace("columns: ", "")}.` : "";
  }
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
  by("notes").replaceChildren(...found.notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
  by("notes").hidden = found.notes.length === 0;
  showRows();
  by("galaxy").replaceChildren(...found.rows.map((row, k) => Object.assign(document.createElement("option"), { value: k, textContent: row.object_id })));
  await showHistogram();
  await showGalaxy();
  document.documentElement.dataset.drawn = "yes";
}

async function draw(id, spec) {
  const element = by(id);
  await vegaEmbed(element, { $schema: "https://vega.github.io/schema/vega-lite/v6.json", width: "container", height: 240, autosize: { type: "fit-x", contains: "padding" }, ...spec }, options);
  for (const [name, value] of Object.entries({ role: "img", "aria-label": spec.description })) element.setAttribute(name, value);
  element.removeAttribute("aria-roledescription");
  element.querySelector("svg").setAttribute("aria-hidden", "true"); // the whole is one picture, told in words
}

function showHistogram() {
  const { edges, counts } = found.histogram;
  const values = counts.map((n, k) => ({ low: edges[k], high: edges[k + 1], n }));
  const highest = counts.indexOf(Math.max(...counts));
  const told = values.length ? ` They lie from ${edges[0].toFixed(2)} to ${edges.at(-1).toFixed(2)}, most of them near ${((edges[highest] + edges[highest + 1]) / 2).toFixed(2)}.` : "";
  return draw("histogram", {
    description: `Histogram of the redshifts of ${counts.reduce((a, b) => a + b, 0)} galaxies.${told}`, data: { values }, mark: { type: "bar", color: settings.colour, tooltip: true },
    encoding: { x: { field: "low", bin: "binned", type: "quantitative", title: "z_phot" }, x2: { field: "high" }, y: { field: "n", type: "quantitative", title: "galaxies" } },
  });
}

const LEVELS = ["95", "68"]; // wide below narrow
function showGalaxy() {
  const k = Number(by("galaxy").value), row = found.rows[k], density = found.pdf[k].map(([at, p]) => ({ z: at, p }));
  const bands = LEVELS.filter((level) => typeof row[`z_low_${level}`] === "number").map((level) => ({ level: `${level} %`, low: row[`z_low_${level}`], high: row[`z_high_${level}`] }));
  const z = row.z_phot === null ? "no redshift (a band is missing)" : `z_phot ${row.z_phot.toFixed(3)}`;
  const inside = [...bands].reverse().map((b) => `; ${b.level} interval ${b.low.toFixed(3)} to ${b.high.toFixed(3)}`).join("");
  const marks = [density.length ? "the curve is its density" : "", bands.length ? "pale bands are the intervals" : "", row.z_phot === null ? "" : "ticks are the members' estimates"].filter(Boolean).join(", ");
  by("words").textContent = `${row.object_id}: ${z}${inside}.${marks ? ` Drawn: ${marks}.` : ""}`;
  const x = { field: "z", type: "quantitative", title: "redshift" };
  const band = { data: { values: bands }, mark: { type: "rect", color: settings.colour, opacity: 0.16, tooltip: true }, encoding: { x: { field: "low", type: "quantitative", title: "redshift" }, x2: { field: "high" }, tooltip: [{ field: "level", title: "interval" }, { field: "low", format: ".3f" }, { field: "high", format: ".3f" }] } };
  const ticks = found.members[k].filter((m) => m !== null).map((m) => ({ z: m }));
  const curve = { data: { values: density }, mark: { type: "line", color: settings.colour, strokeWidth: 2 }, encoding: { x, y: { field: "p", type: "quantitative", title: "density" } } };
  const members = { data: { values: ticks }, mark: { type: "tick", color: settings.grey, thickness: 2, tooltip: true }, encoding: { x, y: { value: 230 } } };
  const layer = [band, curve, members].filter((one) => one.data.values.length > 0);
  if (layer.length > 0) return draw("density", { description: by("words").textContent, layer });
  by("density").replaceChildren(); // nothing is known of this galaxy
  by("density").setAttribute("aria-label", by("words").textContent);
}

function showRows() {
  const table = by("rows");
  const cells = (names, tag) => { const line = document.createElement("tr"); line.append(...names.map((text) => Object.assign(document.createElement(tag), { textContent: text }))); return line; };
  const all = found.rows.length === found.galaxies;
  table.caption.textContent = all ? `All ${found.galaxies.toLocaleString("en")} shown` : `The first ${found.rows.length} of ${found.galaxies.toLocaleString("en")} shown; the download has all`;
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
