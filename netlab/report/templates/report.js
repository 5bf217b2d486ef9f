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
  const kinds = JSON.parse(byId("kinds").textContent);

  // Most rows of a long ladder are lines of JSON first. A list of a hundred is filled with elements
  // when it comes near the view, when one of its rows is chosen or cited, and for printing.
  const pending = new Map();
  const placed = new Map();
  const ROW_HEIGHT = 58;
  for (const list of document.querySelectorAll(".chunk[data-rows]")) {
    const rows = JSON.parse(list.nextElementSibling.textContent);
    pending.set(list, rows);
    for (const row of rows) placed.set(String(row[0]), list);
    list.style.height = rows.length * ROW_HEIGHT + "px";
  }
  const makeSvg = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const gapOf = ([size, short, sentence]) => {
    const gap = make("li", "row gap " + size);
    if (short) {
      const way = make("span", "way", short);
      way.setAttribute("aria-hidden", "true");
      gap.append(way);
    }
    gap.append(make("span", "says", sentence));
    return gap;
  };
  const elementOf = ([number, time, delta, server, kind, crossed, label, marks, fails, sentence, equation, doubt]) => {
    const side = server ? "s" : "c";
    const row = make("li", `row ${kinds[kind]} ${side}`);
    row.id = "f" + number;
    const no = make("span", "no");
    no.append(make("span", "h", "Frame "), String(number));
    const when = make("span", "t", time);
    when.append(make("small", "", delta));
    const way = make("span", "way");
    const drawing = makeSvg("svg", { "aria-hidden": "true" });
    drawing.append(makeSvg("use", { href: `#${side}${crossed ? "x" : ""}-${kinds[kind]}` }));
    way.append(drawing, make("span", "h", server ? "server to client: " : "client to server: "));
    way.append(make("span", "lab", label));
    const says = make("span", "says");
    const text = make("p");
    for (const mark of marks) text.append(make("span", "mark", mark));
    if (fails) text.append(make("span", "mark failed", "FAIL"));
    text.append(sentence);
    const sum = make("span", "eq");
    if (doubt) sum.append(make("b", "verdict " + doubt, doubt), " ");
    sum.append(equation);
    says.append(text, sum);
    row.append(no, when, way, says);
    return row;
  };
  let citedNow = new Set();
  const fill = (list) => {
    const rows = pending.get(list);
    if (!rows) return;
    pending.delete(list);
    const parts = document.createDocumentFragment();
    for (const row of rows) {
      const before = row[12];
      if (before) parts.append(gapOf(before));
      const element = elementOf(row);
      if (citedNow.has(row[0])) element.classList.add("cited");
      parts.append(element);
    }
    list.append(parts);
    list.style.height = "";
    nearby.unobserve(list);
    if (!pending.size) byId("all-rows").hidden = true;
  };
  const nearby = new IntersectionObserver(
    (seen) => { for (const each of seen) if (each.isIntersecting) fill(each.target); },
    { rootMargin: "1500px 0px" },
  );
  for (const list of pending.keys()) nearby.observe(list);
  const fillAll = () => { for (const list of [...pending.keys()]) fill(list); };
  byId("all-rows").hidden = !pending.size;
  byId("all-rows").addEventListener("click", fillAll);
  addEventListener("beforeprint", fillAll);

  const isTold = (number) => placed.has(String(number)) || byId("f" + number) !== null;
  const rowOf = (number) => {
    const list = placed.get(String(number));
    if (list) fill(list);
    return byId("f" + number);
  };
  const numberOf = (row) => row.id.slice(1);

  // Frames are cited as #4: each becomes a link to its row, if that frame has one.
  const cited = (element, text) => {
    let from = 0;
    for (const match of text.matchAll(/#(\d+)/g)) {
      element.append(text.slice(from, match.index));
      from = match.index + match[0].length;
      if (isTold(match[1])) {
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
    let script = row.parentElement.nextElementSibling;
    while (!script.matches(".data")) script = script.nextElementSibling;
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
    citedNow = frames;
    for (const number of frames) {
      const other = byId("f" + number);
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
    citedNow = new Set();
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
      fill(list);
      next = forward ? list.firstElementChild : list.lastElementChild;
    }
  };
  const rowsIn = (list) => {
    if (list) fill(list);
    return list ? list.querySelectorAll(".row[id]") : [];
  };
  const first = () => rowsIn([...document.querySelectorAll(".chunk")].filter(isShown)[0])[0] || null;
  const last = () => {
    const rows = rowsIn([...document.querySelectorAll(".chunk")].filter(isShown).pop());
    return rows[rows.length - 1] || null;
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
      const row = rowOf(link.hash.slice(2));
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
    for (const list of plot.closest("section").querySelectorAll(".chunk")) {
      const rows = pending.get(list)
        || [...list.querySelectorAll(".row[id]")].map((row) => [numberOf(row), row.querySelector(".t").textContent]);
      for (const [number, seconds] of rows) {
        const time = 1e6 * parseFloat(seconds);
        origin ??= time;
        const away = Math.abs(placeOf(stops, time - origin) - x);
        if (away < distance) [nearest, distance] = [number, away];
      }
    }
    if (nearest !== null) select(rowOf(nearest));
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
  const selectNamed = () => {
    const named = /^#f\d+$/.test(location.hash) ? rowOf(location.hash.slice(2)) : null;
    if (named) select(named);
  };
  addEventListener("hashchange", selectNamed);
  selectNamed();
})();
