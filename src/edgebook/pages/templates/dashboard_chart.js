/* One trade on its bars: high, low and close around it, and its entry, target, stop and exit, each with price, time and R. */

/* Three bytes a bar, high, low and close, of 255 parts between the lowest and the highest price of the picture; bars
   are dated by their close and follow each other by `step`, but for the gaps that are listed. */
function decodedBars(chart) {
  const bytes = Uint8Array.from(atob(chart.bars), (letter) => letter.charCodeAt(0));
  const price = (byte) => chart.low + byte / 255 * (chart.high - chart.low);
  const gaps = new Map(chart.gaps || []);
  let closes = chart.start;
  return Array.from({ length: Math.floor(bytes.length / 3) }, (_, i) => {
    if (i) closes += gaps.get(i) ?? chart.step;
    return { closes, high: price(bytes[3 * i]), low: price(bytes[3 * i + 1]), close: price(bytes[3 * i + 2]) };
  });
}

const served = new Map();

/* Only a served page asks, and only the server it came from. */
async function barsOf(book, row) {
  const id = tradeId(book, row);
  const chart = book.charts.get(row);
  if (chart) return { bars: decodedBars(chart), step: chart.step, exact: false };
  if (!book.head.served) return null;
  if (!served.has(id)) {
    const answer = await fetch('bars?signal_id=' + encodeURIComponent(id));
    if (!answer.ok) return null;
    const found = await answer.json();
    const bars = found.minutes.map((closes, i) => ({ closes, high: found.high[i], low: found.low[i], close: found.close[i] }));
    served.set(id, { bars, step: found.step, exact: true });
  }
  return served.get(id);
}

function niceSteps(from, to, about) {
  const raw = (to - from) / Math.max(1, about) || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((one) => one * power >= raw) * power;
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, i) => first + i * step);
}

function timeSteps(from, to, about) {
  const choices = [15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 7200, 10080, 20160, 43200, 129600, 259200, 525600];
  const step = choices.find((one) => (to - from) / one <= about) || choices[choices.length - 1];
  const first = Math.ceil(from / step) * step;
  return { step, ticks: Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, i) => first + i * step) };
}

/* R of a price before costs; what a trade made after costs is the ledger's. */
const grossR = (trade, price) => (trade.side === 'short' ? -1 : 1) * (price - trade.entry) / Math.abs(trade.entry - trade.stop);

function tradeOf(book, row) {
  const { trades } = book;
  const at = (key) => (trades[key] ? trades[key][row] : NaN);
  const side = book.dimensions.get('side');
  return { id: tradeId(book, row), row, side: trades.side ? side.values[trades.side[row]] : 'long', opened: at('opened'),
    closed: at('closed'), entry: at('entry'), exit: at('exit'), target: at('target'), stop: at('stop'), r: at('r'),
    regime: trades.regime ? book.dimensions.get('regime').values[trades.regime[row]] : '', reason: reasonOf(book, row) };
}

/* Labels at the right keep their order and 15 px between them. */
function spread(labels, top, bottom) {
  labels.sort((a, b) => a.y - b.y);
  labels.forEach((label, i) => { label.at = i ? Math.max(label.y, labels[i - 1].at + 15) : Math.max(label.y, top); });
  for (let i = labels.length - 1; i >= 0; i -= 1) {
    labels[i].at = Math.min(labels[i].at, i === labels.length - 1 ? bottom : labels[i + 1].at - 15);
  }
  return labels;
}

function frameOf(trade, bars, width) {
  const narrow = width < 620;
  const height = narrow ? 340 : 400;
  const side = { left: narrow ? 56 : 64, right: narrow ? 152 : 206, top: 26, bottom: 46 };
  const prices = [trade.entry, trade.exit, trade.target, trade.stop, ...bars.flatMap((bar) => [bar.high, bar.low])].filter(Number.isFinite);
  const [least, most] = [Math.min(...prices), Math.max(...prices)];
  const pad = (most - least) * 0.05 || Math.abs(most) * 0.01 || 1;
  const ends = Number.isFinite(trade.closed) ? trade.closed : bars.length ? bars[bars.length - 1].closes : trade.opened + 60;
  const first = bars.length ? Math.min(bars[0].closes - (bars.length > 1 ? bars[1].closes - bars[0].closes : 0), trade.opened) : trade.opened - (ends - trade.opened) * 0.25;
  const last = bars.length ? Math.max(bars[bars.length - 1].closes, ends) : ends + (ends - trade.opened) * 0.25;
  const [low, high] = [least - pad, most + pad];
  return { width, height, side, narrow, low, high, first, last, ends,
    x: (time) => Math.round((side.left + (time - first) / (last - first || 1) * (width - side.left - side.right)) * 10) / 10,
    y: (price) => Math.round((side.top + (high - price) / (high - low) * (height - side.top - side.bottom)) * 10) / 10,
    right: width - side.right, base: height - side.bottom };
}

function axesOf(frame, trade) {
  const parts = [];
  const texts = [];
  for (const price of niceSteps(frame.low, frame.high, frame.narrow ? 4 : 6)) {
    parts.push(draw('line', { x1: frame.side.left, x2: frame.right, y1: frame.y(price), y2: frame.y(price), class: 'grid' }));
    texts.push(draw('text', { x: frame.side.left - 6, y: frame.y(price) + 4, class: 'tick', 'text-anchor': 'end' }, priceText(price, trade.entry)));
  }
  const { step, ticks } = timeSteps(frame.first, frame.last, frame.narrow ? 3 : 7);
  for (const time of ticks) {
    const x = frame.x(time);
    if (x < frame.side.left + 24 || x > frame.right - 10) continue;
    const text = step >= 1440 ? dayText(time) : time % 1440 === 0 ? dayText(time).slice(5) : timeText(time).slice(11);
    parts.push(draw('line', { x1: x, x2: x, y1: frame.base, y2: frame.base + 4, class: 'axis' }),
      draw('text', { x, y: frame.base + 34, class: 'tick', 'text-anchor': 'middle' }, text));
  }
  return { parts, texts };
}

function barMarks(frame, found) {
  if (!found) return [];
  const half = Math.max(0.7, (frame.x(found.step) - frame.x(0)) * 0.34);
  const path = found.bars.map((bar) => {
    const x = frame.x(bar.closes - found.step / 2);
    return `M${x} ${frame.y(bar.high)}V${frame.y(bar.low)}M${x} ${frame.y(bar.close)}h${Math.round(half * 10) / 10}`;
  }).join('');
  return [draw('path', { d: path, class: 'bars' })];
}

/* Under the bars: the regime of the decision, which the whole trade is counted under. */
function regimeStrip(frame, trade) {
  if (!trade.regime) return [];
  const [from, to] = [frame.x(trade.opened), frame.x(frame.ends)];
  const word = wordsText(trade.regime);
  const room = frame.right - to > 90;
  return [draw('text', { x: room ? to + 6 : from - 6, y: frame.base + 15, class: 'tick', 'text-anchor': room ? 'start' : 'end' }, word),
    draw('rect', { x: from, width: Math.max(3, to - from), y: frame.base + 8,
    height: 6, class: 'regime', 'data-regime': trade.regime })];
}

function levelMarks(frame, trade) {
  const [from, to] = [frame.x(trade.opened), Math.max(frame.x(frame.ends), frame.x(trade.opened) + 3)];
  const zone = (price, kind) => draw('rect', { x: from, width: to - from, y: Math.min(frame.y(price), frame.y(trade.entry)),
    height: Math.abs(frame.y(price) - frame.y(trade.entry)), class: kind });
  const line = (price, kind) => draw('line', { x1: from, x2: frame.right, y1: frame.y(price), y2: frame.y(price), class: 'level ' + kind });
  const parts = [];
  if (Number.isFinite(trade.target)) parts.push(zone(trade.target, 'zone target'), line(trade.target, 'target'));
  if (Number.isFinite(trade.stop)) parts.push(zone(trade.stop, 'zone stop'), line(trade.stop, 'stop'));
  parts.push(line(trade.entry, 'entry'));
  const y = frame.y(trade.entry);
  const turn = trade.side === 'short' ? -1 : 1;
  parts.push(draw('path', { d: `M${from} ${y}l-6 ${10 * turn}h12z`, class: 'mark-entry' }));
  if (Number.isFinite(trade.exit)) {
    const [x, at] = [frame.x(frame.ends), frame.y(trade.exit)];
    parts.push(draw('path', { d: `M${x} ${at - 6}l6 6l-6 6l-6 -6z`, class: 'mark-exit' }));
  }
  return parts;
}

function levelLabels(frame, trade) {
  const labels = [{ name: 'entry', y: frame.y(trade.entry), price: trade.entry, more: '' }];
  if (Number.isFinite(trade.target)) labels.push({ name: 'target', y: frame.y(trade.target), price: trade.target, more: rText(grossR(trade, trade.target)) });
  if (Number.isFinite(trade.stop)) labels.push({ name: 'stop', y: frame.y(trade.stop), price: trade.stop, more: rText(grossR(trade, trade.stop)) });
  if (Number.isFinite(trade.exit)) labels.push({ name: 'exit', y: frame.y(trade.exit), price: trade.exit, more: rText(trade.r) });
  spread(labels, frame.side.top, frame.base);
  return labels.flatMap((label) => [
    draw('path', { d: `M${frame.right + 2} ${label.y}L${frame.right + 10} ${label.at}`, class: 'lead' }),
    draw('text', { x: frame.right + 13, y: label.at + 4, class: 'label ' + label.name, 'data-level': label.name,
      'data-value': label.price }, draw('tspan', { class: 'name' }, label.name), ' ' + priceText(label.price, trade.entry)
      + (label.more ? (frame.narrow ? ' ' : ' · ') + label.more : ''))]);
}

function timeLabels(frame, trade) {
  const parts = [];
  const [from, to] = [frame.x(trade.opened), frame.x(frame.ends)];
  const upright = (x) => draw('line', { x1: x, x2: x, y1: frame.side.top - 6, y2: frame.base, class: 'moment' });
  parts.push(upright(from), upright(to));
  const close = to - from < 190;
  const text = (x, anchor, words) => draw('text', { x, y: frame.side.top - 11, class: 'tick', 'text-anchor': anchor }, words);
  const start = timeText(trade.opened);
  if (close) parts.push(text(Math.min(Math.max((from + to) / 2, 110), frame.width - 150), 'middle', frame.narrow ? start : `in ${start}, out ${timeText(trade.closed)}`));
  else parts.push(text(from, 'start', 'in ' + start), text(to, 'end', Number.isFinite(trade.closed) ? 'out ' + timeText(trade.closed) : 'still open'));
  return parts;
}

/* Prices of the axis are written last, over the bars. */
function tradeChart(trade, { found, width }) {
  const frame = frameOf(trade, found ? found.bars : [], width);
  const axes = axesOf(frame, trade);
  const words = `${trade.side} trade ${trade.id}: entry ${priceText(trade.entry)} at ${timeText(trade.opened)}, target `
    + `${priceText(trade.target, trade.entry)}, stop ${priceText(trade.stop, trade.entry)}, exit ${priceText(trade.exit, trade.entry)} at ${timeText(trade.closed)} `
    + `by ${trade.reason}, ${rText(trade.r)} after costs.`;
  return draw('svg', { viewBox: `0 0 ${frame.width} ${frame.height}`, width: frame.width, height: frame.height, role: 'img',
    class: 'trade-chart', 'aria-labelledby': 'trade-chart-title trade-chart-text', 'data-bars': found ? found.bars.length : 0 },
  draw('title', { id: 'trade-chart-title' }, 'Chart of the trade'), draw('desc', { id: 'trade-chart-text' }, words),
  ...axes.parts, draw('line', { x1: frame.side.left, x2: frame.right, y1: frame.base, y2: frame.base, class: 'axis' }),
  ...regimeStrip(frame, trade), ...levelMarks(frame, trade), ...barMarks(frame, found), ...axes.texts, ...timeLabels(frame, trade),
  ...levelLabels(frame, trade));
}
