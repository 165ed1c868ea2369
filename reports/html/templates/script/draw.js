// Elements, scales, axes and the way numbers are written: what every picture is made of.

const SVG = "http://www.w3.org/2000/svg";

/** Make an HTML element with attributes and children (elements or text). */
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Make an SVG element likewise. */
function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

// ---- how numbers are written

function three(value) {
  return Number(value.toPrecision(3)).toLocaleString("en-US", { maximumSignificantDigits: 3 });
}

/** Write seconds: "12 ms", "1.2 s". */
function duration(value_s) {
  if (value_s === 0) return "0 s";
  if (value_s < 0.000999) return `${three(value_s * 1e6)} µs`;
  return value_s < 0.9995 ? `${three(value_s * 1e3)} ms` : `${three(value_s)} s`;
}

function rate(value_per_s) {
  return `${three(value_per_s)}/s`;
}

function share(value) {
  return value < 0.01 && value > 0 ? "<1 %" : `${Math.round(value * 100)} %`;
}

// ---- scales: a function from a value to a place, with its ticks

/** A linear scale that begins where it is told and ends on a round number. */
function linear([low, high], [from, to]) {
  const step = roundStep((high - low) / 5 || 1);
  const end = low + Math.max(1, Math.ceil((high - low) / step - 1e-9)) * step;
  const scale = (value) => from + ((value - low) / (end - low)) * (to - from);
  scale.ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= end + step / 1e6; tick += step) {
    scale.ticks.push(Math.abs(tick) < step / 1e6 ? 0 : tick);
  }
  return scale;
}

/** A linear scale that ends where it is told. */
function exact([low, high], [from, to]) {
  const scale = (value) => from + ((value - low) / (high - low || 1)) * (to - from);
  scale.ticks = linear([low, high], [from, to]).ticks.filter((tick) => tick <= high);
  return scale;
}

function roundStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999);
}

/** A logarithmic scale; what lies below its begin is put there. */
function logarithmic([low, high], [from, to]) {
  const first = Math.log10(low);
  const length = Math.log10(Math.max(high, low * 1.5)) - first;
  const scale = (value) =>
    from + ((Math.log10(Math.max(value, low)) - first) / length) * (to - from);
  scale.ticks = [];
  for (let power = Math.floor(first); power <= first + length; power += 1) {
    for (const factor of length > 2.5 ? [1] : [1, 2, 5]) {
      const tick = factor * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) scale.ticks.push(tick);
    }
  }
  return scale;
}

/** The axis of HdrHistogram's plots: each further nine takes as much room as the one before. */
function nines(most, [from, to]) {
  const place = (percent) => -Math.log10(1 - Math.min(percent, most) / 100);
  const scale = (percent) => from + (place(percent) / place(most)) * (to - from);
  scale.ticks = [0, 50, 90, 99, 99.9, 99.99, 99.999].filter((percent) => percent <= most);
  return scale;
}

/** A scale of measured values: from zero, or logarithmic if that is wanted. */
function measured(values, place, isLogarithmic) {
  const known = values.filter((value) => value > 0);
  const high = Math.max(...known, 0) || 1;
  return isLogarithmic && known.length
    ? logarithmic([Math.min(...known), high], place)
    : linear([0, high], place);
}

// ---- the frame of a picture

const HEIGHT = 300;
const MARGIN = { top: 28, right: 18, bottom: 44, left: 64 };

/** A picture's ground: its size, and the places of its axes. */
function ground(width, height = HEIGHT, margin = MARGIN) {
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
  return {
    svg,
    width,
    height,
    across: [margin.left, width - margin.right],
    up: [height - margin.bottom, margin.top],
    points: [],
  };
}

/** Draw both axes with their grid. */
function axes(made, { x, y, xName, yName, xText, yText }) {
  const [left, right] = made.across;
  const [bottom, top] = made.up;
  const grid = shape("g", { class: "grid", "aria-hidden": "true" });
  for (const tick of y.ticks) {
    grid.append(
      shape("line", { x1: left, x2: right, y1: y(tick), y2: y(tick) }),
      shape("text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, yText(tick)),
    );
  }
  let free = -Infinity;
  for (const tick of x.ticks) {
    const text = xText(tick);
    const half = text.length * 3.5 + 4;
    grid.append(shape("line", { x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 5 }));
    const at = Math.min(x(tick), made.width - half); // the last one stays in the picture
    if (at - half < free) continue;
    free = at + half;
    grid.append(shape("text", { x: at, y: bottom + 19, "text-anchor": "middle" }, text));
  }
  grid.append(
    shape("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }),
    shape("text", { x: (left + right) / 2, y: bottom + 38, "text-anchor": "middle" }, xName),
    shape("text", { class: "unit", x: left - 56, y: top - 14 }, yName),
  );
  made.svg.append(grid);
}

/** Draw a line through places, in the manner of a series. */
function line(made, series, places, attributes = {}) {
  const path = places.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`);
  made.svg.append(
    shape("path", { d: path.join(""), class: `line ${series.style}`, "data-strategy": series.strategy,
      "stroke-dasharray": series.dashes, ...attributes }),
  );
}

/** Draw a mark that can be asked what it stands for. */
function mark(made, series, x, y, text) {
  made.svg.append(
    shape("circle", { cx: x, cy: y, r: 3.5, class: `mark ${series.style}`,
      "data-strategy": series.strategy }),
  );
  point(made, series, x, y, text);
}

/** Say what a place of the picture stands for, without drawing it. */
function point(made, series, x, y, text) {
  made.points.push({ x, y, strategy: series.strategy, text });
}
