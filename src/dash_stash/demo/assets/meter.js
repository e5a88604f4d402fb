// Measures, for each column of a page, what its callbacks send and receive: bytes, time, and which worker answers.
(() => {
  const columns = {};
  const fetch = window.fetch;

  const columnOf = (body) => {
    const match = /"output":"\.*([a-z]+-(?:chapter|stash))-/.exec(body);
    return match && match[1];
  };

  const show = (id, text, className) => {
    if (document.getElementById(id)) window.dash_clientside.set_props(id, className ? {children: text, className} : {children: text});
  };

  const bytes = (n) => n < 10000 ? `${n.toLocaleString("en")} B` : n < 1e6 ? `${(n / 1e3).toFixed(0)} kB` : `${(n / 1e6).toFixed(1)} MB`;

  // Another page begins to count anew.
  const forget = () => { for (const name of Object.keys(columns)) delete columns[name]; };
  window.addEventListener("popstate", forget);
  const push = history.pushState;
  history.pushState = function (...args) { forget(); return push.apply(this, args); };

  // How much less goes through the browser on the right, once both columns rest.
  const compare = (page) => {
    const [left, right] = [columns[`${page}-chapter`], columns[`${page}-stash`]];
    if (!left || !right || left.flying || right.flying) return;
    const ratio = left.bytes / right.bytes;
    show(`${page}-stash-meter-bytes-note`, ratio >= 2 ? `${Math.round(ratio)} times less` : "", "note less");
  };

  window.fetch = async (resource, options = {}) => {
    const name = typeof options.body === "string" && columnOf(options.body);
    if (!name) return fetch(resource, options);
    const column = columns[name] ??= {bytes: 0, flying: 0, began: 0, workers: new Set()};
    // What is asked while something else is under way belongs to one action of the viewer.
    if (column.flying++ === 0 && performance.now() - (column.ended ?? 0) > 250) column.began = performance.now();
    try {
      const response = await fetch(resource, options);
      const received = (await response.clone().arrayBuffer()).byteLength;
      column.bytes += new Blob([options.body]).size + received;
      column.ended = performance.now();
      column.workers.add(response.headers.get("X-Worker"));
      show(`${name}-meter-bytes`, bytes(column.bytes));
      show(`${name}-meter-time`, `${Math.round(column.ended - column.began).toLocaleString("en")} ms`);
      show(`${name}-meter-runs`, response.headers.get("X-Runs"));
      show(`${name}-meter-worker`, response.headers.get("X-Worker"));
      show(`${name}-meter-worker-note`, column.workers.size > 1 ? `one of ${column.workers.size}` : "");
      show(`${name}-meter-memory`, bytes(Number(response.headers.get("X-Memory"))));
      return response;
    } finally {
      column.flying--;
      setTimeout(compare, 300, name.split("-")[0]);
    }
  };
})();
