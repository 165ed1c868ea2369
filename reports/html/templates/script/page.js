// The page: what the reader has chosen, the controls that say so, and the pictures that follow.

const data = JSON.parse(document.getElementById("data").textContent);
const chosen = { hidden: new Set(), isLogarithmic: false, scenario: "" };
const tooltip = element("div", { class: "tooltip", role: "tooltip", hidden: true });
const spoken = element("p", { class: "unseen", role: "status" });
const groups = [];
let lit = "";

/** Give each colour its class, for light and for dark. */
function colours() {
  const rules = (theme) => data.colours.map((pair, index) => `.c${index} { --colour: ${pair[theme]}; }`).join("\n");
  return element("style", {}, `${rules(0)}
    @media screen and (prefers-color-scheme: dark) { ${rules(1)} }`);
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
    highlight(asked.owner);
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

/** The pictures of one comparison group, in their place on the page. */
class GroupPictures {
  constructor(place, group) {
    this.group = group;
    this.load = group.loads[group.loads.length - 1][0];
    this.isWhole = false;
    this.compared = group.timelines.compared;
    const controls = element("div", { class: "controls" });
    if (group.loads.length > 1) {
      controls.append(choice("concurrency", group.loads.map(([load, text]) => [String(load), text]),
        String(this.load), (value) => { this.load = Number(value); this.draw(); }));
    }
    this.pictures = element("div", { class: "charts" });
    place.append(controls, this.pictures);
  }

  draw() {
    this.pictures.replaceChildren();
    const charts = this.group.charts;
    for (const chart of charts.filter(({ isWide }) => !isWide)) this.picture(chart);
    this.timelines();
    for (const chart of charts.filter(({ isWide }) => isWide)) this.picture(chart);
  }

  /** Make a figure with its caption: what it shows, and what it finds. */
  figure(heading, isByLoad, finding, isWide) {
    const text = this.group.loads.find(([load]) => load === this.load)[1];
    const kind = isByLoad ? `${heading}, concurrency ${text}` : heading;
    const made = element("figure", { class: isWide ? "wide" : null }, element("figcaption", {},
      element("span", { class: "kind" }, kind), " ", element("span", { class: "finding" }, finding.replaceAll(" %", "\u00a0%"))));
    this.pictures.append(made);
    return [made, finding ? `${kind}: ${finding}` : kind];
  }

  picture({ heading, isByLoad, isWide, panels }) {
    const panel = isByLoad ? panels[this.load] : Object.values(panels)[0];
    if (!panel) return;
    const [figure, title] = this.figure(heading, isByLoad, panel.finding, isWide);
    const made = drawPanel(panel, { ...chosen, width: this.widthOf(figure) });
    if (made === null) figure.remove();
    else figure.append(answering(made, title), ...(panel.legend ? [legend(panel.legend)] : []));
  }

  widthOf(figure) {
    return Math.max(300, figure.clientWidth - 24);
  }

  timelines() {
    const { heading, panels, byLoad } = this.group.timelines;
    const drawn = byLoad[this.load].map((index) => panels[index]).filter(({ owner }) => !chosen.hidden.has(owner));
    if (!drawn.length) return;
    const [figure, title] = this.figure(heading, true, "", true);
    const labels = drawn.map(({ label }) => label);
    const compared = this.compared.filter((label) => labels.includes(label));
    const two = (compared.length ? compared : labels.slice(0, 2)).map((label) => drawn[labels.indexOf(label)]);
    const ends = two.map(({ end }) => end);
    const high = this.isWhole ? Math.max(...ends) : Math.min(Math.min(...ends) * 1.1, Math.max(...ends));
    const again = (before) => {
      const old = [...this.pictures.children].indexOf(before);
      before.remove();
      this.timelines();
      const made = this.pictures.lastChild;
      if (made) this.pictures.insertBefore(made, this.pictures.children[old]);
      light();
    };
    const controls = two.map((one, index) =>
      choice(index ? "with" : "compare", labels.map((label) => [label, label]), one.label, (label) => {
        this.compared = two.map((each) => each.label);
        this.compared[index] = label;
        again(figure);
      }));
    figure.append(element("div", { class: "controls" }, ...controls,
      tick("whole time", this.isWhole, (isWhole) => { this.isWhole = isWhole; again(figure); })));
    for (const one of two) {
      const beyond = one.end > high ? "; the beginning is shown" : "";
      figure.append(element("p", { class: "panel" }, `${one.label}: ${one.finding}${beyond}`),
        answering(drawPanel(one, { ...chosen, width: this.widthOf(figure), high }), `${title}: ${one.label}`));
    }
    const entries = new Map(two.flatMap((one) => one.legend ?? []).map((entry) => [entry.label, entry]));
    figure.append(legend([...entries.values()]));
  }
}

function drawAll() {
  for (const section of document.querySelectorAll("[data-scenario]")) {
    section.hidden = chosen.scenario !== "" && section.dataset.scenario !== chosen.scenario;
  }
  for (const row of document.querySelectorAll("tr[data-strategy]")) {
    row.hidden = chosen.hidden.has(row.dataset.strategy);
  }
  for (const group of groups) group.draw();
  light();
}

/** The controls that hold for the whole page. */
function toolbar() {
  const bar = element("div", { class: "toolbar", role: "group", "aria-label": "What is shown" });
  for (const { name: key, colour } of data.strategies) {
    const button = element("button", { type: "button", "aria-pressed": "true", "data-strategy": key },
      element("span", { class: `swatch c${colour}` }), key);
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
  for (const entry of data.lines) bar.append(element("span", { class: "key" }, sample(entry), entry.label));
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
  for (const place of document.querySelectorAll("[data-group]")) {
    const [scenario, group] = place.dataset.group.split(".").map(Number);
    groups.push(new GroupPictures(place, data.scenarios[scenario].groups[group]));
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
