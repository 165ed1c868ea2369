// Elements and scales: what every picture is made of.

const SVG = "http://www.w3.org/2000/svg";
// Of a logarithmic axis of more, every second or third power is a tick.
const MOST_DECADES = 8;

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
function logarithmic([low, most], [from, to]) {
  const high = Math.max(most, low * 1.5);
  const first = Math.log10(low);
  const length = Math.log10(high) - first;
  const scale = (value) =>
    from + ((Math.log10(Math.max(value, low)) - first) / length) * (to - from);
  scale.ticks = logarithmicTicks(low, high);
  return scale;
}

/** Round numbers of a logarithmic axis, three at least, as `logarithmic_ticks` of ticks.py finds them. */
function logarithmicTicks(low, high) {
  const decades = Math.log10(high / low);
  const stride = Math.ceil(decades / MOST_DECADES);
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    if (((power % stride) + stride) % stride) continue;
    for (const factor of decades > 2.5 ? [1] : [1, 2, 5]) ticks.push(Number(`${factor}e${power}`));
  }
  const shown = ticks.filter((tick) => low <= tick && tick <= high);
  return shown.length >= 3 ? shown : evenTicks(low, high);
}

/** The fewest multiples of one, two or five that are at least three. */
function evenTicks(low, high) {
  for (let power = Math.ceil(Math.log10(high - low)); ; power -= 1) {
    for (const factor of [5, 2, 1]) {
      const step = Number(`${factor}e${power}`);
      const begin = Math.ceil(low / step - 1e-6), end = Math.floor(high / step + 1e-6);
      if (end - begin < 2) continue;
      return Array.from({ length: end - begin + 1 }, (_, index) => Number(((begin + index) * step).toPrecision(12)));
    }
  }
}

/** The axis of HdrHistogram's plots: each further nine takes as much room as the one before. */
function nines(most, [from, to]) {
  const place = (percent) => -Math.log10(1 - Math.min(percent, most) / 100);
  const scale = (percent) => from + (place(percent) / place(most)) * (to - from);
  scale.ticks = [0, 50, 90, 99, 99.9, 99.99, 99.999].filter((percent) => percent <= most);
  return scale;
}

/** Bands of one width beside each other; a place is the middle of its band. */
function bands(names, [from, to]) {
  const width = (to - from) / names.length;
  const scale = (index) => from + (index + 0.5) * width;
  scale.ticks = names.map((_, index) => index);
  scale.width = width;
  return scale;
}

/** A range that begins a little before its values; virtual time may give all of them the same. */
function roomAround(least, most) {
  if (least === most) return [most * 0.9, most * 1.1 || 1];
  return [Math.max(0, least - (most - least) * 0.1), most || 1];
}

/** The scale of a described axis for the values that are shown, all in the unit of the axis. */
function scaleOf(axis, shown, place, isLogarithmic) {
  const own = (value) => (value === null ? null : value / axis.factor);
  const [low, high] = [own(axis.low), own(axis.high)];
  const values = shown.map(own);
  const positive = values.filter((value) => value > 0);
  const least = low ?? Math.min(...values, Infinity), most = high ?? Math.max(...values, 0);
  const wantsLog = axis.scale === "logarithmic" || (axis.scale === "wide" && isLogarithmic);
  let scale;
  if (axis.scale === "nines") scale = nines(most, place);
  else if (wantsLog && positive.length) scale = logarithmic([Math.min(...positive), Math.max(...positive)], place);
  else if (low !== null && high !== null) scale = exact([low, high], place);
  else if (axis.fromZero) scale = linear([0, most || 1], place);
  else scale = linear(roomAround(least, most), place);
  if (axis.ticks.length) scale.ticks = axis.ticks.map(own);
  return Object.assign((value) => scale(value / axis.factor), { ticks: scale.ticks, raw: scale });
}

/** Write a value of an axis in a text. */
function valueText(axis, value) {
  if (axis.quantity === "time") return duration(value);
  const text = (axis.quantity === "share" ? value * 100 : value).toLocaleString("en-US", { maximumSignificantDigits: 6, useGrouping: false });
  return axis.quantity === "share" ? `${text} %` : text;
}

const TIME_UNITS = [[10800, "h", 3600], [600, "min", 60], [0.9995, "s", 1], [0.9995e-3, "ms", 1e-3], [0, "µs", 1e-6]];

/** Write a time in seconds with three digits that count, as `seconds` of formatting.py does. */
function duration(value) {
  if (value === 0) return "0 s";
  const [, unit, factor] = TIME_UNITS.find(([least]) => Math.abs(value) >= least);
  const rounded = Number((value / factor).toPrecision(3));
  const decimals = Math.abs(rounded) >= 100 ? 0 : 2 - Math.floor(Math.log10(Math.abs(rounded)));
  const shown = decimals ? rounded : value / factor;
  return `${shown.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })} ${unit}`;
}

/** Put values into the places of a text: `p{x}: {y}`. */
function filledIn(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Write a number at an axis. What such a text cannot be made of comes as a text. */
function tickText(axis, value) {
  const text = value.toLocaleString("en-US", { maximumSignificantDigits: 10 });
  if (axis.quantity === "change") return `${value < 0 ? "" : "+"}${text} %`;
  return axis.quantity === "share" ? `${text} %` : text;
}
