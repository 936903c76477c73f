// The table of samples, before and now: filters, sorting, paging. Content only ever enters as text.
"use strict";

(() => {
  const { element, bdi, playButton, words, stop } = Parts;
  const ORDER = { worse: 0, changed: 1, better: 2, same: 3 };
  const rows = JSON.parse(document.getElementById("rows-data").textContent).rows.map((row, index) => ({ index, order: ORDER[row.change], ...row }));
  const byId = (id) => document.getElementById(id);
  const body = byId("rows"), form = byId("filters"), headers = [...document.querySelectorAll("#samples-table th[data-key]")];
  const AS_FIRST = { key: "order", descending: false };
  const state = { ...AS_FIRST, page: 1 };
  let found = rows;

  const CHANGES = { worse: "worse", changed: "changed", better: "better", same: "as before" };
  function chip([name, before, now, worse]) {
    const verdict = worse > 0 ? "bad" : worse < 0 ? "good" : "";
    const text = before === now ? `${name} ${now}` : `${name} ${before} → ${now}`;
    return element("span", { class: `chip ${verdict}` }, text);
  }
  const cell = (label, kind, ...children) => element("td", { "data-label": label, class: kind }, ...children);
  // A spoken answer stands before its transcript.
  function answer(row, text, transcript, file, when) {
    const whose = `${row.task} ${row.id}, ${row.system}, ${when}`;
    const parts = [element("div", {}, words(text))];
    if (transcript || file) parts.push(element("div", { class: "transcript" }, playButton(file, "the spoken answer", whose), "transcript: ", words(transcript)));
    return parts;
  }
  function tableRow(row) {
    const whose = `${row.task} ${row.id}, ${row.system}`;
    const changes = [row.textDiff && element("div", {}, words("", row.textDiff)), row.transcriptDiff && element("div", { class: "transcript" }, "transcript: ", words("", row.transcriptDiff))].filter(Boolean);
    return element("tr", { class: row.change === "worse" ? "failed" : "" },
      cell("Change", "name", element("span", { class: `change ${row.change}` }, CHANGES[row.change])),
      cell("System", "name breaks", row.system),
      cell("Task", "name breaks", row.task),
      cell("Sample", "name", element("span", { class: row.id.length > 16 ? "with-play" : "with-play nowrap" }, bdi(row.id), playButton(row.input, "the input", whose))),
      cell("Reference", "words", words(row.reference)),
      cell("Before", "words", ...answer(row, row.before, row.transcriptBefore, row.audioBefore, "before")),
      cell("Now", "words", ...answer(row, row.now, row.transcriptNow, row.audioNow, "now")),
      cell("Difference", "words", ...(changes.length ? changes : [element("span", { class: "none" }, "—")]), ...(row.errors ? [element("div", { class: "status error" }, row.errors)] : [])),
      cell("Scores", "scores", ...(row.scores || []).map(chip)));
  }

  function haystack(row) {
    if (row.haystack === undefined) {
      row.haystack = [row.id, row.system, row.task, row.reference, row.before, row.now, row.transcriptBefore, row.transcriptNow, row.errors].filter(Boolean).join("\n").toLocaleLowerCase("en");
    }
    return row.haystack;
  }
  function show() {
    const view = Rows.paginate(Rows.sortRows(found, state.key, state.descending), state.page, Number(form.elements.size.value));
    state.page = view.page;
    stop();
    body.replaceChildren(...view.rows.map(tableRow));
    byId("count").textContent = found.length
      ? `${(view.from + 1).toLocaleString("en")} to ${view.to.toLocaleString("en")} of ${found.length.toLocaleString("en")}` + (found.length < rows.length ? ` found among ${rows.length.toLocaleString("en")} answers` : " answers")
      : rows.length ? `Nothing found among ${rows.length.toLocaleString("en")} answers` : "No sample was answered in both runs";
    byId("page").textContent = `page ${view.page} of ${view.pages}`;
    byId("previous").disabled = view.page === 1;
    byId("next").disabled = view.page === view.pages;
    Sortable.mark(headers, state, (head) => head.dataset.key);
  }
  function filter() {
    const { query, system, task, change } = form.elements;
    const terms = query.value.toLocaleLowerCase("en").split(/\s+/).filter(Boolean);
    found = rows.filter((row) =>
      (!system.value || row.system === system.value) && (!task.value || row.task === task.value)
      && (!change.value || (change.value === "any" ? row.change !== "same" : row.change === change.value))
      && terms.every((word) => haystack(row).includes(word)));
    state.page = 1;
    show();
  }
  for (const header of headers) {
    header.querySelector("button").addEventListener("click", () => {
      const next = Rows.nextOrder(state, header.dataset.key);
      Object.assign(state, next.key ? next : AS_FIRST, { page: 1 });
      show();
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { Object.assign(state, AS_FIRST); filter(); }));
  form.addEventListener("input", filter);
  for (const [id, by] of [["previous", -1], ["next", 1]]) {
    byId(id).addEventListener("click", () => { state.page += by; show(); byId("samples").scrollIntoView(); });
  }
  filter();
})();
