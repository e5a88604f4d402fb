// Tells the server with each request which page and tab asks, and the reader what the server says.
(() => {
  const {prefix} = document.currentScript.dataset;
  const fetch = window.fetch;
  const reloaded = performance.getEntriesByType("navigation")[0]?.type === "reload";
  let page, tab, place;

  // A tab keeps its id when it is reloaded. A duplicated tab gets a copy of what is stored here,
  // but of a page that has not been left: then the id is the other tab's, and this one takes the
  // new one.
  function take(newPage, newTab, session) {
    [page, tab, place] = [newPage, newTab, `dash-stash ${prefix} ${session}`];
    const kept = read("sessionStorage", place);
    if (kept?.left) {
      tab = kept.tab;
      // The message that the tab was left may arrive late, after those of this page.
      setTimeout(tell, 5000, "stay");
    }
    keep(false);
  }

  function keep(left) {
    write("sessionStorage", place, {tab, left});
  }

  // Where nothing may be stored, a tab lives as long as the page.
  function read(storage, key) {
    try { return JSON.parse(window[storage].getItem(key)); } catch { return null; }
  }

  function write(storage, key, value) {
    try { window[storage].setItem(key, JSON.stringify(value)); } catch { /* as above */ }
  }

  function tell(what) {
    navigator.sendBeacon(`${prefix}_dash-stash/${what}`, `${page}.${tab}`);
  }

  // What is dead

  // Which secrets have answered this browser, and when last. While the workers of two deployments
  // answer, those with the older secret call dead what the others have sealed.
  const secrets = `dash-stash ${prefix} secrets`;
  let secret = "", answered = 0;

  function meet(answering) {
    if (answering) {
      const met = read("localStorage", secrets) ?? {};
      const own = secret && {[secret]: answered};
      write("localStorage", secrets, {...met, ...own, [answering]: Date.now()});
      secret = answering;
    }
    answered = Date.now();
  }

  function isToBeBelieved(uptime, known) {
    const since = Date.now() - 1000 * Math.min(uptime, 600);
    const met = Object.entries(read("localStorage", secrets) ?? {});
    return met.every(([one, at]) => known.includes(one) || at < since);
  }

  // The references that were refused to this page, and how often it was reloaded because of such.
  const dead = new Set();
  const refusals = `dash-stash ${prefix} refusals`;
  const before = (reloaded && read("sessionStorage", refusals)) || 0;
  write("sessionStorage", refusals, 0);

  function without(value) {
    if (dead.has(value)) return null;
    if (Array.isArray(value)) return value.map(without);
    if (!value || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, without(child)]));
  }

  // A dcc.Store keeps its data under its id, and the time beside it. Dash keeps what it persists as
  // [the value, what it was first].
  function bury(storage, key) {
    const text = window[storage].getItem(key);
    const isPersisted = key.startsWith("_dash_persistence.");
    const isKept = isPersisted || window[storage].getItem(`${key}-timestamp`);
    if (!isKept || ![...dead].some((one) => text.includes(one))) return false;
    const value = read(storage, key);
    if (dead.has(isPersisted ? value?.[0] : value)) {
      window[storage].removeItem(key);
      if (!isPersisted) window[storage].removeItem(`${key}-timestamp`);
    } else {
      write(storage, key, without(value));
    }
    return true;
  }

  // Removes the dead references from where the browser keeps them; whether there were any.
  function repair() {
    let found = false;
    for (const name of ["localStorage", "sessionStorage"]) {
      try {
        for (const key of Object.keys(window[name])) found = bury(name, key) || found;
      } catch { /* nothing may be stored */ }
    }
    return found;
  }

  function reload() {
    repair();
    write("sessionStorage", refusals, before + 1);
    location.reload();
  }

  // What is refused again after a reload is removed without another word, unless the reader has
  // begun to work. (The browser's own `userActivation` outlives a reload.)
  let isIdle = true;
  const begin = () => { isIdle = false; };
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, begin, {capture: true});

  function refuse(notice, told) {
    write("sessionStorage", refusals, before || 1);
    const [uptime, known, ...texts] = told?.split(" ") ?? [];
    if (told && isToBeBelieved(Number(uptime), known.split(","))) {
      texts.forEach((text) => dead.add(text));
      if (before && before < 10 && repair() && isIdle) return reload();
    }
    show(notice);
  }

  function show(text) {
    if (document.getElementById("dash-stash-notice")) return;
    const notice = document.createElement("div");
    const button = document.createElement("button");
    notice.id = "dash-stash-notice";
    notice.setAttribute("role", "alert");
    notice.textContent = text;
    button.textContent = "Reload";
    button.onclick = reload;
    notice.append(button);
    Object.assign(notice.style, {
      position: "fixed", insetInline: "0", bottom: "1rem", margin: "0 auto",
      width: "fit-content", maxWidth: "calc(100vw - 2rem)", boxSizing: "border-box",
      display: "flex", gap: "1rem", alignItems: "center", padding: ".75rem 1rem",
      zIndex: 2147483647,
      font: "15px/1.4 system-ui, sans-serif", color: "#fff", background: "#25262b",
      borderRadius: ".5rem", border: "1px solid #5c5f66", boxShadow: "0 4px 24px rgb(0 0 0 / .35)",
    });
    Object.assign(button.style, {
      flex: "none", font: "inherit", fontWeight: 600, padding: ".35rem .8rem", cursor: "pointer",
      color: "#1a1b1e", background: "#fff", border: "0", borderRadius: ".35rem",
    });
    document.body.append(notice);
  }

  // Requests

  function isOurs(address) {
    const url = new URL(address, document.baseURI);
    return url.origin === location.origin && url.pathname.startsWith(prefix);
  }

  function listen(header, status) {
    const ids = header("X-Dash-Stash");
    const notice = header("X-Dash-Stash-Notice");
    const answering = header("X-Dash-Stash-Key");
    meet(answering);
    if (ids) take(...ids.split("."));
    if (notice && status === 503) show(decodeURIComponent(notice));
    else if (notice) refuse(decodeURIComponent(notice), header("X-Dash-Stash-Dead"));
    // Another page, loaded at the same time, got the browser its session: this one belongs to none.
    if (header("X-Dash-Stash-Reload") && !reloaded) location.reload();
  }

  const asked = new Set();

  function ask(resource, options) {
    const headers = new Headers(options.headers ?? resource.headers);
    headers.set("X-Dash-Stash", `${page}.${tab}`);
    headers.set("X-Dash-Stash-Key", secret);
    const copy = resource instanceof Request ? resource.clone() : resource;
    const answer = fetch(copy, {...options, headers});
    asked.add(answer);
    const end = () => asked.delete(answer);
    answer.then(end, end);
    return answer;
  }

  // A login replaces the cookie: what was sent before its answer arrived is refused, and has not
  // run. It is sent once more when all requests under way have been answered; again after a while,
  // since another tab may be logging in.
  async function request(resource, options) {
    let response = await ask(resource, options);
    const isReplaced = () => response.headers.has("X-Dash-Stash-Replaced");
    for (let pause = 0; isReplaced() && pause < 8000; pause = pause * 2 || 250) {
      await Promise.allSettled([...asked, new Promise((resolve) => setTimeout(resolve, pause))]);
      response = await ask(resource, options);
    }
    listen((name) => response.headers.get(name), response.status);
    return response;
  }

  window.fetch = (resource, options = {}) => {
    const through = isOurs(resource.url ?? resource) ? request : fetch;
    return through(resource, options);
  };

  const {open, send} = XMLHttpRequest.prototype;
  const addresses = new WeakMap();

  XMLHttpRequest.prototype.open = function (method, address, ...more) {
    addresses.set(this, address);
    return open.call(this, method, address, ...more);
  };

  XMLHttpRequest.prototype.send = function (body) {
    if (isOurs(addresses.get(this))) {
      this.setRequestHeader("X-Dash-Stash", `${page}.${tab}`);
      this.setRequestHeader("X-Dash-Stash-Key", secret);
      const header = (name) => this.getResponseHeader(name);
      this.addEventListener("load", () => listen(header, this.status));
    }
    return send.call(this, body);
  };

  // Dash 4.5 lets a worker, which all tabs share, send the requests of streaming callbacks. The
  // page itself sends those that the worker is refused.
  const {postMessage} = MessagePort.prototype;

  MessagePort.prototype.postMessage = function (message, ...more) {
    if (message?.type === "stream" && message.init && isOurs(message.url)) {
      const headers = {...message.init.headers, "X-Dash-Stash": `${page}.${tab}`};
      return postMessage.call(this, {...message, init: {...message.init, headers}}, ...more);
    }
    return postMessage.call(this, message, ...more);
  };

  // A page that the browser keeps for the back button keeps its data, too, until it expires.
  addEventListener("pagehide", ({persisted}) => {
    keep(true);
    if (!persisted) tell("leave");
  });
  addEventListener("pageshow", ({persisted}) => persisted && keep(false));

  take(...document.currentScript.dataset.ids.split("."));
})();
