// The pictures of a field: each is given what is shown, and returns a ground that it has drawn on.

/** Throughput against load: measured, the fitted law dotted, and the ideal. */
function throughputChart(shown, width) {
  const { field, series, isLogarithmic } = shown;
  const made = ground(width);
  const rates = series.flatMap((one) =>
    [...one.cells.map((cell) => cell.per_s), ...one.law.map(([, per_s]) => per_s)]);
  const loads = field.loads;
  const spreads = loads[loads.length - 1] / loads[0] >= 8;
  const x = (spreads ? logarithmic : linear)(
    spreads ? [loads[0], loads[loads.length - 1]] : [0, loads[loads.length - 1]], made.across);
  x.ticks = loads;
  const y = measured([...rates, ...(isLogarithmic ? [] : field.ideal)], made.up, isLogarithmic);
  axes(made, { x, y, xName: "sessions at once", yName: "sessions a second", xText: String, yText: three });
  const ideal = { style: "ideal", strategy: "", dashes: "6 4" };
  const known = loads.map((load, index) => [load, field.ideal[index]]).filter(([, per_s]) => per_s);
  line(made, ideal, known.map(([load, per_s]) => [x(load), y(per_s)]));
  for (const [load, per_s] of known) {
    point(made, ideal, x(load), y(per_s), `ideal, ${load} at once: ${rate(per_s)}`);
  }
  for (const one of series) {
    const cells = one.cells.filter((cell) => cell.per_s !== null);
    if (one.law.length) {
      line(made, one, one.law.map(([load, per_s]) => [x(load), y(per_s)]),
        { "stroke-dasharray": "1 4", "stroke-linecap": "round" });
    }
    // What carries one session at a time does so at every load.
    const places = one.serial && cells.length === 1
      ? loads.map((load) => [x(load), y(cells[0].per_s)])
      : cells.map((cell) => [x(cell.load), y(cell.per_s)]);
    line(made, one, places);
    for (const cell of cells) {
      const of = cell.efficiency === null ? "" : `, ${share(cell.efficiency)} of the ideal`;
      mark(made, one, x(cell.load), y(cell.per_s),
        `${one.label}, ${cell.load} at once: ${rate(cell.per_s)}${of}`);
    }
  }
  return made;
}

/** Latency by percentile, on HdrHistogram's axis. */
function percentileChart(shown, width) {
  const { cells, isLogarithmic } = shown;
  const made = ground(width);
  const inner = ({ cell }) => cell.quantiles.filter(([percent]) => percent < 100);
  const most = Math.max(...cells.flatMap((one) => inner(one).map(([percent]) => percent)), 90);
  const x = nines(most, made.across);
  const y = measured(cells.flatMap((one) => inner(one).map(([, s]) => s)), made.up, isLogarithmic);
  axes(made, { x, y, xName: "percentile", yName: "latency", xText: String, yText: duration });
  for (const one of cells) {
    line(made, one.series, inner(one).map(([percent, s]) => [x(percent), y(s)]));
    for (const [percent, s] of inner(one)) {
      point(made, one.series, x(percent), y(s), `${one.series.label}, p${percent}: ${duration(s)}`);
    }
  }
  return made;
}

/** The cumulative distribution of latency. */
function distributionChart(shown, width) {
  const { cells, isLogarithmic } = shown;
  const made = ground(width);
  const latencies = cells.flatMap(({ cell }) => cell.quantiles.map(([, s]) => s));
  const low = Math.min(...latencies), high = Math.max(...latencies);
  const x = isLogarithmic && low > 0 ? logarithmic([low, high], made.across)
    : linear([Math.max(0, low - (high - low) * 0.1), high], made.across);
  const y = linear([0, 100], made.up);
  axes(made, { x, y, xName: "latency", yName: "sessions that took at most so long",
    xText: duration, yText: (percent) => `${percent} %` });
  for (const one of cells) {
    line(made, one.series, one.cell.quantiles.map(([percent, s]) => [x(s), y(percent)]));
    for (const [percent, s] of one.cell.quantiles) {
      point(made, one.series, x(s), y(percent),
        `${one.series.label}: ${percent} % took at most ${duration(s)}`);
    }
  }
  return made;
}

const ROW = 26;

/** Where the time of the mean session went: a bar for each strategy. */
function partsChart(shown, width, data) {
  const cells = shown.cells.filter(({ cell }) => Object.keys(cell.parts).length);
  const left = width < 500 ? 128 : 150;
  const made = ground(width, ROW * cells.length + 64, { top: 8, right: 60, bottom: 52, left });
  const total = ({ cell }) => Object.values(cell.parts).reduce((sum, part) => sum + part, 0);
  const x = linear([0, Math.max(...cells.map(total), 0) || 1], made.across);
  axes(made, { x, y: { ticks: [] }, xName: "mean latency of a session", yName: "",
    xText: duration, yText: String });
  cells.forEach((one, row) => {
    const y = made.up[1] + row * ROW + 3;
    const group = shape("g", { "data-strategy": one.series.strategy });
    group.append(shape("text", { x: left - 8, y: y + 14, "text-anchor": "end", class: "label" },
      one.series.label));
    let at = 0;
    for (const part of data.parts) {
      const part_s = one.cell.parts[part.key];
      if (!part_s) continue;
      group.append(shape("rect", { x: x(at), y, width: Math.max(x(at + part_s) - x(at), 0.5),
        height: ROW - 7, class: `fill part-${part.key}`, "data-point": made.points.length }));
      point(made, one.series, x(at + part_s / 2), y + ROW / 2,
        `${one.series.label}, ${part.meaning}: ${duration(part_s)}, ${share(part_s / total(one))}`);
      at += part_s;
    }
    group.append(shape("text", { x: x(at) + 6, y: y + 14, class: "label" }, duration(total(one))));
    made.svg.append(group);
  });
  return made;
}

const LANE = 9;

/** Sessions over time, a lane for each; below them, when the event loop was blocked. */
function timelineChart({ series, cell }, end_s, width, data) {
  const { lanes, blocked } = cell.timeline;
  const begin_s = Math.min(...lanes.map((lane) => lane.segments[0]?.[0] ?? 0), 0);
  const height = LANE * (lanes.length + (blocked.length ? 2 : 0)) + 58;
  const made = ground(width, height, { top: 6, right: 18, bottom: 46, left: 64 });
  const x = exact([begin_s, end_s], made.across);
  axes(made, { x, y: { ticks: [] }, xName: "time", yName: "", xText: duration, yText: String });
  const meanings = Object.fromEntries(data.states.map((state) => [state.key, state.meaning]));
  const bar = (row, from_s, to_s, style, text) => {
    if (from_s >= end_s) return;
    const y = made.up[1] + row * LANE;
    const [from, to] = [x(from_s), x(Math.min(to_s, end_s))];
    made.svg.append(shape("rect", { x: from, y, width: Math.max(to - from, 0.4), height: LANE - 2,
      class: `fill ${style}`, "data-point": made.points.length }));
    point(made, series, (from + to) / 2, y + LANE / 2, text);
  };
  lanes.forEach((lane, row) => {
    for (const [from_s, to_s, state] of lane.segments) {
      bar(row, from_s, to_s, `state-${state}`, `session ${lane.session}, ${meanings[state]}: ` +
        `${duration(to_s - from_s)}, from ${duration(from_s)}`);
    }
  });
  for (const [from_s, to_s, by] of blocked) {
    bar(lanes.length + 1, from_s, to_s, "blocked", `${by} blocked the event loop for ` +
      `${duration(to_s - from_s)}, from ${duration(from_s)}`);
  }
  const side = (row, text) => made.svg.append(shape("text", { class: "label", "text-anchor": "end",
    x: made.across[0] - 8, y: made.up[1] + row * LANE + 8 }, text));
  side(0, "sessions");
  if (blocked.length) side(lanes.length + 1, "loop blocked");
  return made;
}

/** How late the event loop was over the time of a trial. */
function lagChart(shown, width) {
  const cells = shown.cells.filter(({ cell }) => cell.lag.some(([, lag_s]) => lag_s > 0));
  if (!cells.length) return null;
  const made = ground(width, 220);
  const longest_s = Math.max(...cells.flatMap(({ cell }) => cell.lag.map(([at_s]) => at_s)));
  const x = exact([0, longest_s], made.across);
  const y = measured(cells.flatMap(({ cell }) => cell.lag.map(([, s]) => s)), made.up,
    shown.isLogarithmic);
  axes(made, { x, y, xName: "time", yName: "longest lag", xText: duration, yText: duration });
  for (const one of cells) {
    const places = [];
    one.cell.lag.forEach(([at_s, lag_s], index) => {
      if (index) places.push([x(one.cell.lag[index - 1][0]), y(lag_s)]);
      places.push([x(at_s), y(lag_s)]);
      point(made, one.series, x(at_s), y(lag_s),
        `${one.series.label}, at ${duration(at_s)}: up to ${duration(lag_s)} late`);
    });
    line(made, one.series, places);
  }
  return made;
}
