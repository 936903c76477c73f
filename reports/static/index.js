// Filters the runs of the index. Sorting is Sortable's; a run that is filtered away keeps its place.
"use strict";

(() => {
  const table = document.getElementById("runs"), form = document.getElementById("filters"), count = document.getElementById("count");
  const MANY = 6;
  const words = (element) => [element.textContent, ...[...element.querySelectorAll("[title]")].map((inside) => inside.title)].join("\n");
  const runs = [...table.tBodies[0].rows].map((element, index) =>
    ({ index, element, suite: element.dataset.suite, status: element.dataset.status, haystack: words(element).toLocaleLowerCase("en") }));
  const figures = [...table.tHead.rows[0].cells].map((head, column) => ({ head, cells: runs.map(({ element }) => element.cells[column]) }))
    .filter(({ cells }) => cells.some((cell) => cell.classList.contains("figures")));

  // A run of many systems shows the first ones until it is asked for all.
  for (const { element } of runs) {
    const systems = element.querySelectorAll(".systems li");
    if (systems.length <= MANY + 1) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "more";
    const fold = (folded) => {
      element.classList.toggle("folded", folded);
      button.setAttribute("aria-expanded", String(!folded));
      button.textContent = folded ? `${systems.length - MANY} more` : "fewer";
    };
    button.addEventListener("click", () => fold(!element.classList.contains("folded")));
    element.querySelector(".systems").append(button);
    fold(true);
  }

  function filter() {
    const { query, suite, status } = form.elements;
    const found = new Set(Rows.filterRows(runs, { query: query.value, suite: suite.value, status: status.value }));
    for (const run of runs) run.element.hidden = !found.has(run);
    // A column in which none of these runs has a figure only takes room.
    for (const { head, cells } of figures) {
      const empty = found.size > 0 && runs.every((run) => !found.has(run) || run.element.cells[head.cellIndex].dataset.sort === "nan");
      for (const cell of [head, ...cells]) cell.hidden = empty;
    }
    count.textContent = found.size === runs.length
      ? `${runs.length.toLocaleString("en")} ${runs.length === 1 ? "run" : "runs"}`
      : `${found.size.toLocaleString("en")} of ${runs.length.toLocaleString("en")} runs`;
  }
  // On paper every system is shown. A table that is wider than a page would be cut; 980 pixels fit on A4 and on letter paper.
  addEventListener("beforeprint", () => {
    table.classList.remove("live");
    document.body.style.setProperty("--print-zoom", Math.min(0.68, 980 / table.scrollWidth));
  });
  addEventListener("afterprint", () => table.classList.add("live"));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("input", filter);
  filter();
})();
