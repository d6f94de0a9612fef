import type { RegionId } from '../../region/region.ts';

/**
 * The dashboard's one page. It shows what `overview.json` says and asks again every two seconds; everything that
 * comes from outside (numbers, names, URLs) is written as text, never as markup.
 */
export function dashboardPage({
  region,
  regions,
  accountSid,
}: {
  readonly region: { readonly id: RegionId };
  readonly regions: readonly RegionId[];
  readonly accountSid: string;
}): string {
  const links = regions
    .map(
      (id) => `<a href="/dashboard?region=${id}"${id === region.id ? ' aria-current="page"' : ''}>${id}</a>`,
    )
    .join('');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trunkline ${region.id}</title>
<style>${STYLE}</style>
<header>
  <h1>Trunkline <span>${region.id}</span></h1>
  <nav>${links}<a href="/dashboard/queues">queues</a></nav>
  <code>${accountSid}</code>
</header>
<main>
  <p id="problem" role="alert" hidden></p>
  <section><h2>Live calls</h2><div id="live"></div></section>
  <section><h2>Latest calls</h2><div id="calls"></div></section>
  <section><h2>Numbers</h2><div id="numbers"></div></section>
</main>
<script>${SCRIPT}</script>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 15%, transparent);
  --soft: color-mix(in srgb, currentColor 60%, transparent); --accent: #2563eb; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: baseline; padding: 1rem 2rem;
  border-bottom: 1px solid var(--line); }
h1 { font-size: 1.25rem; margin: 0; } h1 span { color: var(--accent); }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
nav { display: flex; gap: 1rem; flex: 1; } nav a { color: var(--accent); text-decoration: none; }
nav a[aria-current] { color: inherit; font-weight: 600; }
code { color: var(--soft); font-size: .85rem; }
main { padding: 0 2rem 3rem; max-width: 90rem; }
section > div { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: .85rem; }
th, td { padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
td:last-child { white-space: normal; min-width: 14rem; }
td.sid { font-family: ui-monospace, monospace; max-width: 9rem; overflow: hidden; text-overflow: ellipsis; }
p { color: var(--soft); } #problem { color: #b91c1c; }
`;

const SCRIPT = `
const columns = {
  calls: [['Created (UTC)', 'date_created'], ['From', 'from'], ['To', 'to'], ['Edge', 'ingress_edge'],
    ['Status', 'status'], ['Seconds', 'duration'], ['Call', 'sid'], ['Cause', 'cause']],
  numbers: [['Number', 'phone_number'], ['Name', 'friendly_name'], ['Calls go to', 'voice_region'],
    ['Voice URL in this Region', 'voice_url']],
};
columns.live = columns.calls;
function cell(kind, text) {
  const element = document.createElement(kind);
  element.textContent = text ?? '–';
  return element;
}
function show(name, rows) {
  const place = document.getElementById(name);
  if (rows.length === 0) return place.replaceChildren(cell('p', 'None.'));
  const table = document.createElement('table');
  const head = table.createTHead().insertRow();
  for (const [title] of columns[name]) head.append(cell('th', title));
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const [, key] of columns[name]) {
      const field = cell('td', key === 'date_created' ? row[key].slice(5, 25) : row[key]);
      if (key === 'sid') Object.assign(field, { className: 'sid', title: row[key] });
      line.append(field);
    }
  }
  place.replaceChildren(table);
}
async function refresh() {
  const problem = document.getElementById('problem');
  try {
    const response = await fetch('/dashboard/overview.json');
    const data = await response.json();
    if (!response.ok) throw new Error(data.message);
    for (const name of ['live', 'calls', 'numbers']) show(name, data[name]);
    problem.hidden = true;
  } catch (error) {
    problem.textContent = 'Not up to date: ' + error.message;
    problem.hidden = false;
  }
  setTimeout(refresh, 2000);
}
refresh();
`;
