// Pieces that pages are put together from: elements, players, word differences. Content only ever enters as text.
"use strict";

const Parts = (() => {
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== "") made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
  }
  const bdi = (text) => element("bdi", { dir: "auto" }, text);
  const address = (file) => file.split("/").map((part) => (part === ".." ? part : encodeURIComponent(part))).join("/");

  // One player for all: starting a recording stops the one before it.
  const audio = new Audio();
  let playing = null;
  function stop() {
    audio.pause();
    if (playing) { playing.classList.remove("playing"); playing.setAttribute("aria-pressed", "false"); }
    playing = null;
  }
  audio.addEventListener("ended", stop);
  audio.addEventListener("error", () => {
    if (!playing) return;
    playing.classList.add("broken");
    playing.title = "This recording can't be played: it must lie where it lay when this page was written.";
    stop();
  });
  function playButton(file, what, whose) {
    if (!file) return null;
    const button = element("button", { type: "button", class: "play", "aria-pressed": "false", "aria-label": `Play ${what} of ${whose}`, title: `Play ${what}` });
    button.addEventListener("click", () => {
      const again = playing === button;
      stop();
      if (again) return;
      playing = button;
      button.classList.add("playing");
      button.setAttribute("aria-pressed", "true");
      audio.src = address(file);
      audio.play().catch(() => {});
    });
    return button;
  }

  // Words with their fate: deletions struck through, insertions underlined, so that color isn't needed.
  function difference(chunks) {
    const line = element("bdi", { dir: "auto" });
    for (const [op, first, second] of chunks) {
      if (line.childNodes.length) line.append(" ");
      if (op === "=") line.append(first);
      else if (op === "d") line.append(element("del", { title: "missing" }, first));
      else if (op === "i") line.append(element("ins", { title: "added" }, first));
      else line.append(element("span", { class: "sub", title: `${second} instead of ${first}` }, element("del", {}, first), " ", element("ins", {}, second)));
    }
    return line;
  }
  const words = (plain, chunks) => (chunks ? difference(chunks) : plain ? bdi(plain) : element("span", { class: "none" }, "—"));

  return { element, bdi, address, stop, playButton, difference, words };
})();
