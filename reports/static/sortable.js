// Makes tables that stand on the page sortable: every head becomes a button. Knows Rows (the order) and nothing of a run.
"use strict";

const Sortable = (() => {
  // A cell says by what it is sorted, or its first figure or else its text does; null where there is nothing.
  function valueOf(cell) {
    const figure = cell.dataset.sort ?? cell.querySelector("[data-value]")?.dataset.value;
    if (figure === undefined) {
      const text = cell.textContent.trim();
      return text === "—" ? null : text;
    }
    const number = Number(figure);
    return figure === "" || figure === "nan" ? null : Number.isNaN(number) ? figure : number;
  }

  // Show an order in the heads, whose columns are called by `keyOf`.
  function mark(heads, { key, descending }, keyOf) {
    for (const head of heads) {
      if (key !== "" && keyOf(head) === key) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }

  // The first body is sorted; what stands in others stays where it is.
  function make(table) {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    const rows = [...body.rows].map((element, index) => ({ index, element, ...[...element.cells].map(valueOf) }));
    let order = { key: "", descending: false };
    heads.forEach((head, column) => {
      if (head.classList.contains("unsorted")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...[...head.childNodes].filter((node) => node.className !== "direction"));
      head.prepend(button);
      button.addEventListener("click", () => {
        order = Rows.nextOrder(order, column);
        body.append(...Rows.sortRows(rows, order.key === "" ? "index" : order.key, order.descending).map((row) => row.element));
        mark(heads, order, (head) => heads.indexOf(head));
      });
    });
    table.classList.add("live");
  }

  return { make, mark };
})();

for (const table of document.querySelectorAll("table.sortable")) Sortable.make(table);
