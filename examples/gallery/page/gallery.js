// What is shown is what the address says: #counter. All else follows from it.

const by = (id) => document.getElementById(id);
const links = [...document.querySelectorAll("#list a")];
const wide = matchMedia("(min-width: 1100px)");
let shown = "";

// ------------------------------------------------------------------ an example

function show() {
  const link = links.find((each) => each.hash === location.hash) ?? links[0];
  const name = link.hash.slice(1);
  for (const each of links) each.toggleAttribute("aria-current", each === link);
  link.setAttribute("aria-current", "page");
  openMenu(false);
  if (name === shown) return;
  shown = name;
  const [title, sentence] = link.children;
  document.title = `${title.textContent} - flet_asp_actors by example`;
  document.querySelector("h1").textContent = title.textContent;
  document.querySelector("h1 + p").innerHTML = sentence.innerHTML;
  by("alone").href = `apps/${name}/`;
  link.scrollIntoView({ block: "nearest" });
  start();
  read();
}

function start() {
  // A new frame, since going to another address in the old one would be a step of the history.
  const frame = document.createElement("iframe");
  frame.title = `${document.querySelector("h1").textContent}, running`;
  frame.src = `apps/${shown}/`;
  frame.onload = () => {
    // Flutter takes the focus as it starts, also from who is typing in the filter. Not here.
    const { window, HTMLElement } = frame.contentWindow;
    const { focus } = HTMLElement.prototype;
    HTMLElement.prototype.focus = () => {};
    window.addEventListener("flutter-first-frame", () => (HTMLElement.prototype.focus = focus), { once: true });
  };
  by("app").replaceChildren(frame);
}

by("restart").onclick = () => {
  sessionStorage.clear(); // where the app has the number of its session
  start();
};

// ------------------------------------------------------------------ its source

async function read() {
  const name = shown;
  const tabs = by("files");
  tabs.replaceChildren();
  by("code").textContent = "";
  const answer = await fetch(`sources/${name}`).catch(() => null);
  const files = answer?.ok ? await answer.json() : [{ path: name, html: "The source cannot be had; is the server running?" }];
  if (name !== shown) return; // somebody has moved on
  tabs.replaceChildren(...files.map(({ path, html }, number) => {
    const tab = document.createElement("button");
    Object.assign(tab, { type: "button", id: `file-${number}`, role: "tab", textContent: path });
    tab.setAttribute("aria-controls", "code");
    tab.onclick = () => {
      for (const each of tabs.children) {
        each.setAttribute("aria-selected", each === tab);
        each.tabIndex = each === tab ? 0 : -1;
      }
      by("code").innerHTML = html;
      by("code").scrollTo(0, 0);
      by("code").setAttribute("aria-labelledby", tab.id);
      tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    return tab;
  }));
  tabs.firstChild.click();
}

by("files").onkeydown = (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const tabs = [...event.currentTarget.children];
  const next = tabs[tabs.indexOf(document.activeElement) + step];
  if (next) {
    next.click();
    next.focus();
  }
};

by("copy").onclick = async () => {
  await navigator.clipboard.writeText(by("code").textContent);
  by("copy").textContent = "Copied";
  setTimeout(() => (by("copy").textContent = "Copy"), 1500);
};

// ------------------------------------------------------------------ the list

by("filter").oninput = (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  let count = 0;
  for (const link of links) {
    const text = `${link.textContent} ${link.hash}`.toLowerCase();
    link.parentElement.hidden = !words.every((word) => text.includes(word));
    count += !link.parentElement.hidden;
  }
  for (const group of document.querySelectorAll("#list section")) {
    group.hidden = !group.querySelector("li:not([hidden])");
  }
  by("found").textContent = event.target.value.trim() ? `${count} of ${links.length}` : "";
};

by("filter").onkeydown = (event) => {
  if (event.key === "Enter") links.find((link) => !link.parentElement.hidden)?.click();
};

function openMenu(open) {
  by("menu").setAttribute("aria-expanded", open);
  by("examples").classList.toggle("open", open);
}

by("menu").onclick = () => {
  openMenu(by("menu").getAttribute("aria-expanded") !== "true");
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    openMenu(false);
  } else if (event.key === "/" && !event.target.matches("input")) {
    event.preventDefault();
    openMenu(true);
    by("filter").focus();
  }
});

// ------------------------------------------------------------------ app, source, or both

function view(which) {
  document.body.dataset.view = which;
  for (const button of document.querySelectorAll("#views button")) {
    button.setAttribute("aria-pressed", button.dataset.view === which);
  }
}

for (const button of document.querySelectorAll("#views button")) button.onclick = () => view(button.dataset.view);
wide.onchange = () => view(wide.matches ? "both" : "app");
wide.onchange();
addEventListener("hashchange", show);
show();
by("list").querySelector("[aria-current]").scrollIntoView({ block: "center" });
