/* Adds search, filters and sorting to tables; without it every row is simply there. */
"use strict";
(function () {
  var form = document.querySelector("form.find");
  var table = document.querySelector("table.find");
  var rows = table ? Array.from(table.tBodies[0].rows) : [];
  var noun = document.title.indexOf("events") >= 0 ? "findings" : "rules";

  function key(row, column) {
    var cell = row.cells[column];
    return cell.dataset.k === undefined ? cell.textContent.trim() : cell.dataset.k;
  }

  function sortable(table) {
    Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
      if (head.classList.contains("time")) { return; }
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () { sort(table, head, column); });
    });
  }

  function sort(table, head, column) {
    var down = head.getAttribute("aria-sort") === "ascending";
    Array.from(head.parentNode.cells).forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var body = table.tBodies[0];
    var all = Array.from(body.rows).map(function (row) { return [key(row, column), row]; });
    var order = new Intl.Collator("en", { numeric: true }).compare;
    all.sort(function (one, other) { return (down ? -1 : 1) * order(one[0], other[0]); });
    all.forEach(function (pair) { body.appendChild(pair[1]); });
  }

  Array.from(document.querySelectorAll("table.sort")).forEach(sortable);
  if (!form || !table) { return; }

  var texts = rows.map(function (row) {
    var cells = Array.from(row.cells).map(function (cell) { return cell.textContent; });
    return (cells.join(" ") + " " + (row.dataset.id || "")).toLowerCase();
  });
  var fields = Array.from(form.elements).filter(function (field) { return field.name; });
  var status = form.querySelector("output");
  form.hidden = false;

  function filter() {
    var words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    var chosen = fields.filter(function (field) { return field.name !== "q" && field.value; });
    var shown = 0;
    rows.forEach(function (row, at) {
      var fits = words.every(function (word) { return texts[at].indexOf(word) >= 0; });
      fits = fits && chosen.every(function (field) {
        var cell = row.querySelector('[data-t="' + field.name + '"]');
        return cell && cell.dataset.o === field.value;
      });
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    var all = rows.length.toLocaleString("en");
    status.textContent = shown === rows.length ? all + " " + noun : shown.toLocaleString("en") + " of " + all + " " + noun;
  }

  function remember() {
    var asked = new URLSearchParams();
    fields.forEach(function (field) { if (field.value) { asked.set(field.name, field.value); } });
    try { history.replaceState(null, "", "#" + (asked.toString() || "rules")); } catch (error) { /* A page may not say where it is. */ }
  }

  /* An address such as #sentinel=refused asks for rows. */
  function recall() {
    if (location.hash.indexOf("=") === -1) { return false; }
    var asked = new URLSearchParams(location.hash.slice(1));
    fields.forEach(function (field) { field.value = asked.get(field.name) || ""; });
    filter();
    form.scrollIntoView();
    return true;
  }

  form.addEventListener("input", function () { filter(); remember(); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(function () { filter(); remember(); }, 0); });
  window.addEventListener("hashchange", recall);
  if (!recall()) { filter(); }
}());
