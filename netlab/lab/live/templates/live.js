"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const catalogue = JSON.parse(document.body.dataset.catalogue);
  const token = document.body.dataset.token;
  const detail = byId("detail");
  const ladder = byId("ladder");
  const noDetail = [...detail.childNodes].map((node) => node.cloneNode(true));

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const makeSvg = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const plural = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

  // Everything that has come of the run, in order; the first `shown` events are on the page.
  let events = [];
  let shown = 0;
  let isPaused = false;
  let isReplay = false;
  let isCatchingUp = false;
  let timer = null;
  let current = null;
  let phase = "preparing";
  let connection = "";
  const frames = new Map();
  const arrivalsBelow = new WeakMap();
  let shownTime = null;

  // The bench: what can be ordered.

  const chosen = () => catalogue[byId("experiment").value];
  const fillBench = () => {
    const experiment = chosen();
    byId("question").textContent = experiment.question;
    byId("look-for").textContent = experiment.look_for;
    byId("programs").textContent = experiment.programs;
    byId("explanation").textContent = experiment.explanation;
    byId("wire-says").textContent = experiment.wire.join("; ");
    byId("rules").value = experiment.rules.join("\n");
    byId("seed").placeholder = String(experiment.seed);
  };

  const order = () => {
    const experiment = chosen();
    const knobs = {};
    for (const input of document.querySelectorAll(".knobs input[name]")) {
      if (input.value.trim()) knobs[input.name] = input.value.trim();
    }
    const asked = { experiment: experiment.name, knobs };
    const rules = byId("rules").value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (rules.join("\n") !== experiment.rules.join("\n")) asked.rules = rules;
    const seed = byId("seed").value.trim();
    if (seed) asked.seed = /^[0-9]+$/.test(seed) ? Number(seed) : seed;
    return asked;
  };

  const send = async (path, body) => {
    byId("problem").textContent = "";
    try {
      const answer = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Netlab-Token": token },
        body: JSON.stringify(body),
      });
      if (answer.ok) return;
      const type = answer.headers.get("Content-Type") || "";
      byId("problem").textContent = type.includes("json")
        ? (await answer.json()).problem
        : "The laboratory has been started anew since: load this page again.";
    } catch {
      byId("problem").textContent = "The laboratory does not answer; has it been stopped?";
    }
  };

  const showPhase = () => {
    const says = {
      preparing: "preparing…",
      idle: "",
      running: "running…",
      stopping: "stopping…",
      reporting: "judging and explaining…",
    };
    byId("phase").textContent = connection || says[phase];
    byId("stop").disabled = phase !== "running";
  };

  // The ladder.

  const follow = (element) => {
    // Only for who looks at the end anyway.
    const isAtEnd = innerHeight + scrollY > root.scrollHeight - 260;
    return () => {
      if (isAtEnd && !current && !isCatchingUp) element.scrollIntoView({ block: "nearest" });
    };
  };

  let isSkipping = false;
  const addRow = (row) => {
    const keepUp = follow(row);
    byId("empty").hidden = true;
    if (!isSkipping) row.classList.add("is-new");
    ladder.append(row);
    keepUp();
  };

  const showSent = (event) => {
    const fromClient = event.sender === "client";
    const row = make("li", `row ${event.kind}`);
    row.id = `f${event.n}`;
    row.dataset.n = event.n;
    row.tabIndex = frames.size ? -1 : 0;
    const number = make("span", "no");
    number.append(make("span", "hidden-text", "Segment "), String(event.n));
    if (event.stream) number.append(make("small", "", `conn. ${event.stream}`));
    const time = make("span", "t", event.time);
    time.append(make("small", "", event.delta));
    const way = make("span", "way");
    const svg = makeSvg("svg", { "aria-hidden": "true" });
    const line = makeSvg("line", {
      x1: fromClient ? "1.5%" : "98.5%", y1: 28, x2: "50%", y2: 34,
      class: event.is_lost ? "lost" : "flying",
    });
    svg.append(line);
    if (event.is_lost) {
      const cross = makeSvg("svg", { x: "50%", y: 34, overflow: "visible" });
      cross.append(makeSvg("path", { class: "cross", d: "M-5 -5L5 5M5 -5L-5 5" }));
      svg.append(cross);
    }
    way.append(svg, make("span", "hidden-text", fromClient ? "client to server: " : "server to client: "));
    way.append(make("span", "lab", event.label));
    const says = make("span", "says");
    const text = make("p");
    for (const mark of event.marks) text.append(make("span", "mark", mark));
    if (event.findings.some((finding) => finding.verdict === "FAIL")) {
      text.append(make("span", "mark failed", "FAIL"));
    }
    text.append(event.sentence);
    says.append(text);
    for (const note of event.notes) says.append(make("span", event.is_lost ? "fate lost" : "fate", note));
    if (event.equation) says.append(make("span", "eq", event.equation));
    row.append(number, time, way, says);
    frames.set(event.n, { event, row, line, arrivals: [] });
    addRow(row);
    return `#${event.n}, ${fromClient ? "client to server" : "server to client"}: ${event.label}. ${event.sentence}`;
  };

  // An arrow ends where the ladder was when the segment arrived.
  const drawArrival = (frame, arrival) => {
    const fromClient = frame.event.sender === "client";
    const { line, below, place } = arrival;
    // Of several that arrive below the same row, each ends lower than those before it.
    const inside = (below.dataset.n ? 38 : 12) + 7 * place;
    const end = below.offsetTop - frame.row.offsetTop + Math.min(inside, below.offsetHeight - 3);
    line.setAttribute("x2", fromClient ? "99%" : "1%");
    line.setAttribute("y2", String(end));
  };

  const showArrived = (event) => {
    const frame = frames.get(event.n);
    let line = frame.line;
    if (frame.arrivals.length) {
      line = frame.line.cloneNode();
      frame.line.after(line);
    }
    line.removeAttribute("class");
    line.setAttribute("marker-end", `url(#m-${frame.event.kind})`);
    const below = ladder.lastElementChild;
    const place = arrivalsBelow.get(below) || 0;
    arrivalsBelow.set(below, place + 1);
    const arrival = { event, line, below, place };
    frame.arrivals.push(arrival);
    drawArrival(frame, arrival);
    if (frame.row === current) showDetail(frame);
    return `#${event.n} arrives after ${event.took}`;
  };

  const showLine = (event) => {
    const row = make("li", `row said ${event.host}`);
    const says = make("span", "says");
    says.append(make("b", "", `${event.program} `), event.text);
    row.append(make("span"), make("span", "t", event.time), make("span", "way"), says);
    addRow(row);
    return `${event.host}, ${event.program}: ${event.text}`;
  };

  const showPassage = (event) => {
    const row = make("li", `row said ${event.sender}`);
    const says = make("span", "says");
    says.append(make("b", "", `connection ${event.connection}, ${event.sender} `), event.what);
    row.append(make("span"), make("span", "t", event.time), make("span", "way"), says);
    addRow(row);
    return `connection ${event.connection}, ${event.sender}: ${event.what}`;
  };

  const fileLink = (event, name) => {
    const isPage = name.endsWith(".html");
    const link = make("a", "", isPage ? `open ${name}` : name);
    link.href = `results/${event.name}/${name}`;
    if (isPage) link.target = "_blank";
    else link.download = `${event.name}-${name}`;
    if (isPage) link.rel = "noopener";
    return link;
  };

  const showEnd = (event) => {
    const verdict = byId("verdict");
    const met = event.results.filter((result) => result.is_met).length;
    let text = "It ran; without a capture nothing can be checked.";
    let how = "";
    if (event.problem) [text, how] = [`It failed: ${event.problem}`, "no-good"];
    else if (event.is_stopped) text = "Stopped.";
    else if (event.is_judged && event.is_met) {
      [text, how] = [`As expected: ${met} of ${event.results.length}`, "yes"];
    } else if (event.is_judged) {
      [text, how] = [`Not as expected: ${met} of ${event.results.length}`, "no-good"];
    }
    verdict.textContent = text;
    verdict.className = how;
    const list = byId("expectations");
    list.replaceChildren();
    for (const result of [...event.results].sort((a, b) => a.is_met - b.is_met)) {
      const item = make("li", result.is_met ? "met" : "unmet");
      item.append(make("span", "hidden-text", result.is_met ? "met: " : "not met: "));
      item.append(result.expected, " ");
      item.append(make("small", "", `at the ${result.end}: ${result.found}`));
      list.append(item);
    }
    if (event.left_out) {
      list.prepend(make("li", "", "Not everything is shown here: the reports and captures have more."));
    }
    const files = byId("files");
    files.replaceChildren();
    const isFirst = (name) => /\.html$|\.pcapng$/.test(name);
    const wanted = event.files.filter((each) => each !== "thumbnail.svg");
    for (const name of [...wanted.filter(isFirst), ...wanted.filter((each) => !isFirst(each))]) {
      const item = make("li");
      item.append(fileLink(event, name));
      files.append(item);
    }
    byId("result").hidden = false;
    const total = frames.size ? ` ${plural(frames.size, "segment")} in all.` : "";
    return `${text.replace(/\.$/, "")}.${total}`;
  };

  const show = (event) => {
    if (event.t !== undefined) shownTime = event.t;
    switch (event.type) {
      case "sent": return showSent(event);
      case "arrived": return showArrived(event);
      case "line": return showLine(event);
      case "passage": return showPassage(event);
      case "end": return showEnd(event);
      default: return "";
    }
  };

  const clear = () => {
    clearTimeout(timer);
    timer = null;
    shown = 0;
    shownTime = null;
    current = null;
    frames.clear();
    ladder.replaceChildren();
    byId("empty").hidden = false;
    byId("result").hidden = true;
    detail.classList.add("is-empty");
    detail.replaceChildren(...noDetail.map((node) => node.cloneNode(true)));
  };

  // Playback: how the events that have come are shown.

  const longest = 1500;
  const waitFor = (event) => {
    if (isCatchingUp || shownTime === null || event.t === undefined) return 0;
    const gap = Math.max(0, event.t - shownTime) / 1e6;
    switch (byId("pace").value) {
      case "steady": return event.type === "arrived" ? 250 : event.type === "sent" ? 550 : 120;
      case "slow": return Math.min(longest, gap * 100);
      default: return isReplay ? Math.min(longest, gap) : 0;
    }
  };

  // What is seen changes often; a screen reader hears less of it.
  const say = (text, isHeard = true) => {
    byId("status").textContent = text;
    if (isHeard) byId("said").textContent = text;
  };

  const progress = () => {
    const waits = events.length - shown;
    return `${plural(frames.size, "segment")} shown${waits ? `, ${plural(waits, "event")} to come` : ""}.`;
  };

  const play = () => {
    if (timer !== null || isPaused) return;
    if (shown >= events.length) {
      isCatchingUp = false;
      return;
    }
    const wait = waitFor(events[shown]);
    if (wait > 0) {
      timer = setTimeout(() => {
        timer = null;
        if (isPaused) return;
        showNext();
        play();
      }, wait);
      return;
    }
    // What is to be shown at once is shown in turns, so that keys are heard meanwhile.
    isSkipping = events.length - shown > 5;
    for (let count = 0; count < 100 && shown < events.length && waitFor(events[shown]) === 0; count += 1) {
      showNext();
    }
    isSkipping = false;
    timer = setTimeout(() => {
      timer = null;
      play();
    }, 0);
  };

  const showNext = () => {
    const event = events[shown];
    shown += 1;
    const text = show(event);
    if (event.type === "end") say(text);
    else if (!isPaused) sayNow();
    return text;
  };

  // While it plays one hears how far it is, now and then; a step tells its own segment.
  let saidAt = 0;
  const sayNow = () => {
    const isHeard = performance.now() - saidAt > 6000;
    if (isHeard) saidAt = performance.now();
    say(progress(), isHeard);
  };

  const setPaused = (paused) => {
    isPaused = paused;
    byId("pause").setAttribute("aria-pressed", String(paused));
    byId("pause").textContent = paused ? "Continue" : "Pause";
    if (paused) {
      clearTimeout(timer);
      timer = null;
      say(`Paused. ${progress()} The hosts do not wait.`);
    } else {
      play();
    }
  };

  const step = () => {
    if (!isPaused) setPaused(true);
    if (shown < events.length) say(showNext());
    else say(phase === "idle" ? "That was all." : "Nothing more has happened yet.");
  };

  const replay = () => {
    if (!events.length) return;
    clear();
    isReplay = true;
    isCatchingUp = false;
    if (isPaused) say("Again from the beginning; step by step.");
    play();
  };

  // The stream of events.

  const source = new EventSource("events");
  const listen = (type, act) => {
    source.addEventListener(type, (message) => act(JSON.parse(message.data)));
  };
  source.onopen = () => {
    connection = "";
    showPhase();
  };
  source.onerror = () => {
    connection = source.readyState === EventSource.CLOSED
      ? "The laboratory shows nothing to this page: too many look on, or it has been started anew. Load the page again."
      : "The connection to the laboratory is lost; trying again…";
    showPhase();
  };
  listen("phase", (event) => {
    phase = event.phase;
    showPhase();
    play();
  });
  listen("place", (event) => {
    byId("place").textContent = event.text;
    byId("place").classList.toggle("is-poor", event.isolation === "none");
  });
  let runNumber = null;
  let beganAt = 0;
  listen("begin", (event) => {
    clear();
    events = [];
    isReplay = false;
    isCatchingUp = false;
    runNumber = event.run;
    beganAt = performance.now();
    if (byId("experiment").value !== event.name) {
      byId("experiment").value = event.name;
      fillBench();
    }
    byId("wire-says").textContent = event.wire.join("; ");
    say(`${event.name} begins.`);
  });
  for (const type of ["sent", "arrived", "line", "passage", "end"]) {
    listen(type, (event) => {
      if (runNumber === null) return;
      event.type = type;
      events.push(event);
      // A run that comes faster than it went was over before this page was opened.
      if (type === "end" && performance.now() - beganAt < 500 * event.seconds) {
        isCatchingUp = true;
        clearTimeout(timer);
        timer = null;
      }
      play();
    });
  }

  // A chosen segment.

  const cited = (element, text) => {
    let from = 0;
    for (const match of text.matchAll(/#(\d+)/g)) {
      element.append(text.slice(from, match.index));
      from = match.index + match[0].length;
      if (frames.has(Number(match[1]))) {
        const link = make("a", "cite", match[0]);
        link.href = `#f${match[1]}`;
        link.dataset.to = match[1];
        element.append(link);
      } else {
        element.append(match[0]);
      }
    }
    element.append(text.slice(from));
    return element;
  };

  const showDetail = (frame) => {
    const { event, arrivals } = frame;
    detail.replaceChildren();
    detail.classList.remove("is-empty");
    detail.append(make("h2", "", `#${event.n} ${event.label}`));
    detail.append(cited(make("p", "what"), event.sentence));
    for (const finding of event.findings) {
      const block = make("div", "finding");
      const head = make("div", "rule");
      head.append(make("span", "", finding.rule), make("span", `verdict ${finding.verdict}`, finding.verdict));
      block.append(head, cited(make("span", "eq"), finding.equation), cited(make("p", "why"), finding.sentence));
      detail.append(block);
    }
    const list = make("dl");
    const other = event.sender === "client" ? "server" : "client";
    const values = { ...event.values, [`in ${event.sender}.pcapng`]: `#${event.captured}` };
    for (const { event: arrival } of arrivals) {
      values["on the wire"] = values["on the wire"] ? `${values["on the wire"]}, ${arrival.took}` : arrival.took;
      const place = `in ${other}.pcapng`;
      values[place] = values[place] ? `${values[place]}, #${arrival.captured}` : `#${arrival.captured}`;
    }
    if (event.is_lost) values["on the wire"] = "lost";
    for (const [name, value] of Object.entries(values)) {
      list.append(make("dt", "", name), make("dd", "", String(value)));
    }
    detail.append(list);
    if (event.payload) detail.append(make("pre", "", event.payload));
    detail.scrollTop = 0;
    for (const old of document.querySelectorAll(".cited")) old.classList.remove("cited");
    for (const number of event.findings.length ? event.findings[0].frames : []) {
      const row = byId(`f${number}`);
      if (row && row !== frame.row) row.classList.add("cited");
    }
  };

  const select = (row) => {
    if (current) {
      current.removeAttribute("aria-current");
      current.tabIndex = -1;
    } else {
      const first = ladder.querySelector("[data-n]");
      if (first) first.tabIndex = -1;
    }
    current = row;
    row.setAttribute("aria-current", "true");
    row.tabIndex = 0;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    showDetail(frames.get(Number(row.dataset.n)));
  };

  const unselect = () => {
    if (current) current.removeAttribute("aria-current");
    current = null;
    for (const old of document.querySelectorAll(".cited")) old.classList.remove("cited");
    detail.classList.add("is-empty");
    detail.replaceChildren(...noDetail.map((node) => node.cloneNode(true)));
  };

  const neighbour = (row, way) => {
    let next = row[way];
    while (next && !next.dataset.n) next = next[way];
    return next;
  };
  const rows = () => ladder.querySelectorAll("[data-n]");

  // Keys and clicks.

  const toggleEquations = () => {
    const hides = document.body.classList.toggle("no-equations");
    byId("equations").setAttribute("aria-pressed", String(!hides));
  };
  const themes = ["system", "light", "dark"];
  byId("theme").addEventListener("click", (event) => {
    const now = themes[(themes.indexOf(root.dataset.theme || "system") + 1) % themes.length];
    if (now === "system") delete root.dataset.theme;
    else root.dataset.theme = now;
    event.currentTarget.textContent = `Theme: ${now}`;
  });
  byId("equations").addEventListener("click", toggleEquations);
  byId("pause").addEventListener("click", () => setPaused(!isPaused));
  byId("step").addEventListener("click", step);
  byId("replay").addEventListener("click", replay);
  byId("pace").addEventListener("change", () => {
    clearTimeout(timer);
    timer = null;
    play();
  });
  byId("experiment").addEventListener("change", fillBench);
  byId("stop").addEventListener("click", () => send("stop", {}));
  byId("bench").addEventListener("submit", (event) => {
    event.preventDefault();
    setPaused(false);
    send("run", order());
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".cite");
    if (link) {
      event.preventDefault();
      const row = byId(`f${link.dataset.to}`);
      if (row) select(row);
      return;
    }
    const row = event.target.closest("[data-n]");
    if (row && !String(getSelection())) select(row);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (["SELECT", "INPUT", "TEXTAREA"].includes(event.target.tagName)) return;
    if (event.target === detail && event.key !== "Escape") return;
    const go = {
      ArrowDown: () => (current ? neighbour(current, "nextElementSibling") : rows()[0]),
      ArrowUp: () => (current ? neighbour(current, "previousElementSibling") : [...rows()].pop()),
      Home: () => rows()[0],
      End: () => [...rows()].pop(),
    };
    go.j = go.ArrowDown;
    go.k = go.ArrowUp;
    const act = { p: () => setPaused(!isPaused), s: step, a: replay, e: toggleEquations, Escape: unselect };
    if (go[event.key]) {
      const row = go[event.key]();
      if (!row) return;
      event.preventDefault();
      select(row);
    } else if (act[event.key]) {
      act[event.key]();
    } else if ((event.key === "Enter" || event.key === " ") && event.target.dataset.n) {
      event.preventDefault();
      select(event.target);
    }
  });

  // Rows change their height with the width of the window, and with the equations.
  new ResizeObserver(() => {
    for (const frame of frames.values()) {
      for (const arrival of frame.arrivals) drawArrival(frame, arrival);
    }
  }).observe(ladder);

  fillBench();
  showPhase();
})();
