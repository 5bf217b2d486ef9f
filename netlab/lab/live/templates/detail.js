// A chosen segment: every rule that concerns it, with its values.

import { byId, make } from "./dom.js";
import { frames } from "./ladder.js";

export const detail = byId("detail");

const noDetail = [...detail.childNodes].map((node) => node.cloneNode(true));

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

const uncite = () => {
  for (const old of document.querySelectorAll(".cited")) old.classList.remove("cited");
};

export const showDetail = (frame) => {
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
  uncite();
  for (const number of event.findings.length ? event.findings[0].frames : []) {
    const row = byId(`f${number}`);
    if (row && row !== frame.row) row.classList.add("cited");
  }
};

export const clearDetail = () => {
  uncite();
  detail.classList.add("is-empty");
  detail.replaceChildren(...noDetail.map((node) => node.cloneNode(true)));
};
