/* One trade: its chart and its facts. */
function tradeFacts(book, row) {
  const { trades } = book;
  const trade = tradeOf(book, row);
  const at = (key) => (trades[key] ? trades[key][row] : NaN);
  const price = (value) => priceText(value, trade.entry);
  const numbersOf = [
    ['Entry', 'entry', price(trade.entry)], ['Target', 'target', `${price(trade.target)} (${rText(grossR(trade, trade.target))} before costs)`],
    ['Stop', 'stop', `${price(trade.stop)} (${rText(grossR(trade, trade.stop))} before costs)`], ['Exit', 'exit', price(trade.exit)],
    ['Profit', 'profit', signedPercentText(at('profit'))], ['Result', 'r', rText(at('r'))],
    ['Worst on the way', 'mae', rText(at('mae'))], ['Best on the way', 'mfe', rText(at('mfe'))],
    ['Held', 'bars', barsText(at('bars'))], ['Confidence', 'confidence', percentText(at('confidence'))],
    ['Threshold', 'threshold', `${percentText(at('threshold'))}${thresholdWord(trades, row)}`]]
    .filter(([, key]) => trades[key] && Number.isFinite(at(key))).map(([title, key, text]) => [title, shown(key, at(key), text)]);
  const words = [['Opened', `${timeText(trade.opened)} UTC`], ['Closed', Number.isFinite(trade.closed) ? `${timeText(trade.closed)} UTC` : 'still open'],
    ['Why it closed', Number.isFinite(trade.closed) ? trade.reason : ''], ['Pattern', nameOf(book, 'pattern', trades, row)], ['Regime', nameOf(book, 'regime', trades, row)],
    ['Heads that agreed', headsOf(book, row)], ['Policy', nameOf(book, 'version', trades, row)], ['Exit plan', nameOf(book, 'plan', trades, row)],
    ['Why it was a signal', `edgebook explain ${trade.id}`]];
  /* What an open trade does not have yet is left out. */
  return [...words.slice(0, 3), ...numbersOf, ...words.slice(3)].filter(([, value]) => value !== '');
}

function thresholdWord(trades, row) {
  if (!trades.certified) return '';
  return trades.certified[row] ? ', certified' : ', not certified: a paper signal';
}

function headsOf(book, row) {
  const heads = book.dimensions.get('head');
  return heads ? heads.words.filter((_, i) => memberTest(book, 'head', i)(row)).join(', ') || 'none' : '';
}

/* Drawn again when the window changes: letters keep their size, whatever the width. */
let redraw = () => {};
let wanted = '';

async function showTrade(book, state, rows, go) {
  const panel = byId('trade-panel');
  const row = state.trade ? tradeRow(book, state.trade) : undefined;
  panel.hidden = row === undefined;
  wanted = state.trade;
  redraw = () => {};
  if (row === undefined) return;
  const trade = tradeOf(book, row);
  byId('trade-title').textContent = `${nameOf(book, 'symbol', book.trades, row)} ${nameOf(book, 'timeframe', book.trades, row)} ${trade.side}, `
    + `${timeText(trade.opened)} UTC: ${Number.isFinite(trade.r) ? rText(trade.r) + ', ' : ''}${trade.reason}`;
  panel.dataset.trade = trade.id;
  byId('trade-facts').replaceChildren(...tradeFacts(book, row).map(([title, value]) =>
    make('div', {}, make('dt', {}, title), make('dd', {}, value))));
  neighbours(book, rows, row, go);
  const holder = byId('trade-chart');
  let found = null;
  try {
    found = await barsOf(book, row);
  } catch {
    /* A server that went away: the levels still say what happened. */
    found = null;
  }
  if (wanted !== trade.id) return;
  byId('trade-note').textContent = chartNote(book, found);
  redraw = () => holder.replaceChildren(tradeChart(trade, { found, width: Math.max(300, Math.min(1160, holder.clientWidth || 900)) }));
  redraw();
}

function chartNote(book, found) {
  const levels = 'Target and stop with their R before costs; the exit with R after costs. ';
  if (found) return levels + `Bars: high, low and close${found.exact ? '' : ', to 1/255 of the height between the lowest and the highest'}. The strip below: the regime at the decision.`;
  return levels + (book.head.served ? 'The server has no bars of this trade.'
    : 'The bars of this trade are not in the page: edgebook open shows them.');
}

function neighbours(book, rows, row, go) {
  const place = rows.indexOf(row);
  for (const [id, target] of [['trade-before', place - 1], ['trade-after', place + 1]]) {
    const button = byId(id);
    button.disabled = place < 0 || target < 0 || target >= rows.length;
    button.onclick = () => go({ trade: tradeId(book, rows[target]) });
  }
}
