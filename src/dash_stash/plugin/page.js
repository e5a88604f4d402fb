// Tells the server with each request which page and which tab asks, and the reader what the server has to say.
(() => {
  const {prefix} = document.currentScript.dataset;
  const fetch = window.fetch;
  let page, tab, place;

  // A tab keeps its id when it is reloaded. A duplicated tab gets a copy of what is stored here, but of a page that has not
  // been left: then the id is the other tab's, and this one takes the new one.
  function take(newPage, newTab, session) {
    [page, tab, place] = [newPage, newTab, `dash-stash ${prefix} ${session}`];
    try {
      const kept = JSON.parse(sessionStorage.getItem(place));
      if (kept?.left) {
        tab = kept.tab;
        // The word that the tab was left may arrive late, after those of this page.
        setTimeout(tell, 5000, "stay");
      }
    } catch { /* nothing of ours, or nothing may be stored: the tab then lives as long as the page */ }
    keep(false);
  }

  function keep(left) {
    try { sessionStorage.setItem(place, JSON.stringify({tab, left})); } catch { /* as above */ }
  }

  function tell(what) {
    navigator.sendBeacon(`${prefix}_dash-stash/${what}`, `${page}.${tab}`);
  }

  function show(text) {
    if (document.getElementById("dash-stash-notice")) return;
    const notice = document.createElement("div");
    const reload = document.createElement("button");
    notice.id = "dash-stash-notice";
    notice.setAttribute("role", "alert");
    notice.textContent = text;
    reload.textContent = "Reload";
    reload.onclick = () => location.reload();
    notice.append(reload);
    Object.assign(notice.style, {
      position: "fixed", insetInline: "0", bottom: "1rem", margin: "0 auto", width: "fit-content", maxWidth: "calc(100vw - 2rem)",
      boxSizing: "border-box", display: "flex", gap: "1rem", alignItems: "center", padding: ".75rem 1rem", zIndex: 2147483647,
      font: "15px/1.4 system-ui, sans-serif", color: "#fff", background: "#25262b", borderRadius: ".5rem",
      border: "1px solid #5c5f66", boxShadow: "0 4px 24px rgb(0 0 0 / .35)",
    });
    Object.assign(reload.style, {
      flex: "none", font: "inherit", fontWeight: 600, padding: ".35rem .8rem", cursor: "pointer",
      color: "#1a1b1e", background: "#fff", border: "0", borderRadius: ".35rem",
    });
    document.body.append(notice);
  }

  function listen(response) {
    const ids = response.headers.get("X-Dash-Stash");
    const notice = response.headers.get("X-Dash-Stash-Notice");
    if (ids) take(...ids.split("."));
    if (notice) show(decodeURIComponent(notice));
    // Another page, loaded at the same time, got the browser its session: this one belongs to none.
    const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
    if (response.headers.has("X-Dash-Stash-Reload") && !again) location.reload();
    return response;
  }

  window.fetch = (resource, options = {}) => {
    const url = new URL(resource.url ?? resource, document.baseURI);
    if (url.origin !== location.origin || !url.pathname.startsWith(prefix)) return fetch(resource, options);
    const headers = new Headers(options.headers ?? resource.headers);
    headers.set("X-Dash-Stash", `${page}.${tab}`);
    return fetch(resource, {...options, headers}).then(listen);
  };

  // The data of a page that is kept for the back button stays until its time is over.
  addEventListener("pagehide", ({persisted}) => {
    keep(true);
    if (!persisted) tell("leave");
  });
  addEventListener("pageshow", ({persisted}) => persisted && keep(false));

  take(...document.currentScript.dataset.ids.split("."));
})();
