/* A table of one page of rows: headings that sort, a picture of an interval, page buttons, and the same as CSV. */
function sortHeading(column, sort, onSort) {
  const down = sort.startsWith('-');
  const active = sort.replace(/^-/, '') === column.key;
  const th = make('th', { scope: 'col', class: column.numeric ? 'num' : null, 'data-column': column.key });
  if (!column.sorts) return dressed(th, {}, [make('span', {}, column.title)]);
  if (active) th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const mark = make('span', { class: 'mark', 'aria-hidden': 'true' }, active ? (down ? '▼' : '▲') : '↕');
  const button = make('button', { type: 'button', title: column.hint || null }, column.title, mark);
  /* Numbers and times begin with the largest, names with the first. */
  const next = active ? (down ? column.key : '-' + column.key) : (column.numeric || column.falls ? '-' : '') + column.key;
  button.addEventListener('click', () => onSort(next));
  th.append(button);
  return th;
}

function fillTable(table, { columns, rows, sort, onSort, attributes }) {
  const head = make('tr', {}, ...columns.map((column) => sortHeading(column, sort, onSort)));
  const body = rows.map((row) => make('tr', attributes(row), ...columns.map((column) => {
    const kind = [column.numeric && 'num', column.kind].filter(Boolean).join(' ') || null;
    return make(column.header ? 'th' : 'td', { scope: column.header ? 'row' : null, class: kind }, ...[column.show(row)].flat());
  })));
  const focused = table.contains(document.activeElement) && document.activeElement.closest('th[data-column]');
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...body);
  /* The heading just pressed is a new element: give the keyboard back to it. */
  if (focused) table.tHead.querySelector(`[data-column="${CSS.escape(focused.dataset.column)}"] button`)?.focus();
}

/* Whiskers from low to high, a dot for the raw value, a diamond for the shrunk one, a line where it would be even. */
function whiskers({ raw, shrunk, low, high, from, to, even, metric }) {
  const [width, height, middle] = [92, 16, 8];
  const at = (value) => Math.round((4 + (Math.min(to, Math.max(from, value)) - from) / (to - from) * (width - 8)) * 10) / 10;
  const parts = [draw('line', { x1: 4, x2: width - 4, y1: middle, y2: middle, class: 'track' }),
    draw('line', { x1: at(even), x2: at(even), y1: 1, y2: height - 1, class: 'even' })];
  if (Number.isFinite(low) && Number.isFinite(high)) {
    parts.push(draw('path', { d: `M${at(low)} 4v8M${at(low)} ${middle}H${at(high)}M${at(high)} 4v8`, class: 'range' }));
  }
  if (Number.isFinite(raw)) parts.push(draw('circle', { cx: at(raw), cy: middle, r: 2.6, class: 'raw' }));
  if (Number.isFinite(shrunk)) {
    parts.push(draw('path', { d: `M${at(shrunk)} 3.4l4.6 4.6l-4.6 4.6l-4.6 -4.6z`, class: 'shrunk' }));
  }
  return draw('svg', { class: 'whiskers', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true',
    'data-whiskers': metric }, ...parts);
}

function pageButtons(holder, { page, pages, onPage, label }) {
  if (pages < 2) return holder.replaceChildren();
  const button = (text, target, name) => {
    const made = make('button', { type: 'button', 'aria-label': name, disabled: target < 0 || target >= pages || target === page }, text);
    made.addEventListener('click', () => onPage(target));
    return made;
  };
  const kept = holder.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : null;
  holder.replaceChildren(
    button('«', 0, `First page of ${label}`), button('‹', page - 1, `Previous page of ${label}`),
    make('span', {}, `page ${page + 1} of ${pages}`),
    button('›', page + 1, `Next page of ${label}`), button('»', pages - 1, `Last page of ${label}`));
  if (kept) [...holder.querySelectorAll('button')].find((one) => one.getAttribute('aria-label') === kept && !one.disabled)?.focus();
  return undefined;
}

/* A spreadsheet runs text that begins like a formula: a quote before it keeps it text. */
function csvField(value) {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  const text = /^[\s]*[=+\-@\t\r]/.test(value) ? "'" + value : value;
  return /[",\n\r']/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}

const csvText = (rows) => rows.map((row) => row.map(csvField).join(',')).join('\r\n') + '\r\n';

function saveText(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = make('a', { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
