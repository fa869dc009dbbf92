"use strict";
// The report's plots, its filters, its tables and its browser of galaxies. Everything shown comes from #report-data.
const report = JSON.parse(document.getElementById("report-data").textContent);
const font = getComputedStyle(document.body).fontFamily;
const theme = {
  background: null, font, padding: 4,
  axis: { labelFontSize: 11, titleFontSize: 11.5, titleFontWeight: 500, gridOpacity: 0.6, labelFont: font, titleFont: font, titlePadding: 8, tickCount: 5 },
  legend: { orient: "top", labelFontSize: 11.5, symbolSize: 90, columnPadding: 10, labelFont: font, symbolStrokeWidth: 2.5, symbolBaseStrokeColor: report.grey, direction: "horizontal", columns: 3, title: null, labelLimit: 110 },
  view: { stroke: null },
};
const views = new Map();
const options = { renderer: "svg", actions: false, ast: true, config: theme, tooltip: { theme: "custom" } };

// What the reader asked to see: which recipes, which range of redshifts.
const tools = document.querySelector(".tools");
const shownRecipes = () => [...tools.querySelectorAll("input[name=recipe]:checked")].map((box) => box.value);
const asked = () => ({ shown: shownRecipes(), z_range: tools.elements.z_range.value });

async function draw(element, spec) {
  const set = asked();
  const params = (spec.params ?? []).map((one) => (one.name in set ? { ...one, value: set[one.name] } : one));
  const whole = { $schema: "https://vega.github.io/schema/vega-lite/v6.json", width: "container", autosize: { type: "fit-x", contains: "padding" }, ...spec, ...(params.length ? { params } : {}) };
  const { view } = await vegaEmbed(element, whole, options);
  for (const [name, value] of Object.entries({ role: "img", "aria-label": spec.description })) element.setAttribute(name, value);
  element.removeAttribute("aria-roledescription");
  element.querySelector("svg").setAttribute("aria-hidden", "true"); // the whole is one picture, told in words
  views.set(element, view);
}

// Plots are drawn when they come near the window, one after another so that the page stays alive; for print, all at once.
const waiting = new Map(), near = [];
let drawing = false;
const sight = new IntersectionObserver((seen) => {
  for (const one of seen) {
    if (one.isIntersecting && waiting.has(one.target) && !near.includes(one.target)) near.push(one.target);
  }
  drawNear();
}, { rootMargin: "60% 0px" });
function whenSeen(element, spec) {
  waiting.set(element, spec);
  sight.unobserve(element); // so that it is told again where it stands
  sight.observe(element);
}
async function drawWaiting(element) {
  const spec = waiting.get(element);
  if (!spec) return;
  waiting.delete(element);
  sight.unobserve(element);
  try { await draw(element, spec); } catch (error) { console.error(error); } // the others do not depend on it
}
async function drawNear() {
  if (drawing) return;
  drawing = true;
  while (near.length) {
    await drawWaiting(near.shift());
    await new Promise((done) => setTimeout(done));
  }
  drawing = false;
  document.documentElement.dataset.drawn = "yes";
}
const drawAll = () => Promise.all([...waiting.keys()].map(drawWaiting));
const closed = [];
function beforePrint() {
  drawAll();
  for (const more of document.querySelectorAll("details.more:not([open])")) { more.open = true; closed.push(more); }
}
addEventListener("beforeprint", beforePrint);
addEventListener("afterprint", () => { for (const more of closed.splice(0)) more.open = false; });
matchMedia("print").addEventListener("change", (event) => { if (event.matches) drawAll(); });

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const digits = (value, n = 3) => (value === null || value === undefined ? "n/a" : value.toFixed(n));

function tell(view, name, value) {
  try { view.signal(name, value); } catch (error) { return; } // the plot does not depend on it
  view.runAsync();
}

function applyTools() {
  const { shown, z_range: range } = asked();
  for (const view of views.values()) { tell(view, "shown", shown); tell(view, "z_range", range); }
  for (const element of document.querySelectorAll("figure[data-recipe], tr[data-recipe]")) {
    const recipe = element.dataset.recipe;
    element.hidden = recipe in report.recipes && !shown.includes(recipe);
  }
  for (const element of document.querySelectorAll("[data-range]")) element.hidden = element.dataset.range !== range;
}
tools.addEventListener("change", () => { applyTools(); showGalaxy(); });
tools.addEventListener("submit", (event) => event.preventDefault());

// The list of contents: where one is, and closed behind a bar where the window is narrow.
const contents = document.querySelector(".contents details"), here = document.querySelector(".here");
const narrow = matchMedia("(max-width: 60rem)");
const fold = () => { contents.open = !narrow.matches; };
narrow.addEventListener("change", fold);
fold();
contents.querySelector("summary").addEventListener("click", (event) => { if (!narrow.matches) event.preventDefault(); });
const links = new Map([...contents.querySelectorAll("a")].map((link) => [document.querySelector(link.hash), link]));
let current = null;
function markPlace() {
  const reached = [...links.keys()].filter((section) => section.getBoundingClientRect().top < innerHeight / 3);
  const bottom = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
  const link = links.get(bottom ? [...links.keys()].at(-1) : reached.at(-1) ?? [...links.keys()][0]);
  if (link === current) return;
  current?.removeAttribute("aria-current");
  link.setAttribute("aria-current", "location");
  current = link;
  here.textContent = link.textContent;
  if (!narrow.matches) link.scrollIntoView({ block: "nearest" });
}
let marking = 0;
addEventListener("scroll", () => { cancelAnimationFrame(marking); marking = requestAnimationFrame(markPlace); }, { passive: true });
contents.addEventListener("click", (event) => { if (narrow.matches && event.target.closest("a")) contents.open = false; });

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".save");
  if (!button) return;
  const view = views.get(button.closest("figure").querySelector(".chart"));
  const link = make("a", null, { download: `${button.dataset.name.replace(/[^\w.-]+/g, "_")}.svg` });
  link.href = URL.createObjectURL(new Blob([await view.toSVG()], { type: "image/svg+xml" }));
  link.click();
});

// One sentence for a metric, on hover and on focus; Escape takes it away.
const tip = document.getElementById("tip");
function showTip(event) {
  const term = event.target.closest ? event.target.closest("[data-term]") : null;
  if (!term || !report.terms[term.dataset.term]) return;
  tip.textContent = report.terms[term.dataset.term];
  tip.hidden = false;
  const box = term.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8))}px`;
  const above = box.top - tip.offsetHeight - 8;
  tip.style.top = `${above > 0 ? above : box.bottom + 8}px`;
}
const hideTip = () => { tip.hidden = true; };
document.addEventListener("mouseover", showTip);
document.addEventListener("focusin", showTip);
document.addEventListener("mouseout", hideTip);
document.addEventListener("focusout", hideTip);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });

// Tables that sort: a small button in every heading.
function compare(a, b) {
  const [x, y] = [a, b].map((v) => (v === "" || v === null || Number.isNaN(Number(v)) ? null : Number(v)));
  if (x !== null && y !== null) return x - y;
  if (x !== null || y !== null) return x !== null ? -1 : 1; // what is no number comes last
  return String(a ?? "").localeCompare(String(b ?? ""));
}
function sortButton(heading, onSort) {
  const button = make("button", "↕", { type: "button", "aria-label": `Sort by ${heading.textContent.trim()}` });
  heading.append(" ", button);
  button.addEventListener("click", () => {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of heading.parentElement.children) {
      other.removeAttribute("aria-sort");
      const mark = other.querySelector("button");
      if (mark) mark.textContent = "↕";
    }
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    button.textContent = up ? "↑" : "↓";
    onSort(up);
  });
}
const cellValue = (row, k) => row.children[k].dataset.value ?? row.children[k].textContent.replace("−", "-").trim();
for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((heading, k) => sortButton(heading, (up) => {
    const body = table.tBodies[0];
    body.append(...[...body.rows].sort((a, b) => (up ? 1 : -1) * compare(cellValue(a, k), cellValue(b, k))));
  }));
}

// A table that does not fit its box shows each row as a card.
const fit = new ResizeObserver((seen) => {
  for (const { target } of seen) {
    const table = target.querySelector("table");
    table.classList.remove("cards");
    table.classList.toggle("cards", table.offsetWidth > target.clientWidth + 1);
  }
});
for (const table of document.querySelectorAll("table.stacks")) fit.observe(table.parentElement);

// All numbers: filtered by words, sorted by any column.
const MOST_ROWS = 300;
const numbers = { table: document.getElementById("numbers-table"), ...report.records };
const words = document.querySelector(".filters input");
function showNumbers() {
  const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = numbers.rows.filter((row) => asked.every((word) => row.some((cell) => typeof cell === "string" && cell.toLowerCase().includes(word))));
  numbers.table.tBodies[0].replaceChildren(...found.slice(0, MOST_ROWS).map((row) => {
    const line = make("tr");
    row.forEach((cell, k) => {
      const name = numbers.columns[k];
      const number = typeof cell === "number" && name !== "galaxies" && name !== "LSST";
      const text = cell === null ? (["mean", "spread"].includes(name) ? "n/a" : "") : number ? digits(cell, 4) : String(cell);
      const td = make("td", name === "metric" ? null : text, ["pass", "fail"].includes(cell) && name === "verdict" ? { class: cell } : {});
      if (name === "metric") td.append(make("a", text, { class: "term", href: `#term-${text}`, "data-term": text, tabindex: "-1" })); // not 300 stops of the Tab key
      line.append(td);
    });
    return line;
  }));
  const shown = Math.min(found.length, MOST_ROWS);
  document.getElementById("numbers-count").textContent = `${shown} of ${found.length} matching rows (${numbers.rows.length} in all)`;
}
numbers.columns.forEach((name, k) => {
  const heading = make("th", name, { scope: "col" });
  if (numbers.table.tHead.rows.length === 0) numbers.table.tHead.append(make("tr"));
  numbers.table.tHead.rows[0].append(heading);
  sortButton(heading, (up) => { numbers.rows.sort((a, b) => (up ? 1 : -1) * compare(a[k], b[k])); showNumbers(); });
});
words.addEventListener("input", showNumbers);
words.form.addEventListener("submit", (event) => event.preventDefault());

// Single galaxies.
const pick = document.querySelector(".pick");
const runNames = Object.keys(report.galaxies);
const galaxiesOf = () => report.galaxies[pick.elements.run ? pick.elements.run.value : runNames[0]] ?? [];
function listGalaxies() {
  const why = pick.elements.why.value;
  pick.elements.galaxy.replaceChildren(...galaxiesOf().map((g, k) => [g, k]).filter(([g]) => !why || g.why === why)
    .map(([g, k]) => make("option", g.id, { value: k })));
  showGalaxy();
}
const words_of = (labels) => Object.entries(labels).map(([truth, z]) => `${truth} ${digits(z)}`).join(", ") || "none";
function galaxyTable(caption, head, rows) {
  const table = make("table");
  table.append(make("caption", caption));
  const top = make("tr");
  head.forEach((name) => top.append(make("th", name, { scope: "col" })));
  table.append(make("thead"), make("tbody"));
  table.tHead.append(top);
  rows.forEach((cells) => { const row = make("tr"); cells.forEach((cell) => row.append(make("td", cell))); table.tBodies[0].append(row); });
  return table;
}
function showGalaxy() {
  const galaxy = galaxiesOf()[pick.elements.galaxy.value];
  const facts = document.getElementById("galaxy-facts");
  if (!galaxy) { facts.replaceChildren(make("p", "No such galaxy.")); return; }
  const shown = shownRecipes(), recipes = galaxy.recipes.filter((r) => shown.includes(r.recipe));
  document.getElementById("galaxy-title").textContent = `${galaxy.id} (${galaxy.why})`;
  const estimates = recipes.map((r) => `${r.recipe} ${digits(r.z_phot)}`).join(", ");
  const told = `Labels: ${words_of(galaxy.labels)}. Estimates: ${estimates || "none"}.`;
  document.getElementById("galaxy-words").textContent = `${told} Curves are densities, ticks the members' estimates, dashed lines the labels, triangles the labels of its neighbours.`;
  facts.replaceChildren(
    galaxyTable("Estimates", ["recipe", "z_phot", ...(recipes.some((r) => "support" in r) ? ["support"] : [])],
      recipes.map((r) => [r.recipe, digits(r.z_phot), ...("support" in r ? [["outside", "noisy labels only", "spectra"][r.support]] : [])])),
    galaxyTable("Magnitudes (AB)", ["band", "mag", "error"], galaxy.mag.map((m) => [m.band, digits(m.mag, 2), m.err === null ? "n/a" : digits(m.err, 3)])),
    galaxyTable("Nearest training galaxies in colour and magnitude", ["galaxy", "mag", "labels"], galaxy.neighbours.map((n) => [n.id, digits(n.mag, 2), words_of(n.labels)])),
  );
  whenSeen(document.getElementById("galaxy-chart"), galaxySpec(galaxy, recipes, told));
}
function galaxySpec(galaxy, recipes, description) {
  const names = Object.keys(report.recipes);
  const color = { field: "recipe", type: "nominal", title: null, scale: { domain: names, range: Object.values(report.recipes) }, legend: { symbolType: "stroke" } };
  const curves = recipes.flatMap((r) => (r.pdf ?? []).map(([z, p]) => ({ recipe: r.recipe, z, p })));
  const ticks = recipes.flatMap((r) => [...r.members, r.z_phot].filter((z) => z !== null).map((z) => ({ recipe: r.recipe, z })));
  const labels = Object.entries(galaxy.labels).map(([truth, z]) => ({ truth, z, colour: report.truths[truth] }));
  const named = [...new Set(labels.map(({ z }) => digits(z, 2)))].map((at) => labels.filter(({ z }) => digits(z, 2) === at))
    .map((equal) => ({ z: equal[0].z, truth: equal.map(({ truth }) => truth).join(", ") })); // names of equal labels side by side
  const near = galaxy.neighbours.flatMap((n) => Object.entries(n.labels).map(([truth, z]) => ({ galaxy: n.id, truth, z })));
  const x = { field: "z", type: "quantitative", title: "redshift" };
  return {
    description, height: 280,
    layer: [
      { data: { values: curves }, mark: { type: "line", strokeWidth: 2 }, encoding: { x, y: { field: "p", type: "quantitative", title: curves.length ? "density" : null }, color } },
      { data: { values: ticks }, mark: { type: "tick", thickness: 2, size: 14, tooltip: true }, encoding: { x, y: { value: 268 }, color } },
      { data: { values: labels }, mark: { type: "rule", strokeWidth: 2, strokeDash: [5, 3], tooltip: true }, encoding: { x, color: { field: "colour", type: "nominal", scale: null }, tooltip: [{ field: "truth" }, { field: "z", format: ".3f" }] } },
      { data: { values: named }, mark: { type: "text", angle: 270, align: "right", dx: -6, dy: -6, fontSize: 11 }, encoding: { x, y: { value: 0 }, text: { field: "truth" } } },
      { data: { values: near }, mark: { type: "point", shape: "triangle-up", filled: true, size: 40, color: report.grey, tooltip: true }, encoding: { x, y: { value: 276 } } },
    ],
  };
}
pick.addEventListener("change", (event) => (event.target.name === "galaxy" ? showGalaxy() : listGalaxies()));
pick.addEventListener("submit", (event) => event.preventDefault());
pick.addEventListener("click", (event) => {
  const step = event.target.dataset ? Number(event.target.dataset.step) : 0;
  const list = pick.elements.galaxy;
  if (!step || !list.options.length) return;
  list.selectedIndex = (list.selectedIndex + step + list.options.length) % list.options.length;
  showGalaxy();
});

applyTools();
showNumbers();
listGalaxies();
for (const element of document.querySelectorAll("[data-chart]")) whenSeen(element, report.charts[element.dataset.chart]);
markPlace();
