// One described panel as SVG. It knows lines, bars, marks, tiles and texts, and no chart.

const HEIGHT = 300;
const ROW = 26;
const LANE = 9;
const LETTER = 6.2;

/** Draw a panel.
 *
 * `shown` says what the reader has chosen: the width, the hidden strategies, whether axes that may be
 * logarithmic are, and where the horizontal axis ends (`high`, in base units), if not where it does.
 * The result has the picture, and a point for every value that it can be asked for.
 */
function drawPanel(panel, shown) {
  const made = frame(panel, shown);
  if (made === null) return null;
  drawAxes(made);
  drawTiles(made);
  drawArrows(made);
  drawSpans(made);
  drawLines(made);
  drawDots(made);
  drawNotes(made);
  drawReferences(made);
  return made;
}

/** The size of a panel, its scales, and what of it is shown. */
function frame(panel, { width, hidden, isLogarithmic, high }) {
  const isShown = (owner) => owner === "" || !hidden.has(owner);
  const all = panel.rows ?? [];
  const rows = all.map(([label, owner], index) => ({ label, owner, index })).filter(({ owner }) => isShown(owner));
  const rowOf = new Map(rows.map(({ index }, position) => [index, position]));
  const kept = (marks) => (marks ?? []).filter(([row]) => rowOf.has(row));
  const lines = (panel.lines ?? []).filter(({ owner }) => isShown(owner));
  const parts = { lines, spans: kept(panel.spans), dots: kept(panel.dots), notes: kept(panel.notes),
    tiles: kept(panel.tiles), arrows: kept(panel.arrows).filter(([, , row]) => rowOf.has(row)), references: panel.references ?? [] };
  if (!(all.length ? rows.length : lines.some(({ isThin }) => !isThin))) return null;
  const rowHeight = panel.isCompact ? LANE : ROW;
  const margin = margins(panel, rows, parts, width);
  const height = all.length ? rows.length * rowHeight + margin.top + margin.bottom : HEIGHT;
  const across = [margin.left, width - margin.right], up = [height - margin.bottom, margin.top];
  const xs = [...lines.flatMap(({ points }) => points.map(([x]) => x)), ...parts.dots.map(([, x]) => x),
    ...parts.spans.flatMap(([, begin, length]) => [begin, begin + length]), ...parts.references.map(([x]) => x)];
  const ys = lines.flatMap(({ points }) => points.map(([, y]) => y));
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
  const xAxis = high === undefined ? panel.x : { ...panel.x, high };
  return {
    panel, svg, width, height, across, up, rows, rowHeight, points: [], ...parts, xAxis,
    x: panel.columns ? bands(panel.columns, across) : scaleOf(xAxis, xs, across, isLogarithmic),
    y: panel.y ? scaleOf(panel.y, ys, up, isLogarithmic) : Object.assign(() => 0, { ticks: [] }),
    end: high ?? Infinity,
    top: (row) => up[1] + rowOf.get(row) * rowHeight,
    ownerOf: (row) => all[row][1],
  };
}

function margins(panel, rows, { notes }, width) {
  if (panel.y) return { top: 28, right: 18, bottom: 44, left: 64 };
  const longest = (texts) => Math.max(0, ...texts.map((text) => text.length)) * LETTER;
  const label = longest(rows.map(({ label }) => label)) + 18;
  return { top: 8, right: notes.length ? longest(notes.map(([, , text]) => text)) + 14 : 18, bottom: 52,
    left: Math.min(Math.max(64, label), width * 0.42) };
}

/** Draw both axes with their grid, and the names of rows. */
function drawAxes(made) {
  const { panel, x, y, across: [left, right], up: [bottom, top] } = made;
  const grid = shape("g", { class: "grid", "aria-hidden": "true" });
  for (const tick of y.ticks) {
    const at = y.raw(tick);
    grid.append(
      shape("line", { x1: left, x2: right, y1: at, y2: at }),
      shape("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, tickText(panel.y, tick)),
    );
  }
  let free = -Infinity;
  for (const tick of x.ticks) {
    const text = panel.columns ? panel.columns[tick] : tickText(panel.x, tick);
    const place = panel.columns ? x(tick) : x.raw(tick);
    const half = text.length * 3.5 + 4;
    if (!panel.columns) grid.append(shape("line", { x1: place, x2: place, y1: bottom, y2: bottom + 5 }));
    const at = Math.min(place, made.width - half); // the last one stays in the picture
    if (at - half < free) continue;
    free = at + half;
    grid.append(shape("text", { x: at, y: bottom + 19, "text-anchor": "middle" }, text));
  }
  if (!panel.columns) grid.append(shape("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
  grid.append(shape("text", { x: (left + right) / 2, y: bottom + 38, "text-anchor": "middle" }, panel.x.text));
  if (panel.y) grid.append(shape("text", { class: "unit", x: left - 56, y: top - 14 }, panel.y.text));
  made.svg.append(grid);
  const room = Math.floor((left - 14) / LETTER);
  for (const { label, owner, index } of made.rows) {
    if (!label) continue;
    const cut = label.length > room ? `${label.slice(0, room - 1)}…` : label;
    made.svg.append(shape("text", { class: "label", "data-strategy": owner, "text-anchor": "end", x: left - 8,
      y: made.top(index) + (panel.isCompact ? 8 : ROW / 2 + 4) }, cut));
  }
}

/** Say what a place of the picture stands for. */
function point(made, x, y, owner, text) {
  made.points.push({ x, y, owner, text });
  return made.points.length - 1;
}

/** Name the row and the meaning before a value. */
function tooltipText(made, row, meaning, text) {
  return `${[made.panel.rows[row][2], meaning].filter(Boolean).join(", ")}: ${text}`;
}

function drawTiles(made) {
  for (const [row, column, colour, ink, label] of made.tiles) {
    const [middle, y] = [made.x(column), made.top(row)];
    const owner = made.ownerOf(row);
    const text = tooltipText(made, row, `${made.panel.x.text} ${made.panel.columns[column]}`, label);
    const isNarrow = made.x.width < label.length * LETTER + 6;
    made.svg.append(shape("g", { "data-strategy": owner },
      shape("rect", { x: middle - made.x.width / 2 + 1, y: y + 1, width: Math.max(made.x.width - 2, 1), height: ROW - 2,
        fill: colour, "data-point": point(made, middle, y + ROW / 2, owner, text) }),
      shape("text", { class: "tile", x: middle, y: y + ROW / 2 + 4, "text-anchor": "middle", style: `fill: ${ink}` },
        isNarrow ? label.replace(" %", "") : label)));
  }
}

function drawSpans(made) {
  const { x: axis, spanText, meanings } = made.panel;
  for (const [row, begin, length, colour, meaning, own, isLine] of made.spans) {
    if (begin >= made.end) continue;
    const [from, to] = [made.x(begin), made.x(Math.min(begin + length, made.end))];
    const text = own ?? (spanText && filledIn(spanText, { begin: valueText(axis, begin), length: valueText(axis, length) }));
    const owner = made.ownerOf(row);
    const y = made.top(row) + (made.panel.isCompact ? 0 : 3);
    const thick = made.panel.isCompact ? LANE - 2 : isLine ? 2 : ROW - 7;
    const attributes = { x: from, y: isLine ? made.top(row) + ROW / 2 - 1 : y, width: Math.max(to - from, 0.4),
      height: thick, class: `fill c${colour}`, "data-strategy": owner };
    if (text) {
      attributes["data-point"] = point(made, (from + to) / 2, y + thick / 2, owner,
        tooltipText(made, row, meanings[meaning], text));
    }
    made.svg.append(shape("rect", attributes));
  }
}

/** Draw what leads from the end of one bar to the begin of a lower one. */
function drawArrows(made) {
  for (const [row, x, toRow, toX, colour] of made.arrows) {
    const [fromX, fromY, endX, endY] = [made.x(x), made.top(row) + ROW - 4, made.x(toX), made.top(toRow) + 3];
    const length = Math.hypot(endX - fromX, endY - fromY) || 1;
    const [alongX, alongY] = [((endX - fromX) / length) * 6, ((endY - fromY) / length) * 6];
    const [baseX, baseY] = [endX - alongX, endY - alongY];
    const head = `M${endX} ${endY}L${baseX - alongY / 2} ${baseY + alongX / 2}L${baseX + alongY / 2} ${baseY - alongX / 2}Z`;
    made.svg.append(
      shape("path", { d: `M${fromX} ${fromY}L${baseX} ${baseY}`, class: `line c${colour} thin` }),
      shape("path", { d: head, class: `fill c${colour}` }),
    );
  }
}

/** The text of a point that has none of its own. */
function textOf({ x: across, y: up, pointText }, x, y) {
  return pointText && filledIn(pointText, { x: valueText(across, x), y: valueText(up, y) });
}

/** Draw lines, the thin ones below and those meant to be seen above over the others. */
function drawLines(made) {
  const layers = [[], [], []];
  for (const line of made.lines) {
    const layer = layers[line.isAbove ? 2 : line.isThin ? 0 : 1];
    const places = line.points.map(([x, y, text]) => ({ x: made.x(x), y: made.y(y), text: text ?? textOf(made.panel, x, y) }));
    const steps = line.shape === "steps"
      ? places.flatMap((place, index) => (index ? [{ x: places[index - 1].x, y: place.y }, place] : [place]))
      : places;
    const path = steps.map(({ x, y }, index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    layer.push(shape("path", { d: path, class: `line c${line.colour}${line.isThin ? " thin" : ""}`,
      "data-strategy": line.owner, "stroke-dasharray": dashed(line.dashes) }));
    for (const { x, y, text } of places) {
      if (line.marks) layer.push(shape("circle", { cx: x, cy: y, r: 3.5, class: `mark c${line.colour}`,
        "data-strategy": line.owner }));
      if (text) point(made, x, y, line.owner, `${line.label}, ${text}`);
    }
  }
  made.svg.append(...layers.flat());
}

/** Dashes are given in widths of a line. */
function dashed(dashes) {
  return dashes.length ? dashes.map((part) => part * 1.5).join(" ") : null;
}

function drawDots(made) {
  for (const [row, x, colour, meaning, text, marker, isOpen] of made.dots) {
    const owner = made.ownerOf(row);
    const [at, middle] = [made.x(x), made.top(row) + ROW / 2];
    const attributes = { class: `dot c${colour}${isOpen ? " open" : ""}`, "data-strategy": owner };
    if (text) {
      attributes["data-point"] = point(made, at, middle, owner, tooltipText(made, row, made.panel.meanings[meaning], text));
    }
    made.svg.append(dotShape(marker, at, middle, attributes));
  }
}

function dotShape(marker, x, y, attributes) {
  return marker === "D"
    ? shape("path", { d: `M${x} ${y - 5}l5 5l-5 5l-5 -5z`, ...attributes })
    : shape("circle", { cx: x, cy: y, r: 4, ...attributes });
}

function drawNotes(made) {
  for (const [row, x, text] of made.notes) {
    made.svg.append(shape("text", { class: "label", "data-strategy": made.ownerOf(row), x: made.x(x) + 9,
      y: made.top(row) + ROW / 2 + 4 }, text));
  }
}

function drawReferences(made) {
  const [bottom, top] = made.up;
  for (const [value, text] of made.references) {
    const x = made.x(value);
    made.svg.append(shape("line", { class: "reference", x1: x, x2: x, y1: bottom, y2: top,
      "stroke-dasharray": dashed([5, 3]) }));
    point(made, x, top + 4, "", text);
  }
}

// ---- legends

/** What stands for a legend's entry: a coloured field, a piece of line, a mark. */
function sample({ colour, dashes, marker, isOpen, isThin }) {
  if (dashes !== null) {
    return shape("svg", { class: "dashes", width: 34, height: 10, "aria-hidden": "true" },
      shape("line", { class: `line c${colour}${isThin ? " thin" : ""}`, x1: 0, x2: 34, y1: 5, y2: 5,
        "stroke-dasharray": dashed(dashes) }));
  }
  if (!marker) return element("span", { class: `swatch c${colour}` });
  return shape("svg", { class: "dashes", width: 12, height: 12, "aria-hidden": "true" },
    dotShape(marker, 6, 6, { class: `dot c${colour}${isOpen ? " open" : ""}` }));
}

/** A sample and its meaning for each entry, as a list. */
function legend(entries) {
  return element("ul", { class: "legend keys" }, ...entries.map((entry) =>
    element("li", {}, sample(entry), entry.label)));
}
