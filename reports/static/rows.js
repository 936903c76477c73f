// Rows and traces as plain values: unpacking, filtering, sorting, paging, replaying. Knows no document, so it runs in node.
"use strict";

const Rows = (() => {
  const LEAPS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // The page's JSON (see payload.py) as an array of row objects with names instead of indices.
  function unpack(data) {
    const busy = new Map((data.busy || []).map(([system, task, why]) => [`${system} ${task}`, why]));
    return data.rows.map((cells, index) => {
      const row = { index };
      data.columns.forEach((column, i) => { row[column] = cells[i]; });
      row.strategy = data.strategies[row.system];
      row.busy = busy.get(`${row.system} ${row.task}`) || "";
      row.cut = (data.cutWords || []).includes((row.finish || "").toLowerCase());
      row.shown = data.shown[row.system];
      row.system = data.systems[row.system];
      row.task = data.tasks[row.task];
      row.status = data.statuses[row.status];
      row.scores = (row.scores || []).map(([metric, value, status, note, isLeftOut]) =>
        ({ ...data.metrics[metric], value, note, status: data.statuses[status], isLeftOut: Boolean(isLeftOut) }));
      row.score = row.scores.length ? row.scores[0].value : null;
      return row;
    });
  }

  // A row's trace, which stays packed until it is drawn; null where there is none.
  function traceOf({ trace, text }) {
    return trace && { ...trace, steps: unpackSteps(trace.steps), tokens: unpackTokens(trace.tokens, text) };
  }

  // The pass of each code, from the first one's and a character for each leap over the latest pass before it.
  function unpackSteps(steps) {
    if (!steps || typeof steps[1] !== "string") return steps;
    let latest = steps[0];
    const found = [latest];
    for (const character of steps[1]) {
      const step = latest + LEAPS.indexOf(character) - 31;
      found.push(step);
      latest = Math.max(latest, step);
    }
    return found;
  }

  // Tokens from their lengths in characters, which are not JavaScript's units.
  function unpackTokens(tokens, text) {
    if (!tokens || typeof tokens[0] !== "number") return tokens;
    const characters = Array.from(text || "");
    let at = 0;
    return tokens.map((length) => characters.slice(at, at += length).join(""));
  }

  function searchable(row) {
    if (row.haystack === undefined) {
      row.haystack = [row.id, row.system, row.task, row.question, row.reference, row.spokenReference, row.text, row.transcript, row.message,
        ...Object.values(row.metadata || {})].filter(Boolean).join("\n").toLocaleLowerCase("en");
    }
    return row.haystack;
  }

  // Every word of `query` must occur, every other condition equal the field of its name; empty ones let everything through.
  function filterRows(rows, { query = "", wrongOnly = false, ...fields } = {}) {
    const words = query.toLocaleLowerCase("en").split(/\s+/).filter(Boolean);
    const wanted = Object.entries(fields).filter(([, value]) => value);
    return rows.filter((row) =>
      wanted.every(([name, value]) => (value === "cut" ? row.cut : row[name] === value))
      && (!wrongOnly || row.wrong) && words.every((word) => searchable(row).includes(word)));
  }

  // A sorted copy. Rows without a value come last in either direction; equal ones keep their order.
  function sortRows(rows, key, descending = false) {
    const sign = descending ? -1 : 1;
    const missing = (value) => value === null || value === undefined || value === "";
    return [...rows].sort((a, b) => {
      const [x, y] = [a[key], b[key]];
      if (missing(x) || missing(y)) return missing(x) - missing(y) || a.index - b.index;
      const order = typeof x === "number" && typeof y === "number" ? x - y : collator.compare(String(x), String(y));
      return sign * order || a.index - b.index;
    });
  }

  // What pressing the head of a column makes of an order: ascending, then descending, then as it was.
  function nextOrder({ key, descending }, pressed) {
    if (key !== pressed) return { key: pressed, descending: false };
    return descending ? { key: "", descending: false } : { key, descending: true };
  }

  // The rows of one page; a page number beyond the end becomes the last one.
  function paginate(rows, number, size) {
    const pages = Math.max(1, Math.ceil(rows.length / size));
    const page = Math.min(Math.max(1, number), pages);
    const from = (page - 1) * size;
    return { page, pages, from, to: Math.min(from + size, rows.length), rows: rows.slice(from, from + size) };
  }

  // Chunks [arrival ms, length ms] replayed by a player that starts with the first and waits whenever it runs dry.
  function replay(chunks) {
    const played = [], stalls = [];
    let end = null;
    for (const [arrival, length] of chunks) {
      if (end !== null && arrival > end) stalls.push({ from: end, to: arrival });
      const from = end === null ? arrival : Math.max(arrival, end);
      end = from + length;
      const last = played[played.length - 1];
      if (last && last.to === from) last.to = end; else played.push({ from, to: end });
    }
    return { played, stalls, end: end || 0 };
  }

  // Starts of blocks and spans as positions. Commits count no end tokens, spans may: then all do, but perhaps the last,
  // which a limit cut off. An end token belongs to the block before it.
  function boundaries(trace) {
    // A block that held nothing but an end token commits no code.
    const commits = (trace.commits || []).map(([, codes]) => codes).filter(Boolean), lengths = trace.spans || [];
    const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
    const ends = total(lengths) - total(commits);
    const spans = [], blocks = [];
    let position = 0, commit = 0;
    lengths.forEach((length, i) => {
      spans.push(position);
      const codes = length - (i < ends ? 1 : 0);
      for (let inside = 0; inside < Math.max(codes, 1); commit += 1) {
        blocks.push(position + inside);
        inside += commits[commit] || length;
      }
      position += length;
    });
    return { spans, blocks };
  }

  // The unmasking picture as cells: column = position, row = rank of the pass among those that committed audio.
  function unmasking(trace) {
    const steps = trace.steps || [];
    const passes = [...new Set(steps)].sort((a, b) => a - b);
    const rank = new Map(passes.map((pass, i) => [pass, i]));
    const { spans, blocks } = boundaries(trace);
    const starts = blocks.length ? blocks : [0];
    const cells = [];
    starts.forEach((start, i) => {
      const end = i + 1 < starts.length ? starts[i + 1] : steps.length;
      const rows = steps.slice(start, end).map((pass) => rank.get(pass));
      const first = rows.reduce((a, b) => Math.min(a, b), Infinity);
      rows.forEach((row, j) => {
        const code = (trace.confidence || "").charCodeAt(start + j);
        cells.push({ position: start + j, row, pass: steps[start + j], first, confidence: code >= 48 ? (code - 48) / 63 : null });
      });
    });
    return { passes, cells, spans, blocks };
  }

  // Round tick positions that cut [0, end] into at most `most` parts.
  function ticks(end, most) {
    if (!(end > 0)) return [0];
    const magnitude = 10 ** Math.floor(Math.log10(end / most));
    const step = [1, 2, 5, 10].map((m) => m * magnitude).find((s) => end / s <= most);
    return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(12)));
  }

  return { unpack, traceOf, filterRows, sortRows, nextOrder, paginate, replay, boundaries, unmasking, ticks };
})();

if (typeof module === "object") module.exports = Rows;
