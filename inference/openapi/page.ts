// GET /docs: a page that shows /openapi.json and lets people try it. Self-contained: no script, style or font comes from elsewhere.
import { createHash } from 'node:crypto';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
h2 { margin-top: 2rem } code, pre, textarea { font: 13px/1.5 ui-monospace, monospace }
details { border: 1px solid #ddd; border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer } summary b { display: inline-block; width: 3.5rem; color: #06c }
pre, textarea { background: #f6f6f6; padding: .6rem; overflow: auto; max-height: 24rem; width: 100%; box-sizing: border-box; border: 0 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } pre, textarea { background: #242424; color: inherit } details { border-color: #444 } }
`;

// Everything is written as text, never as HTML: names in the document are those of a model that anybody may have made.
const SCRIPT = `
const make = (name, text, parent) => { const made = document.createElement(name); made.textContent = text; parent.append(made); return made };
const shown = (value) => JSON.stringify(value, null, 2);
fetch('openapi.json').then((answer) => answer.json()).then((doc) => {
  const body = document.getElementById('doc');
  make('h1', doc.info.title, body);
  make('p', doc.info.description + ' Version ' + doc.info.version + '.', body);
  let tag;
  for (const [path, methods] of Object.entries(doc.paths)) for (const [method, operation] of Object.entries(methods)) {
    if (operation.tags[0] !== tag) make('h2', tag = operation.tags[0], body);
    show(path, method, operation, body);
  }
  make('h2', 'Schemas', body);
  for (const [name, schema] of Object.entries(doc.components.schemas)) {
    const box = make('details', '', body);
    make('summary', name, box);
    make('pre', shown(schema), box);
  }
});
function show(path, method, operation, body) {
  const box = make('details', '', body);
  const summary = make('summary', '', box);
  make('b', method.toUpperCase(), summary);
  make('code', path, summary);
  make('span', ' ' + operation.summary, summary);
  const content = operation.requestBody?.content['application/json'];
  let text;
  if (content) {
    text = make('textarea', shown(content.example ?? {}), box);
    text.rows = Math.min(20, text.value.split('\\n').length);
  }
  const examples = Object.fromEntries((operation.parameters ?? []).map(({ name, example }) => [name, example ?? '']));
  const url = '.' + path.replace(/\\{(\\w+)\\}/g, (_, name) => encodeURIComponent(examples[name]));
  const button = make('button', 'Try', box);
  const result = make('pre', '', box);
  button.onclick = async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: method.toUpperCase(), headers, body: text?.value });
    const said = await answer.text();
    let pretty = said;
    try { pretty = shown(JSON.parse(said)) } catch {}
    result.textContent = answer.status + ' ' + answer.statusText + '\\n' + pretty;
  };
  make('pre', shown({ responses: operation.responses }), box);
}
`;

export const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>API</title><style>${STYLE}</style><main id="doc"></main><script>${SCRIPT}</script></html>`;

const hash = (content: string) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

/** Lets the page run its own script and ask its own server, and nothing else. */
export const PAGE_POLICY = `default-src 'none'; script-src ${hash(SCRIPT)}; style-src ${hash(STYLE)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
