"use strict";
// Sorts a table by the column whose heading is selected; a second time turns the order round. Empty cells stay last.
document.querySelectorAll("table.sortable").forEach(function (table) {
  table.querySelectorAll("thead button").forEach(function (button) {
    button.addEventListener("click", function () {
      var heading = button.closest("th");
      var column = heading.cellIndex;
      var downward = heading.getAttribute("aria-sort") === "ascending";
      var body = table.tBodies[0];
      var key = function (row) {
        var raw = row.cells[column].dataset.sort;
        return raw === undefined || raw === "" ? null : isNaN(raw) ? raw : Number(raw);
      };
      var compare = function (one, other) {
        var a = key(one), b = key(other);
        if (a === null || b === null) { return (a === null) - (b === null); }
        var order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
        return downward ? -order : order;
      };
      Array.from(body.rows).sort(compare).forEach(function (row) { body.appendChild(row); });
      table.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
      heading.setAttribute("aria-sort", downward ? "descending" : "ascending");
    });
  });
});
// On paper nothing is folded away.
window.addEventListener("beforeprint", function () {
  document.querySelectorAll("details").forEach(function (part) { part.open = true; });
});
