// The page: what the reader has chosen, the controls that say so, and the pictures that follow.

const data = JSON.parse(document.getElementById("data").textContent);
const chosen = { hidden: new Set(), isLogarithmic: false, scenario: "" };
const tooltip = element("div", { class: "tooltip", role: "tooltip", hidden: true });
const spoken = element("p", { class: "unseen", role: "status" });
const laboratories = [];
let lit = "";

const styles = Object.fromEntries(data.strategies.map((one, index) => [one.key, `strategy-${index}`]));

/** Give each strategy, part and state its colours, for light and for dark. */
function colours() {
  const rules = (theme) => [
    ...data.strategies.map((one) => `.${styles[one.key]} { --colour: ${one[theme]}; }`),
    ...data.parts.map((part) => `.part-${part.key} { --colour: ${part[theme]}; }`),
    ...data.states.map((state) => `.state-${state.key} { --colour: ${state[theme]}; }`),
  ].join("\n");
  return element("style", {}, `${rules("light")}
    @media screen and (prefers-color-scheme: dark) { ${rules("dark")} }`);
}

/** A swatch and a word for each, as a list. */
function legend(entries, className) {
  return element("ul", { class: "legend keys" }, ...entries.map((entry) =>
    element("li", {}, element("span", { class: `swatch ${className}${entry.key}` }), entry.meaning)));
}

/** Show which strategy is looked at: all others step back, in every picture and table. */
function highlight(strategy) {
  if (strategy === lit) return;
  lit = strategy;
  light();
}

/** Give every part of the page the look that goes with it. */
function light() {
  document.body.classList.toggle("highlights", lit !== "");
  for (const part of document.querySelectorAll("[data-strategy]")) {
    part.classList.toggle("lit", lit !== "" && part.dataset.strategy === lit);
  }
}

/** Let a picture answer: to the pointer with what is nearest, to the arrow keys point by point. */
function answering(made, title) {
  let current = -1;
  const tell = (index, byKey) => {
    const asked = made.points[index];
    current = index;
    highlight(asked.strategy);
    tooltip.textContent = asked.text;
    tooltip.hidden = false;
    const box = made.svg.getBoundingClientRect();
    const zoom = box.width / made.width;
    const room = document.documentElement.clientWidth - tooltip.offsetWidth - 8;
    tooltip.style.left = `${Math.max(4, Math.min(box.left + asked.x * zoom + 12, room)) + scrollX}px`;
    tooltip.style.top = `${box.top + asked.y * zoom + 14 + scrollY}px`;
    if (byKey) spoken.textContent = asked.text;
  };
  const leave = () => {
    tooltip.hidden = true;
    highlight("");
  };
  const nearest = (x, y) => {
    let best = -1, least = 40 ** 2;
    made.points.forEach((one, index) => {
      const distance = (one.x - x) ** 2 + (one.y - y) ** 2;
      // What was drawn last lies on top.
      if (distance <= least) [best, least] = [index, distance];
    });
    return best;
  };
  made.svg.setAttribute("tabindex", "0");
  made.svg.setAttribute("aria-label", `${title}. Arrow keys read its values.`);
  made.svg.addEventListener("pointermove", (event) => {
    const box = made.svg.getBoundingClientRect();
    const zoom = made.width / box.width;
    const own = event.target.dataset.point;
    const index = own === undefined
      ? nearest((event.clientX - box.left) * zoom, (event.clientY - box.top) * zoom) : Number(own);
    if (index < 0) leave();
    else tell(index, false);
  });
  made.svg.addEventListener("pointerleave", leave);
  made.svg.addEventListener("blur", leave);
  made.svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") leave();
    if (!step || !made.points.length) return;
    event.preventDefault();
    tell((current + step + made.points.length) % made.points.length, true);
  });
  return made.svg;
}

/** A choice among few, with its label. */
function choice(label, options, value, onChange) {
  const select = element("select", {}, ...options.map(([key, text]) =>
    element("option", { value: key, selected: key === value }, text)));
  select.addEventListener("change", () => onChange(select.value));
  return element("label", {}, `${label} `, select);
}

/** A box to tick, with its label. */
function tick(label, isTicked, onChange) {
  const box = element("input", { type: "checkbox", checked: isTicked });
  box.addEventListener("change", () => onChange(box.checked));
  return element("label", {}, box, ` ${label}`);
}

/** The pictures of one field, in their place on the page. */
class Laboratory {
  constructor(place, field) {
    this.place = place;
    this.field = field;
    this.load = field.loads[field.loads.length - 1];
    this.isWhole = false;
    this.series = field.series.map((one) => ({
      ...one, style: styles[one.strategy], dashes: data.loops[one.loop].map((part) => part * 1.5).join(" "),
    }));
    // A session that took no time, since it failed at once, has a lane and nothing on it.
    const drawn = this.atLoad((cell) => cell.timeline?.lanes.some((lane) => lane.segments.length));
    const carried = drawn.map(({ cell }) => cell.per_s ?? 0);
    const slowest = drawn[carried.indexOf(Math.min(...carried))];
    const fastest = drawn[carried.indexOf(Math.max(...carried))];
    this.compared = [...new Set([slowest, fastest])].filter(Boolean).map(({ series }) => series.label);
    this.controls = element("div", { class: "controls" });
    if (field.loads.length > 1) {
      this.controls.append(choice("sessions at once", field.loads.map((load) => [String(load), String(load)]),
        String(this.load), (value) => { this.load = Number(value); this.draw(); }));
    }
    this.pictures = element("div", { class: "charts" });
    place.append(this.controls, this.pictures);
  }

  atLoad(wanted = () => true) {
    return this.series
      .filter((one) => !chosen.hidden.has(one.strategy))
      .map((series) => ({ series, cell: series.cells.find((cell) => cell.load === this.load) ||
        (series.serial ? series.cells[0] : undefined) }))
      .filter(({ cell }) => cell && wanted(cell));
  }

  endOf({ cell }) {
    return Math.max(...cell.timeline.lanes.flatMap((lane) => lane.segments.map(([, to_s]) => to_s)));
  }

  draw() {
    this.pictures.replaceChildren();
    const cells = this.atLoad((cell) => cell.quantiles.length);
    const shown = { field: this.field, cells, isLogarithmic: chosen.isLogarithmic,
      series: this.series.filter((one) => !chosen.hidden.has(one.strategy)) };
    this.picture("Throughput against load", throughputChart, shown);
    if (!cells.length) return;
    const at = `with ${this.load} at once`;
    this.picture(`Latency by percentile, ${at}`, percentileChart, shown);
    this.picture(`Where the time of a session went, ${at}`, partsChart, shown,
      { keys: [legend(data.parts.filter((part) => cells.some(({ cell }) => cell.parts[part.key])), "part-")] });
    this.picture(`Latency distribution, ${at}`, distributionChart, shown);
    this.timelines(at);
    this.picture(`How late the event loop was, ${at}`, lagChart, shown, { isWide: true });
  }

  picture(title, draw, shown, { keys = [], isWide = false } = {}) {
    const figure = element("figure", { class: isWide ? "wide" : null }, element("figcaption", {}, title));
    this.pictures.append(figure);
    const made = draw(shown, Math.max(300, figure.clientWidth - 24), data);
    if (made === null) figure.remove();
    else figure.append(answering(made, title), ...keys);
  }

  timelines(at) {
    // A session that took no time, since it failed at once, has a lane and nothing on it.
    const drawn = this.atLoad((cell) => cell.timeline?.lanes.some((lane) => lane.segments.length));
    if (!drawn.length) return;
    const title = `The first sessions over time, ${at}`;
    const figure = element("figure", { class: "wide" }, element("figcaption", {}, title));
    this.pictures.append(figure);
    const labels = drawn.map(({ series }) => series.label);
    const compared = this.compared.filter((label) => labels.includes(label));
    const panels = (compared.length ? compared : labels.slice(0, 2)).map((label) => drawn[labels.indexOf(label)]);
    const ends = panels.map((one) => this.endOf(one));
    const end_s = this.isWhole ? Math.max(...ends) : Math.min(...ends) * 1.1;
    const again = () => { figure.remove(); this.timelines(at); };
    const controls = element("div", { class: "controls" }, ...panels.map((one, index) =>
      choice(index ? "with" : "compare", labels.map((label) => [label, label]), one.series.label, (label) => {
        this.compared = panels.map(({ series }) => series.label);
        this.compared[index] = label;
        again();
      })), tick("all of it", this.isWhole, (isWhole) => { this.isWhole = isWhole; again(); }));
    figure.append(controls);
    panels.forEach((one, index) => {
      const beyond = ends[index] > end_s ? ` (goes on until ${duration(ends[index])})` : "";
      figure.append(element("p", { class: "panel" }, `${one.series.label}${beyond}`), answering(
        timelineChart(one, end_s, Math.max(300, figure.clientWidth - 24), data),
        `${title}: ${one.series.label}`));
    });
    const states = new Set(panels.flatMap(({ cell }) =>
      cell.timeline.lanes.flatMap((lane) => lane.segments.map(([, , state]) => state))));
    figure.append(legend(data.states.filter((state) => states.has(state.key)), "state-"));
  }
}

function drawAll() {
  for (const section of document.querySelectorAll("[data-scenario]")) {
    section.hidden = chosen.scenario !== "" && section.dataset.scenario !== chosen.scenario;
  }
  for (const row of document.querySelectorAll("tr[data-strategy]")) {
    row.hidden = chosen.hidden.has(row.dataset.strategy);
  }
  for (const laboratory of laboratories) laboratory.draw();
  light();
}

/** The controls that hold for the whole page. */
function toolbar() {
  const bar = element("div", { class: "toolbar", role: "group", "aria-label": "What is shown" });
  for (const { key } of data.strategies) {
    const button = element("button", { type: "button", "aria-pressed": "true", "data-strategy": key },
      element("span", { class: `swatch ${styles[key]}` }), key);
    button.addEventListener("click", () => {
      if (!chosen.hidden.delete(key)) chosen.hidden.add(key);
      button.setAttribute("aria-pressed", String(!chosen.hidden.has(key)));
      lit = chosen.hidden.has(key) ? "" : key;
      drawAll();
    });
    for (const event of ["pointerenter", "focus"]) {
      button.addEventListener(event, () => highlight(chosen.hidden.has(key) ? "" : key));
    }
    for (const event of ["pointerleave", "blur"]) button.addEventListener(event, () => highlight(""));
    bar.append(button);
  }
  const lines = Object.entries(data.loops).filter(([loop]) => loop !== "none")
    .map(([loop, dashes]) => ["", loop, dashes.map((part) => part * 1.5).join(" ")]);
  lines.push(["ideal", "ideal", "6 4"]);
  if (data.scenarios.some(({ fields }) => fields.some(({ series }) => series.some(({ law }) => law.length)))) {
    lines.push(["law", "scalability law, fitted", "1 4"]);
  }
  for (const [style, text, dashes] of lines) {
    bar.append(element("span", { class: `dashes ${style}` },
      shape("svg", { width: 34, height: 10, "aria-hidden": "true" },
        shape("line", { x1: 0, x2: 34, y1: 5, y2: 5, "stroke-dasharray": dashes })), text));
  }
  if (data.scenarios.length > 1) {
    bar.append(choice("scenario", [["", "all"], ...data.scenarios.map(({ name }, index) => [String(index), name])],
      "", (value) => { chosen.scenario = value; drawAll(); }));
  }
  bar.append(tick("log scale", false, (isTicked) => { chosen.isLogarithmic = isTicked; drawAll(); }));
  return bar;
}

function begin() {
  document.head.append(colours());
  document.body.append(tooltip, spoken);
  if (!data.scenarios.length) return;
  document.querySelector("main > .verdict").after(toolbar());
  for (const place of document.querySelectorAll("[data-field]")) {
    const [scenario, field] = place.dataset.field.split(".").map(Number);
    laboratories.push(new Laboratory(place, data.scenarios[scenario].fields[field]));
  }
  drawAll();
  let width = document.body.clientWidth;
  addEventListener("resize", () => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    drawAll();
  });
}

begin();
