"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const detail = byId("detail");
  const filter = byId("filter");
  const texts = JSON.parse(byId("texts").textContent);
  const chunks = [...document.querySelectorAll("script.data")];
  const parsed = new Map();
  const unchosen = [...detail.childNodes];
  let current = null;

  // The live laboratory shows reports in a sandbox, from which it refuses to be asked for more.
  if (location.protocol !== "file:" && self.origin === "null") byId("beside")?.remove();

  const isShown = (row) => !row.closest("section").hidden;
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const rowOf = (number) => byId("f" + number);
  const numberOf = (row) => row.id.slice(1);

  // Frames are cited as #4: each becomes a link to its row, if that frame has one.
  const cited = (element, text) => {
    let from = 0;
    for (const match of text.matchAll(/#(\d+)/g)) {
      element.append(text.slice(from, match.index));
      from = match.index + match[0].length;
      if (rowOf(match[1])) {
        const link = make("a", "cite", match[0]);
        link.href = "#f" + match[1];
        element.append(link);
      } else {
        element.append(match[0]);
      }
    }
    element.append(text.slice(from));
    return element;
  };

  // The findings of a hundred frames come as one piece of compressed JSON, unpacked when the first
  // is asked for.
  const unpack = async (script) => {
    const bytes = Uint8Array.from(atob(script.textContent), (each) => each.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return JSON.parse(await new Response(stream).text());
  };
  const dataOf = async (row) => {
    const script = row.parentElement.nextElementSibling;
    if (!parsed.has(script)) parsed.set(script, unpack(script));
    return (await parsed.get(script))[numberOf(row)];
  };

  const placeOf = (stops, time) => {
    let index = 0;
    while (index < stops.length - 2 && stops[index + 1][0] <= time) index += 1;
    const [before, start] = stops[index];
    const [after, end] = stops[index + 1];
    return after === before ? end : start + ((end - start) * (time - before)) / (after - before);
  };

  const moveCursors = (section, time) => {
    for (const plots of document.querySelectorAll(".plots")) {
      const x = section.contains(plots) ? placeOf(JSON.parse(plots.dataset.axis), time) : null;
      for (const cursor of plots.querySelectorAll(".cursor")) {
        const height = cursor.ownerSVGElement.viewBox.baseVal.height - 42;
        cursor.setAttribute("d", x === null ? "" : `M${x.toFixed(1)} 4V${height}`);
      }
    }
  };

  const show = async (row) => {
    const data = await dataOf(row);
    if (row !== current || !row.hasAttribute("aria-current")) return;
    detail.replaceChildren();
    detail.classList.remove("is-empty");
    detail.append(make("h2", "", `#${numberOf(row)} ${row.querySelector(".lab").textContent}`));
    detail.append(cited(make("p", "what"), row.querySelector(".says p").lastChild.textContent));
    const frames = new Set();
    for (const [rule, verdict, equation, sentence, rests] of data.f) {
      const block = make("div", "finding");
      const head = make("div", "rule");
      head.append(make("span", "", texts[rule]), make("span", "verdict " + verdict, verdict));
      block.append(head, cited(make("span", "eq"), equation), cited(make("p", "why"), texts[sentence]));
      detail.append(block);
      if (rule === data.f[0][0]) rests.forEach((number) => frames.add(number));
    }
    const list = make("dl");
    for (const [name, value] of Object.entries(data.v)) {
      list.append(make("dt", "", name), make("dd", "", String(value)));
    }
    detail.append(list);
    if (data.p) detail.append(make("pre", "", data.p));
    detail.scrollTop = 0;
    for (const old of document.querySelectorAll(".cited")) old.classList.remove("cited");
    for (const number of frames) {
      const other = rowOf(number);
      if (other && other !== row) other.classList.add("cited");
    }
    moveCursors(row.closest("section"), data.t);
  };

  const select = (row, focuses = true) => {
    if (current) {
      current.removeAttribute("aria-current");
      current.tabIndex = -1;
    }
    current = row;
    row.setAttribute("aria-current", "true");
    row.tabIndex = 0;
    if (focuses) row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    show(row);
  };

  const clear = () => {
    if (current) current.removeAttribute("aria-current");
    for (const old of document.querySelectorAll(".cited")) old.classList.remove("cited");
    detail.classList.add("is-empty");
    detail.replaceChildren(...unchosen);
    for (const cursor of document.querySelectorAll(".cursor")) cursor.setAttribute("d", "");
  };

  // Rows are siblings within a chunk; at its end the search goes on in the next one.
  const step = (row, forward) => {
    const sibling = forward ? "nextElementSibling" : "previousElementSibling";
    let next = row[sibling];
    let list = row.parentElement;
    for (;;) {
      while (next && !next.id) next = next[sibling];
      if (next) return next;
      const lists = [...document.querySelectorAll(".chunk")].filter(isShown);
      list = lists[lists.indexOf(list) + (forward ? 1 : -1)];
      if (!list) return null;
      next = forward ? list.firstElementChild : list.lastElementChild;
    }
  };
  const first = () => [...document.querySelectorAll(".chunk")].filter(isShown)[0]?.querySelector(".row[id]");
  const last = () => {
    const rows = [...document.querySelectorAll(".chunk")].filter(isShown).pop()?.querySelectorAll(".row[id]");
    return rows ? rows[rows.length - 1] : null;
  };

  const applyFilter = (value) => {
    filter.value = value;
    for (const section of document.querySelectorAll("section.conversation")) {
      section.hidden = value !== "" && section.dataset.stream !== value;
    }
  };

  const turnConversation = (forward) => {
    const index = filter.selectedIndex + (forward ? 1 : -1);
    if (index < 0 || index >= filter.options.length) return;
    applyFilter(filter.options[index].value);
    const row = first();
    if (row) select(row);
  };

  const toggleEquations = () => {
    const hides = document.body.classList.toggle("no-equations");
    byId("equations").setAttribute("aria-pressed", String(!hides));
  };

  const themes = ["system", "light", "dark"];
  byId("theme").addEventListener("click", (event) => {
    const now = themes[(themes.indexOf(root.dataset.theme || "system") + 1) % themes.length];
    if (now === "system") delete root.dataset.theme;
    else root.dataset.theme = now;
    event.currentTarget.textContent = "Theme: " + now;
  });
  byId("equations").addEventListener("click", toggleEquations);
  filter.addEventListener("change", () => applyFilter(filter.value));

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".cite");
    if (link) {
      event.preventDefault();
      const row = byId(link.hash.slice(1));
      if (row && !isShown(row)) applyFilter("");
      if (row) select(row);
      return;
    }
    const plot = event.target.closest(".plots .wide svg");
    if (plot) {
      selectNearest(plot, event);
      return;
    }
    const row = event.target.closest(".row[id]");
    if (row && !String(getSelection())) select(row);
  });

  // A click into a plot chooses the frame that is nearest in time.
  const selectNearest = (plot, event) => {
    const box = plot.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * plot.viewBox.baseVal.width;
    const stops = JSON.parse(plot.closest(".plots").dataset.axis);
    let nearest = null;
    let distance = Infinity;
    let origin = null;
    for (const row of plot.closest("section").querySelectorAll(".row[id]")) {
      const time = 1e6 * parseFloat(row.querySelector(".t").textContent);
      origin ??= time;
      const away = Math.abs(placeOf(stops, time - origin) - x);
      if (away < distance) [nearest, distance] = [row, away];
    }
    if (nearest) select(nearest);
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (["SELECT", "INPUT", "TEXTAREA"].includes(event.target.tagName)) return;
    // In the details the keys scroll, as everywhere.
    if (event.target === detail && event.key !== "Escape") return;
    const isChosen = current && current.hasAttribute("aria-current") && isShown(current);
    const go = {
      ArrowDown: () => (isChosen ? step(current, true) : first()),
      j: () => (isChosen ? step(current, true) : first()),
      ArrowUp: () => (isChosen ? step(current, false) : last()),
      k: () => (isChosen ? step(current, false) : last()),
      Home: first,
      End: last,
    }[event.key];
    if (go) {
      event.preventDefault();
      const row = go();
      if (row) select(row);
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      turnConversation(event.key === "ArrowRight");
    } else if (event.key === "e") {
      toggleEquations();
    } else if (event.key === "Escape") {
      clear();
    } else if ((event.key === "Enter" || event.key === " ") && event.target.matches(".row[id]")) {
      event.preventDefault();
      select(event.target);
    }
  });

  // A link from elsewhere may name a frame.
  const named = /^#f\d+$/.test(location.hash) ? rowOf(location.hash.slice(2)) : null;
  if (named) select(named);
})();
