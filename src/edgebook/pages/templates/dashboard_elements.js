/* Elements are made one by one and filled with text nodes: a name out of the data can never become markup. */
const SVG = 'http://www.w3.org/2000/svg';

function dressed(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child !== null && child !== undefined && child !== '') element.append(child);
  return element;
}

const make = (tag, attributes = {}, ...children) => dressed(document.createElement(tag), attributes, children);
const draw = (tag, attributes = {}, ...children) => dressed(document.createElementNS(SVG, tag), attributes, children);
const byId = (id) => document.getElementById(id);

/* A shown number carries what it was made from: tests, and readers who copy, get the raw value. */
function shown(metric, value, text, kind = '') {
  const raw = value === null || value === undefined || Number.isNaN(value) ? '' : value;
  return make('span', { 'data-metric': metric, 'data-value': raw, class: kind || null }, text);
}

/* The colour of a regime in the pictures, beside its name. */
const chip = (name) => make('span', { class: 'chip', 'data-regime': name, 'aria-hidden': 'true' });

const signOf = (value) => (value > 0 ? 'pos' : value < 0 ? 'neg' : '');
