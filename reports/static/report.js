// Puts the rows on the page: table, filters, sorting, paging, details and players. Content only ever enters as text.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("rows-data").textContent);
  const rows = Rows.unpack(data);
  const byId = (id) => document.getElementById(id);
  const body = byId("rows"), form = byId("filters"), headers = [...document.querySelectorAll("#samples-table th[data-key]")];
  const state = { key: "", descending: false, page: 1 };
  let found = rows;

  const { element, bdi, address, playButton, words, stop } = Parts;
  const whose = (row) => `${row.task} ${row.id}, ${row.system}`;

  function milliseconds(seconds) {
    if (seconds === null) return "—";
    return seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(2)} s`;
  }
  const ratio = (value) => (value === null ? "—" : value > 0 && value < 0.0005 ? "<0.001" : value.toFixed(value < 0.1 ? 3 : 2));
  function scoreText(score) {
    if (score.isLeftOut) return "left out";
    if (score.value === null) return score.status === "ok" ? "—" : score.status.replace("_", " ");
    const value = score.scale * score.value;
    const digits = Math.abs(value) >= 9999.5 ? value.toFixed(0) : Number(value.toPrecision(4));
    return score.unit === "%" || score.unit === "points" ? `${value.toFixed(1)}\u00a0${score.unit}` : `${digits}\u00a0${score.unit}`.trim();
  }
  function chips(row) {
    return row.scores.map((score) => {
      const lower = score.direction === "lower", binary = score.kind === "binary" && score.direction !== "none";
      const right = binary ? (lower ? score.value === 0 : score.value >= 1) : score.kind === "rate" && lower ? score.value === 0 : null;
      const verdict = score.isLeftOut ? "" : score.status !== "ok" ? "bad" : right === null ? "" : right ? "good" : "bad";
      // Of what should not be there, a mark would read as if it were: "yes" and "no" say whether it is.
      const [mark, spoken] = !binary || score.value === null ? [scoreText(score), scoreText(score)]
        : lower ? Array(2).fill(right ? "no" : "yes") : right ? ["✓", "right"] : ["✗", "wrong"];
      // Of scores with one short name, such as WER in two normal forms, all but the first go by their ids.
      const name = row.scores.find((other) => other.short === score.short) === score ? score.short : score.id;
      return element("span", { class: `chip ${verdict}`, title: `${score.title}: ${scoreText(score)}` },
        `${name} `, element("span", { "aria-hidden": "true" }, mark), element("span", { class: "hidden" }, spoken));
    });
  }

  function timed(row, text) {
    return row.busy && text !== "—" ? [text, " ", element("span", { class: "mark busy", title: row.busy }, "busy")] : [text];
  }

  function cell(label, kind, ...children) {
    return element("td", { "data-label": label, class: kind }, ...children);
  }
  function tableRow(row) {
    const toggle = element("button", { type: "button", class: "toggle", "aria-expanded": "false", "aria-label": `Details of ${row.task} ${row.id}, ${row.system}` });
    const line = element("tr", { class: row.status === "ok" ? "" : "failed" },
      cell("", "open", toggle),
      cell("System", "name breaks", row.shown === row.system ? row.system : element("abbr", { title: row.system }, row.shown)),
      cell("Task", "name breaks", row.task),
      cell("Sample", "name", element("span", { class: row.id.length > 16 ? "with-play" : "with-play nowrap" }, bdi(row.id), playButton(row.inputAudio, "the input", whose(row)))),
      cell("Reference", "words", playButton(row.referenceAudio, "the reference audio", whose(row)), words(row.reference)),
      cell("Written answer", "words", words(row.text, row.textDiff)),
      cell("Transcript", "words", playButton(row.answerAudio, "the spoken answer", whose(row)), words(row.transcript, row.transcriptDiff)),
      cell("Scores", "scores", ...chips(row)),
      cell("TTFA", "number", ...timed(row, milliseconds(row.ttfaWave))),
      cell("RTF", "number", ...timed(row, ratio(row.rtf))),
      cell("Status", "name", element("span", { class: `status ${row.status}` }, row.status.replace("_", " ")),
        ...(row.cut ? [" ", element("span", { class: "mark cut", title: "a length limit cut the answer" }, "cut")] : [])));
    let details = null;
    toggle.addEventListener("click", () => {
      const open = toggle.getAttribute("aria-expanded") === "true";
      toggle.setAttribute("aria-expanded", String(!open));
      if (open) { details.remove(); return; }
      details = element("tr", { class: "details" }, element("td", { colspan: headers.length + 1 }, element("div", { class: "detail-box" })));
      line.after(details);
      fillDetails(details.querySelector(".detail-box"), row);
    });
    return line;
  }

  function fillDetails(box, row) {
    const list = element("dl", {});
    const add = (name, ...values) => { if (values.some(Boolean)) list.append(element("dt", {}, name), element("dd", {}, ...values)); };
    add("Why", row.message && bdi(row.message));
    add("Question", row.question && bdi(row.question));
    add("Also accepted", row.aliases && bdi(row.aliases.join(" · ")));
    add("Reference answer", row.spokenReference && bdi(row.spokenReference));
    add("Written", row.text && bdi(row.text));
    add("Transcript", row.transcript && bdi(row.transcript));
    for (const [name, text] of Object.entries(row.moreTranscripts || {})) add(`Transcript, ${name}`, bdi(text));
    add("Transcript of the reference audio", row.referenceTranscript && bdi(row.referenceTranscript));
    for (const score of row.scores) add(row.scores.filter((other) => other.title === score.title).length > 1 ? `${score.title} (${score.id})` : score.title, (score.isLeftOut ? score.note : scoreText(score) + (score.note && `: ${score.note}`)) + (score.status === "ok" || score.isLeftOut ? "" : ` (${score.status.replace("_", " ")})`));
    add("TTFT · first audio tokens · TTFA", row.trace ? [row.ttft, row.ttfaCodes, row.ttfaWave].map(milliseconds).join(" · ") : "");
    add("Forward passes per audio token", row.nfePerCode === null ? "" : `${ratio(row.nfePerCode)} (${row.codes} tokens)`);
    add("Ended by", row.cut ? `${row.finish}: a limit cut the answer` : row.finish);
    add("Busy machine", row.busy && bdi(row.busy));
    for (const [name, value] of Object.entries(row.metadata || {})) add(name, bdi(value));
    const recordings = [["Input", row.inputAudio], ["Answer", row.answerAudio], ["Reference audio", row.referenceAudio]].filter(([, file]) => file);
    const players = recordings.map(([name, file]) => element("label", { class: "player" }, name, element("audio", { controls: "controls", preload: "metadata", src: address(file) })));
    const pictures = element("div", { class: "pictures" });
    box.append(element("div", {}, list, ...players), pictures);
    drawPictures(pictures, row);
  }
  function drawPictures(box, row) {
    const trace = Rows.traceOf(row);
    if (!trace) return;
    const width = Math.max(260, Math.min(720, box.clientWidth || 560));
    box.append(...[Pictures.unmasking(trace, width), Pictures.timeline(trace, width)].filter(Boolean));
  }

  function show() {
    const size = Number(form.elements.size.value);
    const view = Rows.paginate(Rows.sortRows(found, state.key || "index", state.descending), state.page, size);
    state.page = view.page;
    stop();
    body.replaceChildren(...view.rows.map(tableRow));
    byId("count").textContent = found.length
      ? `${(view.from + 1).toLocaleString("en")} to ${view.to.toLocaleString("en")} of ${found.length.toLocaleString("en")}` + (found.length < rows.length ? ` found among ${rows.length.toLocaleString("en")} requests` : " requests")
      : rows.length ? `Nothing found among ${rows.length.toLocaleString("en")} requests` : "No request has been answered yet";
    byId("page").textContent = `page ${view.page} of ${view.pages}`;
    byId("previous").disabled = view.page === 1;
    byId("next").disabled = view.page === view.pages;
    Sortable.mark(headers, state, (header) => header.dataset.key);
    form.elements.sort.value = state.key && `${state.key}${state.descending ? "-" : ""}`;
  }
  function filter() {
    const { query, system, task, status, wrong } = form.elements;
    found = Rows.filterRows(rows, { query: query.value, system: system.value, task: task.value, status: status.value, wrongOnly: wrong.checked });
    state.page = 1;
    show();
  }
  function turn(by) {
    state.page += by;
    show();
    byId("samples").scrollIntoView();
    // On the first and last page the button that was pressed is disabled; the keyboard stays at the other one.
    const [pressed, other] = by < 0 ? ["previous", "next"] : ["next", "previous"];
    if (byId(pressed).disabled) byId(other).focus({ preventScroll: true });
  }

  for (const header of headers) {
    header.querySelector("button").addEventListener("click", () => {
      Object.assign(state, Rows.nextOrder(state, header.dataset.key), { page: 1 });
      show();
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { state.key = ""; state.descending = false; filter(); }));
  form.addEventListener("input", (event) => {
    if (event.target.name === "sort") {
      state.descending = event.target.value.endsWith("-");
      state.key = event.target.value.replace(/-$/, "");
      state.page = 1;
      show();
    } else if (event.target.name === "size") { state.page = 1; show(); } else filter();
  });
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  for (const box of document.querySelectorAll("[data-example]")) {
    const row = rows[Number(box.dataset.example)];
    const button = playButton(row.answerAudio, "the spoken answer", whose(row));
    if (button) box.querySelector(".player-place").append(button);
    drawPictures(box.querySelector(".pictures"), row);
  }
  show();
})();
