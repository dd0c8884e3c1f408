import { ERRORS, type ErrorCode } from '@facewright/protocol';
import { errorsOf } from './build-document.ts';
import type { Json, Operation, Parameter } from './operation.ts';

/**
 * The documentation page: every operation, schema and error, as plain HTML without scripts. Links are relative, so that it works behind
 * any prefix.
 */
export function renderDocs(operations: readonly Operation[], document: { readonly [key: string]: Json | undefined }): string {
  // HEAD is GET without a body: nothing to read about.
  const shown = operations.filter(
    ({ method, path }) => method !== 'head' || !operations.some((o) => o.path === path && o.method === 'get'),
  );
  const tags = [...new Set(shown.map((operation) => operation.tag))];
  const { schemas } = document.components as { readonly schemas: { readonly [name: string]: Json } };
  const codes = [...new Set(shown.flatMap((operation) => errorsOf(operation)))].sort();
  const version = String((document.info as { readonly version?: Json }).version);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Facewright API</title>
<link rel="stylesheet" href="docs.css">
</head>
<body>
<nav aria-label="Contents">
<h1>Facewright API</h1>
<p>Version ${escapeHtml(version)}. <a href="openapi.json">OpenAPI 3.1 document</a></p>
${tags
  .map(
    (tag) =>
      `<h2>${escapeHtml(tag)}</h2>\n<ul>${shown
        .filter((o) => o.tag === tag)
        .map(renderEntry)
        .join('')}</ul>`,
  )
  .join('\n')}
<h2>Reference</h2>
<ul><li><a href="#schemas">Schemas</a></li><li><a href="#errors">Errors</a></li></ul>
</nav>
<main>
<section>
<h2 id="start">Start</h2>
<p>Send a photo, get a face:</p>
<pre><code>curl -F photo=@me.jpg http://localhost:8080/v1/reconstructions</code></pre>
<p>Where the operator has created keys, every request carries one: <code>Authorization: Bearer fw_…</code></p>
</section>
${shown.map(renderOperation).join('\n')}
<section>
<h2 id="schemas">Schemas</h2>
${Object.entries(schemas)
  .map(
    ([name, schema]) =>
      `<details id="schema-${escapeHtml(name)}"><summary>${escapeHtml(name)}</summary><pre><code>${linkRefs(escapeHtml(JSON.stringify(schema, null, 2)))}</code></pre></details>`,
  )
  .join('\n')}
</section>
<section>
<h2 id="errors">Errors</h2>
<p>The <code>code</code> is the contract; texts may change.</p>
<table><thead><tr><th>Code</th><th>Status</th><th>What to do</th></tr></thead><tbody>
${codes.map((code) => `<tr id="${code}"><td><code>${code}</code></td><td>${ERRORS[code].http}</td><td>${escapeHtml(ERRORS[code].hint)}</td></tr>`).join('\n')}
</tbody></table>
</section>
</main>
</body>
</html>
`;
}

function renderEntry({ method, path, id }: Operation): string {
  return `<li><a href="#${id}"><span class="method ${method}">${method.toUpperCase()}</span> <span>${escapeHtml(path)}</span></a></li>`;
}

function renderOperation(operation: Operation): string {
  const { method, path, id, summary, description, access, parameters = [], body, responses } = operation;
  return `<section>
<h3 id="${id}"><span class="method ${method}">${method.toUpperCase()}</span> <code>${escapeHtml(path)}</code></h3>
<p><strong>${escapeHtml(summary)}.</strong> ${description === undefined ? '' : renderText(description)}</p>
<p class="quiet">${{ key: 'Needs a key.', link: 'Needs a key or a signed link.', none: 'Open to everybody.' }[access]}</p>
${parameters.length === 0 ? '' : `<table><thead><tr><th>Parameter</th><th>In</th><th></th></tr></thead><tbody>${parameters.map(renderParameter).join('')}</tbody></table>`}
${
  body === undefined
    ? ''
    : `<h4>Body</h4><p>${renderText(body.description)}</p><ul>${Object.keys(body.content)
        .map((type) => `<li><code>${escapeHtml(type)}</code></li>`)
        .join('')}</ul>`
}
<h4>Answers</h4>
<ul>${Object.entries(responses)
    .map(
      ([status, response]) => `<li><strong>${status}</strong> ${escapeHtml(response.description)}${renderContent(response.content)}</li>`,
    )
    .join('')}</ul>
<details><summary>Errors</summary>${renderErrors(errorsOf(operation))}</details>
</section>`;
}

function renderParameter({ name, in: place, required, description, schema }: Parameter): string {
  const values = describeValues(schema);
  return `<tr><td><code>${escapeHtml(name)}</code>${required ? ' <span class="quiet">required</span>' : ''}</td><td>${place}</td><td>${renderText(description)}${values === '' ? '' : ` <span class="quiet">${escapeHtml(values)}</span>`}</td></tr>`;
}

/** What a parameter may be, in words: values or bounds, and what it is where it is not given. */
function describeValues(schema: Json): string {
  const { enum: values, minimum, maximum, default: standard } = schema as Readonly<Record<string, Json | undefined>>;
  return [
    ...(Array.isArray(values) ? [(values as readonly Json[]).join(' or ')] : []),
    ...(minimum === undefined || maximum === undefined ? [] : [`${String(minimum)} to ${String(maximum)}`]),
    ...(standard === undefined ? [] : [`default ${Array.isArray(standard) ? standard.join(',') : String(standard)}`]),
  ].join('; ');
}

function renderContent(content: Operation['responses'][number]['content']): string {
  return Object.entries(content ?? {})
    .map(([type, { schema, example }]) => {
      const name = /schemas\/(\w+)$/.exec(String((schema as { readonly $ref?: string }).$ref ?? ''))?.[1];
      const shown = name === undefined ? '' : `, <a href="#schema-${name}">${name}</a>`;
      const text = typeof example === 'string' ? example : JSON.stringify(example, null, 2);
      const sample =
        example === undefined ? '' : `<details><summary>Example</summary><pre><code>${escapeHtml(text)}</code></pre></details>`;
      return ` <span class="quiet">(<code>${escapeHtml(type)}</code>${shown})</span>${sample}`;
    })
    .join('');
}

function renderErrors(codes: readonly ErrorCode[]): string {
  return `<ul>${codes.map((code) => `<li><strong>${ERRORS[code].http}</strong> <a href="#${code}"><code>${code}</code></a></li>`).join('')}</ul>`;
}

/** Text with `code` in it. */
function renderText(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function linkRefs(escaped: string): string {
  return escaped.replace(/#\/components\/schemas\/(\w+)/g, '<a href="#schema-$1">$1</a>');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]!);
}

/** Follows the reader's light or dark scheme. */
export const DOCS_STYLE = `:root{color-scheme:light dark;--line:light-dark(#d8dce2,#363c45);--quiet:light-dark(#5b6470,#9aa4b1);--panel:light-dark(#f5f6f8,#1b1f25);--accent:light-dark(#0b5cad,#7db7f5)}
*{box-sizing:border-box}
body{margin:0;font:16px/1.55 system-ui,sans-serif;display:grid;grid-template-columns:minmax(17rem,24rem) minmax(0,1fr);background:light-dark(#fff,#12151a);color:light-dark(#1b1f25,#e7ebf0)}
nav{position:sticky;top:0;align-self:start;height:100vh;overflow:auto;padding:1.5rem;background:var(--panel);border-right:1px solid var(--line)}
nav h1{font-size:1.25rem;margin:0}
nav h2{font-size:.8rem;text-transform:uppercase;letter-spacing:.06em;color:var(--quiet);margin:1.5rem 0 .25rem}
nav ul{list-style:none;margin:0;padding:0;font-size:.875rem}
nav li a{display:flex;gap:.35rem;align-items:baseline;padding:.15rem 0;overflow-wrap:anywhere;color:inherit;text-decoration:none}
nav li a:hover,nav li a:focus-visible{text-decoration:underline}
main{padding:1.5rem clamp(1rem,4vw,3rem) 6rem;max-width:62rem}
section{border-top:1px solid var(--line);padding:1rem 0}
section:first-child{border-top:0}
h3{font-size:1.1rem;overflow-wrap:anywhere}
h4{margin:1rem 0 .25rem}
a{color:var(--accent)}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.75rem 1rem;overflow:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
tr:target,h3:target{background:light-dark(#fff3c4,#453a12)}
summary{cursor:pointer}
.quiet{color:var(--quiet);font-size:.9em}
.method{display:inline-block;min-width:3.6em;font:600 .75em ui-monospace,monospace;color:var(--accent)}
.method.delete{color:light-dark(#b3261e,#ff8a80)}
.method.post,.method.put{color:light-dark(#1c6b34,#7bd695)}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto;border-right:0;border-bottom:1px solid var(--line)}table{display:block;overflow-x:auto}}
`;
