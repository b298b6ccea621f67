/* The controls of the explorer: what to group by, what to leave out. Built from the document's dimensions. */
const COMBINED = ['pattern', 'regime', 'symbol', 'timeframe'];

function buildControls(book, get, go) {
  const combined = COMBINED.filter((key) => book.dimensions.has(key));
  byId('group-boxes').replaceChildren(...combined.map((key) => groupBox(book, key, get, go)));
  const other = byId('group-other');
  const kinds = [...book.kinds].filter(([key, kind]) => key && !kind.dimensions.every((key) => combined.includes(key)));
  other.replaceChildren(make('option', { value: '' }, 'the boxes ticked'),
    ...kinds.map(([key, kind]) => make('option', { value: key }, kindTitle(book, kind))));
  other.addEventListener('change', () => go({ ...CLEARED, group: other.value ? other.value.split('+') : [combined[0]] }));
  byId('filters').replaceChildren(...book.grouped.map((key) => filterBox(book, book.dimensions.get(key), get, go)));
  listenFields(get, go);
}

const kindTitle = (book, kind) => kind.dimensions.map((key) => book.dimensions.get(key).title).join(' × ');

const CLEARED = { filters: {}, search: '', badged: false, page: 0, cell: null, trade: '', leaf: 0 };

function groupBox(book, key, get, go) {
  const box = make('input', { type: 'checkbox', value: key, id: 'group-' + key });
  box.addEventListener('change', () => {
    const kept = get().group.filter((one) => COMBINED.includes(one) && one !== key);
    go({ group: box.checked ? [...kept, key] : kept, page: 0, cell: null, trade: '', filters: keptFilters(get()) });
  });
  return make('label', { class: 'tick-box' }, box, book.dimensions.get(key).title);
}

/* Filters on anything but the four belong to another grouping and go with it. */
const keptFilters = (state) => Object.fromEntries(Object.entries(state.filters).filter(([key]) => COMBINED.includes(key)));

function filterBox(book, dimension, get, go) {
  const boxes = dimension.values.map((value, i) => {
    const box = make('input', { type: 'checkbox', value });
    box.addEventListener('change', () => {
      const chosen = dimension.values.filter((one, at) => boxes[at].firstChild.checked);
      const filters = { ...get().filters, [dimension.key]: chosen };
      if (!chosen.length) delete filters[dimension.key];
      go({ filters, page: 0 });
    });
    return make('label', { class: 'tick-box' }, box, dimension.words[i]);
  });
  const list = make('div', { class: 'choices', role: 'group', 'aria-label': `Only these: ${dimension.title}` }, ...boxes);
  const summary = make('summary', {}, '');
  const details = make('details', { class: 'filter', 'data-filter': dimension.key }, summary, list);
  details.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !details.open) return;
    details.open = false;
    summary.focus();
  });
  return details;
}

function listenFields(get, go) {
  document.querySelector('form.controls').addEventListener('submit', (event) => event.preventDefault());
  const search = byId('search');
  search.addEventListener('input', () => go({ search: search.value, page: 0 }, 'typing'));
  const minimum = byId('minimum');
  minimum.addEventListener('input', () => go({ minimum: Math.max(1, Number.parseInt(minimum.value, 10) || 1), page: 0 }, 'typing'));
  byId('badged').addEventListener('change', (event) => go({ badged: event.target.checked, page: 0 }));
  byId('size').addEventListener('change', (event) => go({ size: Number(event.target.value), page: 0, leaf: 0 }));
  byId('reset').addEventListener('click', () => go({ ...START, ...CLEARED }));
  document.addEventListener('click', (event) => {
    document.querySelectorAll('details.filter[open]').forEach((one) => { if (!one.contains(event.target)) one.open = false; });
  });
}

/* The controls follow the state, wherever it came from: a click, the address, or Back. */
function setControls(book, state) {
  const keys = groupedBy(book, state);
  const combined = state.group.every((key) => COMBINED.includes(key));
  document.querySelectorAll('#group-boxes input').forEach((box) => { box.checked = combined && state.group.includes(box.value); });
  byId('group-other').value = combined ? '' : kindKey(book, state.group);
  document.querySelectorAll('details.filter').forEach((details) => {
    const dimension = book.dimensions.get(details.dataset.filter);
    const chosen = state.filters[dimension.key] || [];
    details.hidden = !book.kinds.has(kindKey(book, [...keys, dimension.key]));
    details.querySelectorAll('input').forEach((box) => { box.checked = chosen.includes(box.value); });
    const said = chosen.length === 0 ? 'all' : chosen.length === 1 ? dimension.words[dimension.position.get(chosen[0])] : `${chosen.length} of ${dimension.values.length}`;
    details.querySelector('summary').replaceChildren(make('span', { class: 'what' }, dimension.title), ' ' + said);
    details.classList.toggle('on', chosen.length > 0);
  });
  for (const [id, value] of [['search', state.search], ['minimum', String(state.minimum)]]) {
    if (document.activeElement !== byId(id)) byId(id).value = value;
  }
  byId('badged').checked = state.badged;
  byId('size').value = String(state.size);
}
