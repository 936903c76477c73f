// Draws one answer's trace as SVG: the unmasking picture and the timeline. Knows Rows (geometry) and nothing of the table.
"use strict";

const Pictures = (() => {
  const template = document.createElement("template");
  template.innerHTML = "<svg></svg>";
  const namespace = template.content.firstChild.namespaceURI;

  function node(tag, attributes, ...children) {
    const element = document.createElementNS(namespace, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  }
  const rect = (kind, x, y, width, height, title) =>
    node("rect", { class: kind, x: x.toFixed(2), y: y.toFixed(2), width: Math.max(0.5, width).toFixed(2), height: height.toFixed(2) },
      title ? node("title", {}, title) : null);
  const line = (kind, x1, y1, x2, y2) => node("line", { class: kind, x1, y1, x2, y2 });
  const text = (kind, x, y, content, anchor = "start") => node("text", { class: kind, x, y, "text-anchor": anchor }, content);

  function canvas(width, height, label) {
    return node("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "picture" });
  }
  function figure(caption, svg, legend) {
    const element = document.createElement("figure");
    const line = document.createElement("figcaption");
    line.append(caption);
    element.append(line, svg);
    if (legend) element.append(legend);
    return element;
  }
  const milliseconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(2))} s`);
  const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const passCount = (number) => `${number} forward ${number === 1 ? "pass" : "passes"}`;
  const shade = (confidence) => (confidence === null ? "cell" : `cell c${Math.min(7, Math.floor(8 * confidence))}`);

  // position × pass: masked from the block's first pass on, coloured at the pass that committed it, known afterwards.
  function unmasking(trace, width) {
    const { passes, cells, spans, blocks } = Rows.unmasking(trace);
    if (!cells.length) return null;
    const left = 34, top = 6, bottom = 34;
    const cellWidth = (width - left - 4) / cells.length;
    const cellHeight = Math.min(16, Math.max(1, 220 / passes.length));
    const height = cellHeight * passes.length;
    const x = (position) => left + position * cellWidth;
    const label = `${counted(cells.length, "audio token")} committed in ${passCount(passes.length)}, ${counted(blocks.length, "block")}, ${counted(spans.length, "span")}`;
    const svg = canvas(width, top + height + bottom, label);
    const inset = cellWidth > 3 && cellHeight > 3 ? 0.5 : 0;
    for (const cell of cells) {
      const y = top + cell.row * cellHeight;
      if (cell.row > cell.first) svg.append(rect("masked", x(cell.position), top + cell.first * cellHeight, cellWidth, (cell.row - cell.first) * cellHeight));
      svg.append(rect("known", x(cell.position), y, cellWidth, top + height - y));
      svg.append(rect(shade(cell.confidence), x(cell.position) + inset / 2, y + inset / 2, cellWidth - inset, cellHeight - inset,
        `audio token ${cell.position + 1}, forward pass ${cell.pass}` + (cell.confidence === null ? "" : `, confidence ${cell.confidence.toFixed(2)}`)));
    }
    if (2 * blocks.length <= cells.length) for (const start of blocks) svg.append(line("block-edge", x(start), top, x(start), top + height));
    for (const start of spans) svg.append(line("span-edge", x(start), top - 4, x(start), top + height + 4));
    const base = top + height + 14;
    for (const position of Rows.ticks(cells.length, width > 420 ? 8 : 4)) svg.append(text("tick", x(position), base, String(position), "middle"));
    svg.append(text("tick", left + (width - left) / 2, base + 15, "position (audio token)", "middle"));
    svg.append(text("tick", left - 5, top + Math.min(9, height), String(passes[0]), "end"));
    if (passes.length > 1 && height > 24) svg.append(text("tick", left - 5, top + height, String(passes[passes.length - 1]), "end"));
    const middle = top + height / 2;
    if (height > 90) svg.append(node("text", { class: "tick", transform: `translate(10 ${middle}) rotate(-90)`, "text-anchor": "middle" }, "forward pass"));
    return figure(`${counted(cells.length, "audio token")} in ${passCount(passes.length)}`, svg, confidenceLegend());
  }

  function swatch(kind) {
    const element = document.createElement("i");
    element.className = kind;
    return element;
  }
  // Each item is a list of swatches and texts that stay on one line.
  function legendLine(...items) {
    const legend = document.createElement("p");
    legend.className = "legend";
    for (const item of items) {
      const span = document.createElement("span");
      span.append(...item);
      legend.append(span);
    }
    return legend;
  }
  const stageLegend = (stages) => legendLine(...stages.map(([name, ms], i) => [swatch(`s${i % 6}`), ` ${name} ${milliseconds(ms)}`]));
  function confidenceLegend() {
    const scale = Array.from({ length: 8 }, (_, i) => swatch(`c${i}`));
    return legendLine([swatch("masked"), " masked"], [swatch("known"), " known"], ["confidence 0 ", ...scale, " 1"]);
  }

  // Lanes over time: text tokens, audio blocks, chunks, a player with its stalls, and the compute of each stage.
  function timeline(trace, width) {
    const chunks = trace.chunks || [], texts = trace.text || [], commits = trace.commits || [];
    const player = Rows.replay(chunks);
    const stages = Object.entries(trace.stages || {});
    const computed = stages.reduce((sum, [, ms]) => sum + ms, 0);
    const busy = Math.max(trace.end || 0, computed, ...texts, ...commits.map(([at]) => at), ...chunks.map(([at]) => at));
    if (!busy) return null;
    // A long answer plays on for seconds after the last forward pass; nothing happens there, so it is cut and the label tells.
    const end = Math.max(busy, Math.min(player.end, 1.3 * busy));
    const left = 4, right = 8, lane = 36, bar = 14;
    const x = (ms) => left + (ms / end) * (width - left - right);
    const lanes = [];
    if (texts.length) lanes.push([`text: ${counted(texts.length, "token")}`, (y) => texts.map((ms, i) =>
      rect("lane-text", x(ms) - 1, y, 2, bar, `${JSON.stringify((trace.tokens || [])[i] || "")} at ${milliseconds(ms)}`))]);
    if (commits.length) lanes.push([`audio tokens: ${counted(commits.length, "block")}`, (y) => commits.map(([at, codes], i) => {
      const before = Math.max(trace.prefill || 0, i ? commits[i - 1][0] : 0, ...texts.filter((ms) => ms < at));
      return rect("lane-code", x(before), y, x(at) - x(before) - (x(at) - x(before) > 4 ? 1 : 0), bar, `${counted(codes, "audio token")} at ${milliseconds(at)}`);
    })]);
    if (chunks.length) {
      lanes.push([`audio: ${counted(chunks.length, "chunk")}`, (y) => chunks.map(([at, length]) =>
        rect("lane-chunk", x(at) - 1.5, y, 3, bar, `${milliseconds(length)} of audio at ${milliseconds(at)}`))]);
      const lost = player.stalls.reduce((sum, stall) => sum + stall.to - stall.from, 0);
      const stalled = player.stalls.length ? `${counted(player.stalls.length, "stall")}, ${milliseconds(lost)}` : "no stalls";
      lanes.push([`playback ${milliseconds(chunks[0][0])} to ${milliseconds(player.end)}: ${stalled}`, (y) => [
        ...player.played.map((part) => rect("lane-play", x(part.from), y, x(Math.min(part.to, end)) - x(part.from), bar, `${milliseconds(part.from)} to ${milliseconds(part.to)}`)),
        ...player.stalls.map((stall) => rect("lane-stall", x(stall.from), y + 3, x(stall.to) - x(stall.from), bar - 6, `stall of ${milliseconds(stall.to - stall.from)}`))]]);
    }
    if (stages.length) {
      lanes.push([`compute: ${milliseconds(computed)}, by stage`, (y) => {
        let at = 0;
        return stages.map(([name, ms], i) => { at += ms; return rect(`lane-stage s${i % 6}`, x(at - ms), y, x(at) - x(at - ms), bar, `${name}: ${milliseconds(ms)}`); });
      }]);
    }
    const bottom = 8 + lanes.length * lane;
    const svg = canvas(width, bottom + 22, `Timeline over ${milliseconds(end)}: ${lanes.map(([name]) => name).join("; ")}`);
    for (const at of Rows.ticks(end, width > 420 ? 8 : 4)) {
      svg.append(line("grid", x(at), 8, x(at), bottom));
      svg.append(text("tick", x(at), bottom + 14, at === 0 ? "0" : milliseconds(at), at === 0 ? "start" : x(at) > width - 30 ? "end" : "middle"));
    }
    if (trace.end) svg.append(line("end-mark", x(trace.end), 8, x(trace.end), bottom));
    lanes.forEach(([name, draw], i) => {
      svg.append(text("lane-name", left, 18 + i * lane, name));
      svg.append(...draw(22 + i * lane));
    });
    return figure(`Answer complete after ${milliseconds(trace.end || busy)}`, svg, stageLegend(stages));
  }

  return { unmasking, timeline };
})();
