/* The embedded document, read once into typed columns; everything after this works on row numbers. */
/* Their values are classes, said in words; symbols, indicators and versions stay as they are written. */
const SAID = new Set(['pattern', 'regime', 'reason']);
const TEXTS = new Set(['id', 'agreed', 'badge', 'values']);

/* Missing numbers are null in JSON and NaN here, so that comparisons need no second test; missing names are -1. */
function columnsOf(table, named) {
  const found = { length: table.rows.length };
  table.columns.forEach((name, i) => {
    if (TEXTS.has(name)) found[name] = table.rows.map((row) => row[i]);
    else if (named.has(name)) found[name] = Int32Array.from(table.rows, (row) => (row[i] === null ? -1 : row[i]));
    else found[name] = Float64Array.from(table.rows, (row) => (row[i] === null ? NaN : row[i]));
  });
  return found;
}

function openBook() {
  const data = JSON.parse(byId('dashboard-data').textContent);
  const dimensions = new Map(data.dimensions.map((one) => [one.key, {
    ...one, position: new Map(one.values.map((value, i) => [value, i])), words: SAID.has(one.key) ? one.values.map(wordsText) : one.values }]));
  const named = new Set(['kind', ...dimensions.keys()]);
  const even = (data.key || []).find((one) => one.name === 'break_even_win_rate');
  const book = { head: { ...data.head, even: even && even.value !== null ? even.value : 0.5 }, notes: data.notes || {}, dimensions, cells: columnsOf(data.cells, named), trades: columnsOf(data.trades, named) };
  placeValues(book, data.kinds);
  const { trades } = book;
  trades.hour = Int32Array.from(trades.opened, (minutes) => Math.floor(minutes / 60) % 24);
  book.kinds = kindsOf(book, data.kinds);
  book.search = searchTexts(book);
  book.closedRows = Array.from(trades.closed.keys()).filter((row) => !Number.isNaN(trades.closed[row]));
  book.charts = chartsOf(data.charts, trades.length);
  const all = data.kinds.findIndex((kind) => !kind.dimensions.length);
  book.whole = book.cells.kind.indexOf(all);
  return book;
}

/* The usual name of a signal follows from the rest of its row and is not in the document. Made when it is shown: 50,000 names at the start would be most of the time that it takes. */
function tradeId(book, row) {
  const { trades } = book;
  if (trades.id[row] !== null) return trades.id[row];
  const say = (key) => book.dimensions.get(key).values[trades[key][row]];
  const time = new Date(trades.opened[row] * 60000).toISOString().replace(/[-:]/g, '').slice(0, 13);
  trades.id[row] = [say('symbol').replaceAll('/', '-'), say('timeframe'), time, say('side')].join('_');
  return trades.id[row];
}

/* The newest first: most are asked for by way of this week. */
function tradeRow(book, id) {
  for (let row = book.trades.length - 1; row >= 0; row -= 1) if (tradeId(book, row) === id) return row;
  return undefined;
}

/* Charts belong to the last trades, in their order; a trade without bars has none. */
function chartsOf({ columns, rows }, trades) {
  const found = new Map();
  rows.forEach((row, i) => {
    if (row) found.set(trades - rows.length + i, Object.fromEntries(columns.map((name, at) => [name, row[at]])));
  });
  return found;
}

/* A cell's values, given in the order of its kind's dimensions, as one column a dimension: -1 where it has none. */
function placeValues(book, kinds) {
  const { cells } = book;
  book.grouped = [...book.dimensions.keys()].filter((key) => kinds.some((kind) => kind.dimensions.includes(key)));
  for (const key of book.grouped) cells[key] = new Int32Array(cells.length).fill(-1);
  for (let row = 0; row < cells.length; row += 1) {
    kinds[cells.kind[row]].dimensions.forEach((key, i) => { cells[key][row] = cells.values[row][i]; });
  }
}

/* Rows of cells by what they are grouped by: "pattern+regime" to their row numbers. */
function kindsOf(book, kinds) {
  const found = new Map(kinds.map((kind) => [kindKey(book, kind.dimensions), { ...kind, rows: [] }]));
  for (let row = 0; row < book.cells.length; row += 1) {
    found.get(kindKey(book, kinds[book.cells.kind[row]].dimensions)).rows.push(row);
  }
  return found;
}

/* In the order of the document's dimensions, whatever order they were ticked in. */
function kindKey(book, keys) {
  return [...book.dimensions.keys()].filter((key) => keys.includes(key)).join('+');
}

function searchTexts(book) {
  const { cells } = book;
  return Array.from({ length: cells.length }, (_, row) => book.grouped.filter((key) => cells[key][row] >= 0)
    .map((key) => book.dimensions.get(key).words[cells[key][row]]).join(' ').toLowerCase());
}

const nameOf = (book, key, table, row) => {
  const value = table[key] ? table[key][row] : -1;
  return value < 0 ? '' : book.dimensions.get(key).words[value];
};

/* A regime is said with its colour, everything else in words alone. */
function saidOf(book, key, table, row) {
  const name = nameOf(book, key, table, row);
  return key === 'regime' && name ? [chip(book.dimensions.get(key).values[table[key][row]]), name] : name;
}

const cellName = (book, keys, row) => keys.map((key) => nameOf(book, key, book.cells, row)).join(' · ');

/* Whether a trade has a value of a dimension. Heads and indicators are sets of bits: many of them agree with one trade. */
function memberTest(book, key, value) {
  const { trades } = book;
  if (key === 'head') return (row) => (trades.heads[row] & (1 << value)) !== 0;
  if (key === 'indicator') return (row) => hasBit(trades.agreed[row], value);
  if (key === 'indicator_pair') {
    const [first, second] = book.dimensions.get(key).members[value];
    return (row) => hasBit(trades.agreed[row], first) && hasBit(trades.agreed[row], second);
  }
  const column = trades[key];
  return column ? (row) => column[row] === value : null;
}

/* The lowest bit is in the last letter of the hexadecimal text. */
function hasBit(text, bit) {
  return (Number.parseInt(text[text.length - 1 - (bit >> 2)] || '0', 16) & (1 << (bit & 3))) !== 0;
}
